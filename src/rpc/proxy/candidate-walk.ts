/**
 * Who is asked for one call, one after the other: walks its ranking, gives each provider once and no
 * more of them than the call may try, and leaves a provider that was named when the caller allows it.
 */
import type { EndpointRow } from "../chain-view.ts";
import { HelpNote } from "../help/help-note.ts";
import { helperFor, isForsakenFor, MAX_HELPS } from "../help/helping-regions.ts";
import { addNote } from "../explain/record.ts";
import type { MethodInfo } from "../json-rpc/methods.ts";
import { firstUsable, hedgeTarget, TriedSet } from "../selection/pick.ts";
import type { Selected } from "../selection/selected.ts";
import type { Candidate, Ranking } from "../selection/snapshot.ts";
import { blocksOf } from "./attempt/asked.ts";
import type { Attempt } from "./attempt/attempt.ts";
import type { Call, CallOptions } from "./call.ts";
import type { Engine } from "./engine.ts";
import { MIN_ATTEMPT_MS } from "./limits.ts";
import type { Upstream } from "./ports.ts";

/** Where an attempt goes. */
export interface Target {
  readonly candidate: Candidate;
  readonly row: EndpointRow;
  readonly upstream: Upstream;
}

/** Why a slow call got no hedge. */
export type HedgeDenial = "no_provider" | "deadline" | "budget";

/** The walk of one call. */
export class CandidateWalk {
  /** How the order came about; `undefined` while the chain is starting. */
  selected: Selected | undefined = undefined;
  readonly #engine: Engine;
  readonly #call: Call;
  readonly #info: MethodInfo;
  /** Providers at most, hedge and retries of stale sockets apart. */
  readonly #maxTries: number;
  #tries = 0;
  readonly #tried = new TriedSet();
  /** The block that a provider should have reached. */
  #minHead = 0;
  /** The named provider has had its turn; the ranking is everybody's now. */
  #hasLeftProvider = false;
  /** Nobody of the caller's list was left to try, and it is let out of it. */
  #hasLeftList = false;
  #hasTried = false;
  /** Regions that were asked. */
  #helps = 0;

  constructor(engine: Engine, call: Call, info: MethodInfo) {
    this.#engine = engine;
    this.#call = call;
    this.#info = info;
    const { options, chain } = call;
    const isFree = options.failover && chain.failoverEnabled;
    this.#maxTries = isFree ? options.maxAttempts || engine.limits.maxAttempts : 1;
  }

  /** Whoever wanted one attempt gets one. */
  get isSingle(): boolean {
    return this.#maxTries === 1;
  }

  /** Another provider may be tried, if there is one. */
  get mayTry(): boolean {
    return this.#tries < this.#maxTries;
  }

  /** Ranks the providers of the moment. */
  start(nowMs: number): void {
    this.#select(this.#call, nowMs);
    // A client may ask for the block it has just been told of, before the tip has moved: whoever
    // announced it is preferred; if nobody has it yet, anybody may say so.
    this.#minHead = this.selected?.minHead ?? 0;
  }

  /**
   * The next provider, preferably one whose head is above `aboveHead`. With `mayHelp` another region
   * comes before providers that rest or are broken, and after those that may be tried.
   */
  next(nowMs: number, aboveHead: number, mayHelp: boolean): Target | undefined {
    if (!this.mayTry) return mayHelp && !this.isSingle ? this.#help(nowMs) : undefined;
    const minHead = Math.max(aboveHead + 1, this.#minHead);
    for (;;) {
      const helps = mayHelp && this.#isForsaken(nowMs) && this.#helper(nowMs) !== undefined;
      const ranking = this.selected?.ranking;
      const candidate =
        ranking === undefined ? undefined : this.#pick(ranking, nowMs, minHead, helps);
      if (candidate === undefined) {
        if (this.#leaveList(nowMs) || this.#leaveProvider(nowMs)) continue;
        return helps ? this.#help(nowMs) : undefined;
      }
      const target = this.#take(candidate, nowMs);
      if (target === undefined) continue;
      this.#tries++;
      return target;
    }
  }

  /** The same provider once more. */
  again(row: EndpointRow): Target | undefined {
    const among =
      row.region !== undefined
        ? this.#call.chain.helpers?.candidates
        : this.selected?.ranking.candidates;
    const candidate = among?.find((one) => one.row.index === row.index);
    const upstream = this.#call.chain.upstream(row);
    return candidate === undefined || upstream === undefined
      ? undefined
      : { candidate, row, upstream };
  }

  /** A second provider beside a slow one, out of the chain's budget; or why there is none. */
  hedge(slow: Attempt, deadlineAtMs: number, nowMs: number): Target | HedgeDenial {
    const ranking = this.selected?.ranking;
    const candidate =
      ranking === undefined
        ? undefined
        : hedgeTarget(ranking, nowMs, this.#tried, this.#minHead, slow.provider);
    const target = candidate === undefined ? undefined : this.#targetOf(candidate, nowMs);
    if (target === undefined) return "no_provider";
    const { row } = target;
    const usualMs = target.candidate.view.calls.get(row.transport, this.#info.name)?.p50Ms ?? 0;
    if (deadlineAtMs - nowMs < Math.max(usualMs, MIN_ATTEMPT_MS)) return "deadline";
    if (!this.#engine.chooser.hedges(this.#call.chain).take()) return "budget";
    this.#tried.add(row.index);
    return target;
  }

  /** Somebody could be asked after whoever is asked now. */
  hasNext(nowMs: number): boolean {
    return this.hasAnother(nowMs) || this.canBeHelped(nowMs);
  }

  /** Whether another provider could follow. */
  hasAnother(nowMs: number): boolean {
    if (!this.mayTry) return false;
    if (this.#mayLeaveProvider || this.#mayLeaveList) return true;
    const ranking = this.selected?.ranking;
    return (
      ranking !== undefined &&
      firstUsable(ranking, nowMs, this.#tried, 0, this.#call.pin) !== undefined
    );
  }

  /** Another region could follow. */
  canBeHelped(nowMs: number): boolean {
    return !this.isSingle && this.#helper(nowMs) !== undefined;
  }

  /** The nearest region that helps. */
  #help(nowMs: number): Target | undefined {
    const call = this.#call;
    const candidate = this.#helper(nowMs);
    const upstream = candidate === undefined ? undefined : call.chain.upstream(candidate.row);
    if (candidate === undefined || upstream === undefined) return undefined;
    this.#helps++;
    const { row } = candidate;
    this.#tried.add(row.index);
    const because = this.#hasTried ? "exhausted" : "no_provider";
    addNote(call, new HelpNote(row.region ?? "", because));
    return { candidate, row, upstream };
  }

  #helper(nowMs: number): Candidate | undefined {
    const { chain } = this.#call;
    if (chain.helpers === undefined || this.#helps >= MAX_HELPS) return undefined;
    return helperFor(chain, this.#freeOptions, this.#info, nowMs, this.#tried);
  }

  /** The caller's wishes without those that it has given up. */
  get #freeOptions(): CallOptions {
    const { options } = this.#call;
    if (!this.#hasLeftList && !this.#hasLeftProvider) return options;
    return {
      ...options,
      paired: this.#hasLeftList ? undefined : options.paired,
      provider: this.#hasLeftProvider ? undefined : options.provider,
    };
  }

  #isForsaken(nowMs: number): boolean {
    if (this.#call.chain.helpers === undefined) return false;
    const { selected } = this;
    return selected === undefined || isForsakenFor(selected, nowMs, this.#tried);
  }

  /** Who may leave its list, or has a region to turn to, need not try those who rest or are broken. */
  #pick(ranking: Ranking, nowMs: number, minHead: number, helps: boolean): Candidate | undefined {
    const { chooser } = this.#engine;
    const call = this.#call;
    return helps || this.#mayLeaveList
      ? chooser.usable(call, ranking, nowMs, this.#tried, minHead)
      : chooser.pick(call, ranking, nowMs, this.#tried, minHead);
  }

  #take(candidate: Candidate, nowMs: number): Target | undefined {
    this.#hasTried = true;
    this.#tried.add(candidate.row.index);
    return this.#targetOf(candidate, nowMs);
  }

  #targetOf(candidate: Candidate, nowMs: number): Target | undefined {
    const row = this.#engine.chooser.rowFor(this.#call, candidate, nowMs);
    const upstream = row === undefined ? undefined : this.#call.chain.upstream(row);
    return row === undefined || upstream === undefined ? undefined : { candidate, row, upstream };
  }

  get #mayLeaveList(): boolean {
    const { paired, provider } = this.#call.options;
    // Naming a provider that is not on the list is no way out of it.
    return !this.#hasLeftList && provider === undefined && paired?.onExhausted === "market";
  }

  /** The list is exhausted and its consumer wants to be served all the same. */
  #leaveList(nowMs: number): boolean {
    if (!this.#mayLeaveList) return false;
    this.#hasLeftList = true;
    this.#select(this.#call, nowMs);
    return true;
  }

  get #mayLeaveProvider(): boolean {
    const { options, chain } = this.#call;
    if (this.#hasLeftProvider || !options.leavesProvider) return false;
    return options.provider !== undefined && (chain.snapshot?.endpoints.length ?? 0) > 1;
  }

  /** `failover=on` with a provider: once that one has failed, whoever the chain has. */
  #leaveProvider(nowMs: number): boolean {
    if (!this.#mayLeaveProvider) return false;
    this.#hasLeftProvider = true;
    const call = this.#call;
    this.#select({ ...call, options: { ...call.options, provider: undefined } }, nowMs);
    return true;
  }

  #select(call: Call, nowMs: number): void {
    const { snapshot } = call.chain;
    if (snapshot === undefined) return;
    const asked = blocksOf(call, this.#info.name);
    const { chooser } = this.#engine;
    const leaves = this.#hasLeftList;
    this.selected = chooser.select(snapshot, call, this.#info.name, asked, nowMs, leaves);
  }
}
