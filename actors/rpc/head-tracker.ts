/**
 * One chain's head truth: weighs what providers push and what they answer when polled, and publishes
 * the served tip.
 *
 * Writes `ChainState.head` and the `head` of the endpoints' cells. Permanent; a restart starts without
 * reports, keeps serving the last tip, and is right again after the next head of each provider.
 */
import { defineActor, keyFor, type Ctx } from "../../src/otp/index.ts";
import { ask, type Answer } from "../../src/rpc/ask.ts";
import type { ChainState } from "../../src/rpc/chain-state.ts";
import type { EndpointRow } from "../../src/rpc/chain-view.ts";
import { FINALITY_TAGS, FinalityPoll } from "../../src/rpc/head/finality-poll.ts";
import { HeadTruth, staleAfterMs, type HeadReport } from "../../src/rpc/head/head-truth.ts";
import type { FinalityTag } from "../../src/rpc/head/tag-truth.ts";
import { quantity } from "../../src/rpc/json-rpc/quantity.ts";
import type { ProviderId } from "../../src/rpc/ids.ts";
import { learnHeader } from "../../src/rpc/integrity/proof/proofs.ts";
import { subscriptionHubKey } from "./subscription-hub.ts";

/** Which chain is tracked. */
export interface HeadTrackerArgs {
  readonly state: ChainState;
}

/** A head that a provider pushed. */
export interface PushedHead {
  readonly provider: ProviderId;
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  /** The header as JSON, where answers are held against it. */
  readonly header?: string | undefined;
}

/** A height that a provider answered when asked. */
export interface PolledHead {
  readonly provider: ProviderId;
  readonly number: number;
  /** The block, where it was asked for. */
  readonly block?: unknown;
  readonly atMs: number;
}

/** A block that a provider said it has not got. */
export interface MissingBlock {
  readonly provider: ProviderId;
  readonly block: number;
}

interface State extends HeadTrackerArgs {
  readonly truth: HeadTruth;
  readonly finality: FinalityPoll;
  /** Providers that are behind by more than the limit; told once each way. */
  readonly laggards: ReadonlySet<ProviderId>;
  readonly isStale: boolean;
}

const CHECK_MS = 1_000;
/** A missing block further below the head than this is pruned, and says nothing of the head. */
const NEAR_BLOCKS = 128;

/** The head tracker of one chain. */
export const headTracker = defineActor({
  name: "rpc/head-tracker",
  init: (args: HeadTrackerArgs, ctx): State => {
    ctx.every(CHECK_MS, "check");
    const { state } = args;
    return {
      ...args,
      truth: new HeadTruth({
        blockTimeMs: state.config.blockTimeMs,
        hashes: state.hashes,
        last: state.head,
      }),
      finality: new FinalityPoll(),
      laggards: new Set(),
      isStale: false,
    };
  },
  casts: {
    head: (state, { provider, number, hash, parentHash, header }: PushedHead, ctx) => {
      const rows = state.state.rows(provider);
      rows.ws.head = number;
      rows.http.head = number;
      rows.ws.headHash = hash;
      rows.http.headHash = hash;
      rows.ws.headAtMs = ctx.now();
      rows.http.headAtMs = ctx.now();
      state.state.blocks.note(provider, number, hash);
      state.state.blocks.note(provider, number - 1, parentHash);
      if (header !== undefined) learnHeader(header, hash, state.state.blocks);
      const report = { provider, number, hash, parentHash, atMs: ctx.now(), source: "ws" } as const;
      return reported(state, report, ctx);
    },
    polled: (state, { provider, number, block, atMs }: PolledHead, ctx) => {
      const { name } = state.state;
      const rows = state.state.rows(provider);
      // A pushed head is newer than an answer that was on its way meanwhile.
      if (rows.ws.head < 0 || number > rows.ws.head) {
        rows.http.head = number;
        rows.http.headHash = undefined;
        rows.http.headAtMs = atMs;
      }
      if (isShadow(state, provider)) return state;
      ctx.via(subscriptionHubKey(name)).cast.polled({ provider, number, block });
      const known = state.truth.of(provider);
      if (known?.source === "ws" && known.number >= number && !isSilent(state, provider, ctx)) {
        return state;
      }
      return reported(state, { provider, number, hash: undefined, atMs, source: "poll" }, ctx);
    },
    /** A provider pushes no heads any more: it is asked instead. */
    silenced: (state, provider: ProviderId) => {
      const { ws } = state.state.rows(provider);
      ws.head = -1;
      ws.headHash = undefined;
      return state;
    },
    /** A provider had to say that it has not got a block near the head it told: another node answers. */
    lacks: (state, { provider, block }: MissingBlock) => {
      for (const row of Object.values(state.state.rows(provider)) as readonly EndpointRow[]) {
        if (row.head >= block && row.head - block < NEAR_BLOCKS) row.head = block - 1;
      }
      return state;
    },
    /** An operator accepts whatever the providers say. */
    reset: (state, _arg: undefined) => {
      state.truth.reset();
      state.finality.reset();
      return state;
    },
  },
  on: (state, info, ctx) => {
    if (info.type === "timer") {
      askFinality(state, ctx);
      return checked(state, ctx);
    }
    if (info.type === "task" && info.result.ok) {
      return finalityTold(state, info.result.value as FinalityAnswer, ctx);
    }
    return state;
  },
  formatState: ({ state, truth, finality, laggards, isStale }) => ({
    chain: state.name,
    tip: truth.head,
    ...finality.heights,
    laggards: [...laggards],
    isStale,
  }),
});

/** Finds the head tracker of a chain. */
export const headTrackerKey = keyFor(headTracker, "chain");

const isSilent = ({ truth }: State, provider: ProviderId, ctx: Ctx): boolean =>
  truth.isStale(provider, ctx.now());

const reported = (state: State, report: HeadReport, ctx: Ctx): State => {
  const { truth } = state;
  const { name: chain } = state.state;
  const { provider, number } = report;
  const oldNumber = truth.head?.number;
  const change = truth.report(report);
  if (change.isTooFast) ctx.emit("head.velocity_drop", { chain, provider, head: number });
  if (!change.hasMoved || truth.head === undefined) return state;
  publish(state);
  const { number: tip, hash } = truth.head;
  if (change.isRollback) {
    ctx.emit("head.rollback", { chain, number: tip, oldNumber: oldNumber ?? tip, hash });
  } else ctx.emit("head.tip", { chain, number: tip, hash, provider, oldNumber });
  return state.isStale ? { ...state, isStale: false } : state;
};

/** Once a second: is the tip old, who has fallen behind, who is gone. */
const checked = (state: State, ctx: Ctx): State => {
  const { truth, laggards } = state;
  const { config, name: chain } = state.state;
  const nowMs = ctx.now();
  const behind = new Set<ProviderId>();
  for (const { id: provider } of config.providers) {
    const lag = truth.lag(provider, nowMs);
    if (lag === undefined) continue;
    const lagBlocks = lag.optimistic;
    if (lagBlocks > config.selection.maxLagBlocks) behind.add(provider);
    if (behind.has(provider) === laggards.has(provider)) continue;
    ctx.emit("head.lag", { chain, provider, lagBlocks, limit: config.selection.maxLagBlocks });
  }
  for (const provider of truth.providers) {
    if (config.providers.some(({ id }) => id === provider)) continue;
    truth.forget(provider);
    state.finality.forget(provider);
  }
  const { head } = truth;
  const ageMs = head === undefined ? 0 : nowMs - head.atMs;
  const isStale = ageMs > staleAfterMs(truth.blockTimeMs);
  if (isStale && !state.isStale && head !== undefined) {
    ctx.emit("head.stale", { chain, ageMs, number: head.number });
  }
  return { ...state, laggards: behind, isStale };
};

/** Nobody hears a shadow: it must not move the tip. */
const isShadow = ({ state }: State, provider: ProviderId): boolean =>
  state.config.providers.find(({ id }) => id === provider)?.shadow !== undefined;

const publish = ({ state, truth, finality }: State): void => {
  if (truth.head === undefined) return;
  state.head = { ...truth.head, ...finality.heights };
  state.blocks.advance(truth.head.number);
};

/** What one provider answered for one tag. */
interface FinalityAnswer {
  readonly provider: ProviderId;
  readonly tag: FinalityTag;
  readonly answer: Answer;
}

const FINALITY_TIMEOUT_MS = 5_000;

/** Puts the question for both tags to the provider whose turn it is. */
const askFinality = ({ state, truth, finality }: State, ctx: Ctx): void => {
  if (truth.head === undefined) return;
  const able = state.config.providers.filter(
    ({ id, probe }) => probe && truth.of(id) !== undefined && channelOf(state, id) !== undefined,
  );
  const provider = finality.next(
    able.map(({ id }) => id),
    ctx.now(),
  );
  const upstream = provider === undefined ? undefined : channelOf(state, provider);
  if (provider === undefined || upstream === undefined) return;
  for (const tag of FINALITY_TAGS) {
    const put = (signal: AbortSignal): Promise<FinalityAnswer> =>
      new Promise((resolve) => {
        const giveUp = ask(
          upstream,
          "eth_getBlockByNumber",
          [tag, false],
          state.errorRules(provider),
          (answer) => resolve({ provider, tag, answer }),
        );
        signal.addEventListener("abort", giveUp, { once: true });
      });
    ctx.task(`finality:${tag}`, put, { timeoutMs: FINALITY_TIMEOUT_MS });
  }
};

/** A way to a provider that is admitted now; HTTP first, as the sockets carry the heads. */
const channelOf = (state: ChainState, provider: ProviderId) => {
  const { http, ws } = state.rows(provider);
  return [http, ws]
    .filter((row) => row.isUsable && row.state === "closed")
    .map((row) => state.upstream(row))
    .find((upstream) => upstream !== undefined);
};

const finalityTold = (state: State, { provider, tag, answer }: FinalityAnswer, ctx: Ctx): State => {
  const { finality } = state;
  const block = answer.ok ? (answer.result as { readonly number?: unknown } | null) : undefined;
  const number = quantity(block?.number);
  if (number !== undefined) {
    if (finality.told(provider, tag, number, ctx.now())) publish(state);
  } else if (answer.ok || TAG_UNKNOWN.has(answer.errorClass)) {
    finality.ignorant(provider, ctx.now());
  }
  return state;
};

/** Answers that say "no such tag" rather than "not now". */
const TAG_UNKNOWN: ReadonlySet<string> = new Set([
  "capability",
  "invalid_params",
  "block_unavailable",
  "unmatched",
]);
