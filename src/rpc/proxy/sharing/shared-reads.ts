/**
 * Equal reads share: an answer that was kept is given again, a call that equals one on its way waits
 * for that one's answer, and only the rest asks providers (json-rpc reference 12 and 13).
 */
import { createCounts, type CacheCounts } from "../../cache/cache-counts.ts";
import type { KeptAnswer } from "../../cache/kept-answer.ts";
import { CachePolicies } from "../../cache/policies.ts";
import { SharedLevel } from "../../cache/shared-level.ts";
import type { ChainName } from "../../ids.ts";
import type { MethodInfo } from "../../json-rpc/methods.ts";
import type { Call, CallFacts, CallSink } from "../call.ts";
import { Composite } from "../composite.ts";
import type { Engine } from "../engine.ts";
import type { ChainView } from "../ports.ts";
import type { Running, Service } from "../service.ts";
import { AnswerKeeper, type Kept, type KeeperChain } from "./answer-keeper.ts";
import { answerKept, giveKept } from "./cache-hit.ts";
import { ChainSight } from "./chain-sight.ts";
import { Flight, type FlightOwner, type Keeping } from "./flight.ts";
import { FlightTable } from "./flight-table.ts";
import { Follower } from "./follower.ts";
import { SharedAsk } from "./shared-ask.ts";
import { CopyRoom } from "./stream-copy.ts";
import { viewKey } from "./view-key.ts";

/** Calls that may follow one flight. */
export const MAX_FOLLOWERS = 1_000;
/** Flights of one chain that can be joined. */
export const MAX_FLIGHTS = 10_000;
/** Calls with longer params are not compared with others, bytes. */
const MAX_JOIN_BYTES = 16 * 1024;
/** Times between two looks at what ran out, and between two events of the same kind, ms. */
const SWEEP_MS = 1_000;
const TELL_MS = 1_000;
const TELL_EVICTIONS_MS = 60_000;

/** One chain's flights, counts and policies. */
class ChainShare implements KeeperChain {
  readonly view: ChainView;
  readonly flights = new FlightTable();
  readonly counts: CacheCounts;
  policies = new CachePolicies([]);
  overflowAtMs = Number.NEGATIVE_INFINITY;

  constructor(view: ChainView) {
    this.view = view;
    this.counts = view.answers ?? createCounts();
  }
}

/** The step of a read that shares. */
export class SharedReads implements Service, FlightOwner {
  readonly copyRoom = new CopyRoom();
  readonly #engine: Engine;
  readonly #next: Service;
  readonly #keeper: AnswerKeeper | undefined;
  readonly #level: SharedLevel | undefined;
  readonly #shares = new Map<ChainName, ChainShare>();
  #sweepAtMs = 0;
  #tellEvictionsAtMs = 0;
  #evictionsTold = 0;

  constructor(engine: Engine, next: Service) {
    const { cache, shared, packer } = engine.deps;
    this.#engine = engine;
    this.#next = next;
    if (cache === undefined) return;
    this.#keeper = new AnswerKeeper(cache, engine.redact);
    if (shared !== undefined && packer !== undefined) this.#level = new SharedLevel(shared, packer);
  }

  serve(call: Call, info: MethodInfo, sink: CallSink): Running | undefined {
    if (!mayShare(call, info)) return this.#next.serve(call, info, sink);
    const share = this.#shareOf(call.chain);
    const nowMs = this.#engine.now();
    const sight = new ChainSight(call.chain);
    const keeping = this.#keeper?.keepingOf(call, info, sight);
    if (keeping !== undefined) {
      const answer = this.#find(keeping, share, sight, nowMs);
      if (answer !== undefined) {
        answerKept(this.#engine, call, sink, answer);
        return undefined;
      }
    }
    const joinKey = joinKeyOf(call, info, keeping, sight);
    if (joinKey === undefined && keeping === undefined) return this.#next.serve(call, info, sink);
    const timeoutMs = call.options.timeoutMs || info.totalMs;
    const flight = joinKey === undefined ? undefined : share.flights.get(joinKey);
    if (flight === undefined || !mayJoin(flight, timeoutMs, nowMs)) {
      return this.#lead(share, call, info, sink, joinKey, keeping, nowMs, timeoutMs);
    }
    if (flight.followerCount < MAX_FOLLOWERS) {
      share.counts.coalesced++;
      const follower = new Follower(this.#engine, call, info, sink, flight, timeoutMs);
      flight.join(follower);
      return follower;
    }
    this.#tellOverflow(share, info.name, "followers", nowMs);
    return this.#lead(share, call, info, sink, undefined, keeping, nowMs, timeoutMs);
  }

  #lead(
    share: ChainShare,
    call: Call,
    info: MethodInfo,
    sink: CallSink,
    wantedKey: string | undefined,
    keeping: Keeping | undefined,
    startMs: number,
    timeoutMs: number,
  ): Running {
    let joinKey = wantedKey;
    if (joinKey !== undefined && share.flights.size >= MAX_FLIGHTS) {
      joinKey = undefined;
      this.#tellOverflow(share, info.name, "flights", startMs);
    }
    const flight = new Flight(this, { call, info, joinKey, keeping, startMs, timeoutMs }, sink);
    if (joinKey !== undefined) share.flights.set(joinKey, flight);
    if (!this.#askShared(flight, share, startMs)) {
      flight.running = this.#next.serve(call, info, flight);
    }
    return flight;
  }

  /** Asks the other hosts first, where that is worth its while; false when not. */
  #askShared(flight: Flight, share: ChainShare, nowMs: number): boolean {
    const { call, info, keeping } = flight.plan;
    const level = this.#level;
    if (keeping === undefined || level === undefined || !level.isWorthAsking(nowMs)) return false;
    if (keeping.place.finality === "realtime") return false;
    const ask = new SharedAsk(this.#engine, level, (found) => {
      const answer =
        found === undefined
          ? undefined
          : this.#keeper?.keepShared(keeping, share, info.name, found, this.#engine.now());
      if (answer === undefined) flight.running = this.#next.serve(call, info, flight);
      else giveKept(this.#engine, call, flight, answer);
    });
    flight.running = ask;
    ask.start(keeping.key);
    return true;
  }

  #tellOthers(keeping: Keeping, kept: Kept | undefined, nowMs: number): void {
    if (kept === undefined || kept.answer.finality === "realtime") return;
    this.#level?.set(keeping.key, kept, kept.ttlMs, nowMs);
  }

  landed(flight: Flight): void {
    const { call, joinKey } = flight.plan;
    if (joinKey === undefined) return;
    this.#shares.get(call.chain.name)?.flights.delete(joinKey, flight);
  }

  brought({ plan }: Flight, facts: CallFacts, body: Buffer, idStart: number, idEnd: number): void {
    const { call, info, keeping } = plan;
    if (keeping === undefined) return;
    // Several providers were asked, perhaps for a block that all of them have.
    if (keeping.place.finality === "realtime" && facts instanceof Composite) return;
    const share = this.#shareOf(call.chain);
    const nowMs = this.#engine.now();
    const { provider } = facts;
    const kept = this.#keeper?.keepResult(
      keeping,
      share,
      info,
      provider,
      body,
      idStart,
      idEnd,
      nowMs,
    );
    this.#tellOthers(keeping, kept, nowMs);
  }

  failed({ plan }: Flight, facts: CallFacts): void {
    const { call, info, keeping } = plan;
    if (keeping === undefined) return;
    const share = this.#shareOf(call.chain);
    const nowMs = this.#engine.now();
    const kept = this.#keeper?.keepError(keeping, share, info.name, facts, nowMs);
    this.#tellOthers(keeping, kept, nowMs);
  }

  #find(
    keeping: Keeping,
    share: ChainShare,
    sight: ChainSight,
    nowMs: number,
  ): KeptAnswer | undefined {
    if (nowMs >= this.#sweepAtMs) this.#sweep(nowMs);
    return this.#keeper?.find(keeping, share, sight, nowMs);
  }

  /** Nobody's timer: while no call looks for an answer, old ones harm nobody. */
  #sweep(nowMs: number): void {
    const { cache, emit } = this.#engine.deps;
    if (cache?.sweep(nowMs) !== true) this.#sweepAtMs = nowMs + SWEEP_MS;
    if (cache === undefined || nowMs < this.#tellEvictionsAtMs) return;
    this.#tellEvictionsAtMs = nowMs + TELL_EVICTIONS_MS;
    const count = cache.evictions - this.#evictionsTold;
    if (count === 0) return;
    this.#evictionsTold = cache.evictions;
    emit("cache.evict", { count, entries: cache.size, bytes: cache.bytes, limit: cache.maxBytes });
  }

  /** The record of a chain; another chain of the same name starts anew. */
  #shareOf(view: ChainView): ChainShare {
    const known = this.#shares.get(view.name);
    const share = known?.view === view ? known : this.#open(view);
    const policies = view.cache?.policies;
    if (policies !== undefined && share.policies.source !== policies) {
      share.policies = new CachePolicies(policies);
    }
    return share;
  }

  #open(view: ChainView): ChainShare {
    const share = new ChainShare(view);
    this.#shares.set(view.name, share);
    const { cache, emit } = this.#engine.deps;
    if (cache !== undefined && view.canon !== undefined) {
      view.canon.onOrphaned = (hashes) => {
        const count = cache.orphaned(hashes);
        if (count > 0) emit("cache.invalidate", { chain: view.name, blocks: hashes.length, count });
      };
    }
    return share;
  }

  #tellOverflow(share: ChainShare, method: string, reason: string, nowMs: number): void {
    if (nowMs - share.overflowAtMs < TELL_MS) return;
    share.overflowAtMs = nowMs;
    this.#engine.deps.emit("rpc.coalesce.overflow", { chain: share.view.name, method, reason });
  }
}

/** Reads that change nothing, whose answer somebody waits for and nobody wanted for himself. */
function mayShare({ options, envelope, isPart }: Call, info: MethodInfo): boolean {
  if (isPart || options.noCache || options.asksAll || !envelope.hasId) return false;
  return info.isIdempotent && info.class !== "write";
}

/**
 * Equal calls have this in common: the block, the caller's wishes, the params (what is kept under one
 * key is the answer to all that spell it). A call that fixes no block never joins one that was sent
 * before the tip moved.
 */
function joinKeyOf(
  call: Call,
  info: MethodInfo,
  keeping: Keeping | undefined,
  sight: ChainSight,
): string | undefined {
  const { paramsStart, paramsEnd } = call.envelope;
  if (paramsEnd - paramsStart > MAX_JOIN_BYTES) return undefined;
  const view = viewKey(call.options);
  if (keeping !== undefined) return view === "" ? keeping.key : `${view} ${keeping.key}`;
  const params = paramsStart < 0 ? "" : call.body.toString("latin1", paramsStart, paramsEnd);
  return `${info.name} ${sight.tip}:${sight.tipHash ?? ""} ${view} ${params}`;
}

/** Who has more time than the flight would be failed by its deadline; so would who comes late. */
function mayJoin({ plan }: Flight, timeoutMs: number, nowMs: number): boolean {
  return plan.timeoutMs >= timeoutMs && nowMs - plan.startMs <= plan.timeoutMs / 2;
}
