/**
 * Chooses for the request path: the order of providers for a call, the next one to try, the row that
 * carries it. Reads the routing snapshot and live rows; remembers hedges and last resorts by chain.
 */
import { isAdmissible } from "../admission.ts";
import type { EndpointRow } from "../chain-view.ts";
import { HedgeBudget } from "../hedge.ts";
import type { ChainName } from "../ids.ts";
import type { BlockDemand } from "../json-rpc/block-demand.ts";
import { withCanary } from "../selection/canary.ts";
import { oldestDemand, rangeDemand } from "../selection/filters.ts";
import type { PanicGate, TriedSet } from "../selection/pick.ts";
import { createPanicGate, firstUsable, lastResort } from "../selection/pick.ts";
import { preferring } from "../selection/prefer.ts";
import { rank } from "../selection/rank.ts";
import { packFaults, packMore, type Selected } from "../selection/selected.ts";
import type {
  Candidate,
  Ranking,
  RoutingSnapshot,
  SelectionDemand,
} from "../selection/snapshot.ts";
import type { Call } from "./call.ts";
import type { ChainView, GatewayDeps } from "./ports.ts";

/** What choosing needs from outside. */
type Outside = Pick<GatewayDeps, "now" | "random" | "emit">;

/** The choices of one gateway. */
export class Chooser {
  readonly #outside: Outside;
  readonly #panics = new Map<ChainName, PanicGate>();
  readonly #hedges = new Map<ChainName, HedgeBudget>();

  constructor(outside: Outside) {
    this.#outside = outside;
  }

  /** The order of providers for a call that asks for these blocks, and how it came about. */
  select(
    snapshot: RoutingSnapshot,
    call: Call,
    method: string,
    asked: BlockDemand | undefined,
    nowMs: number,
    leavesList = false,
  ): Selected {
    const { strategy, transport, provider, profile, paired, maxCost, exclude, prefer } =
      call.options;
    const demand: SelectionDemand = {
      strategy,
      profile,
      paired,
      hasLeftList: leavesList,
      method,
      transport,
      provider,
      maxCost,
      exclude,
      needsArchive: asked?.isState === true && needsArchive(snapshot, asked.fromBlock),
      oldest:
        asked === undefined ? undefined : oldestDemand(snapshot, asked.fromBlock, asked.isState),
      blockRange: asked?.range === undefined ? undefined : rangeDemand(snapshot, asked.range),
      seed: (this.#outside.random() * SEED_RANGE) | 0,
    };
    const ranked = rank(snapshot, demand);
    const { canaries } = snapshot;
    const tried =
      canaries === undefined ? ranked : withCanary(ranked, canaries, this.#outside.random);
    const ranking = prefer === undefined ? tried : preferring(tried, prefer);
    return {
      snapshot,
      demand,
      ranking,
      minHead: asked?.block ?? 0,
      faults: packFaults(ranking, 0, nowMs),
      moreFaults: packMore(ranking, nowMs),
      atMs: nowMs,
      tookMs: this.#outside.now() - nowMs,
    };
  }

  /** The next endpoint that is well, preferably one that has reached `minHead`. */
  usable(
    { pin }: Call,
    ranking: Ranking,
    nowMs: number,
    tried: TriedSet,
    minHead: number,
  ): Candidate | undefined {
    return (
      firstUsable(ranking, nowMs, tried, minHead, pin) ??
      (minHead > 0 ? firstUsable(ranking, nowMs, tried, pin, pin) : undefined)
    );
  }

  /** The next endpoint to try; one that is cooling down or broken only when there is no other. */
  pick(
    call: Call,
    ranking: Ranking,
    nowMs: number,
    tried: TriedSet,
    minHead: number,
  ): Candidate | undefined {
    const usable = this.usable(call, ranking, nowMs, tried, minHead);
    if (usable !== undefined) return usable;
    const { pin } = call;
    const { name } = call.chain;
    let gate = this.#panics.get(name);
    if (gate === undefined) this.#panics.set(name, (gate = createPanicGate()));
    const last = lastResort(ranking, nowMs, gate, tried, pin);
    if (last === undefined) return undefined;
    const { candidate, relaxed } = last;
    const { emit } = this.#outside;
    const { method } = call.envelope;
    if (relaxed !== "panic")
      emit("rpc.selection.relaxed", { chain: name, filter: relaxed, method });
    else emit("rpc.failover.panic", { chain: name, provider: candidate.view.provider, method });
    return candidate;
  }

  /** The hedges that a chain may still send. */
  hedges({ name }: ChainView): HedgeBudget {
    let budget = this.#hedges.get(name);
    if (budget === undefined) this.#hedges.set(name, (budget = new HedgeBudget()));
    return budget;
  }

  /**
   * The row of a candidate that can carry the call now. A WebSocket client's calls take the
   * provider's WebSocket where it lives; a transport without a channel gives way to the other.
   */
  rowFor(call: Call, candidate: Candidate, nowMs: number): EndpointRow | undefined {
    const { chain, protocol, options } = call;
    const { row, view } = candidate;
    const { ws, http } = view.transports;
    if (
      protocol === "ws" &&
      row.transport === "http" &&
      options.transport === "any" &&
      ws !== undefined &&
      isAdmissible(ws, nowMs) &&
      chain.upstream(ws) !== undefined
    ) {
      return ws;
    }
    if (chain.upstream(row) !== undefined) return row;
    const other = row.transport === "http" ? ws : http;
    return options.transport === "any" &&
      other !== undefined &&
      isAdmissible(other, nowMs) &&
      chain.upstream(other) !== undefined
      ? other
      : undefined;
  }
}

/** True for old state, as long as the operator has said who keeps it. */
function needsArchive(snapshot: RoutingSnapshot, block: number): boolean {
  const { tip, rules, endpoints } = snapshot;
  if (tip < 0 || tip - block <= rules.archivalThreshold) return false;
  return endpoints.some(({ archival }) => archival);
}

/** Seeds are 31-bit integers. */
const SEED_RANGE = 0x7fffffff;
