/**
 * One provider's background check: who it is, whether it lives, where its head is.
 *
 * It asks over the provider's own channels, one question at a time. A provider serves nobody before
 * it has named the right chain id, and a wrong one is quarantined until a recheck passes. Half-open
 * breakers get their trial call from here, so that no user's request is ever the guinea pig.
 * Permanent; a restart loses nothing but the current question.
 */
import { defineActor, keyFor, type Ctx } from "../../src/otp/index.ts";
import { ask, type Answer } from "../../src/rpc/ask.ts";
import { failureOf } from "../../src/rpc/breaker.ts";
import type { ChainState } from "../../src/rpc/chain-state.ts";
import { quantity } from "../../src/rpc/json-rpc/quantity.ts";
import type { ProviderId, Transport } from "../../src/rpc/ids.ts";
import { verdictOf } from "../../src/rpc/probe-verdict.ts";
import { circuitBreakerKey } from "./circuit-breaker.ts";
import { headTrackerKey } from "./head-tracker.ts";
import { providerPoolKey } from "./provider-pool.ts";
import { wsConnectionKey } from "./ws-connection.ts";

/** Which provider is probed. */
export interface ProbeArgs {
  readonly state: ChainState;
  readonly provider: ProviderId;
}

/** A half-open breaker lends its permit. */
export interface Permit {
  readonly transport: Transport;
  readonly token: number;
}

interface State extends ProbeArgs {
  /** Chain id seen over HTTP; undefined until the provider has answered. */
  readonly isVerified: boolean;
  /** A connection was made since the last answer; the question is on its way. */
  readonly isRecheckDue: boolean;
  /** Questions for the chain id that went unanswered since the last answer. */
  readonly misses: number;
  readonly failures: number;
  readonly successes: number;
  readonly isDown: boolean;
  /** Polls asked so far. */
  readonly polls: number;
}

/** A question that is under way, as its task result names it. */
interface Finding {
  readonly transport: Transport;
  readonly answer: Answer;
}

/** First and longest wait before an unverified provider is asked again. */
const firstRetryMs = 250;
const maxRetryMs = 10_000;
/** Wait between a new connection and the question who it leads to, ms. */
const recheckMs = 1_000;

/** The probe of one provider. */
export const probe = defineActor({
  name: "rpc/probe",
  init: (args: ProbeArgs, ctx): State => {
    ctx.after(0, "identify");
    const { healthCheck } = args.state.config;
    // Spread, so that a hundred providers are not asked in one instant.
    ctx.after(healthCheck.intervalMs * (0.5 + 0.5 * ctx.random()), "health");
    ctx.after(pollIntervalMs(args.state, 0), "poll");
    return {
      ...args,
      polls: 0,
      isVerified: false,
      isRecheckDue: false,
      misses: 0,
      failures: 0,
      successes: 0,
      isDown: false,
    };
  },
  casts: {
    permit: (state, { transport, token }: Permit, ctx) => {
      // Asked even with `probe: off`: there is no other way back for the endpoint.
      question(state, ctx, `permit:${token}`, transport, "eth_blockNumber");
      return state;
    },
    /** A suspect endpoint is asked whether it has come back. */
    recheck: (state, transport: Transport, ctx) => {
      question(state, ctx, `recheck:${transport}`, transport, "eth_blockNumber");
      return state;
    },
    /** Traffic is about to come: a question opens a connection, or shows that one is open. */
    warm: (state, transport: Transport, ctx) => {
      if (isProbed(state) && isSpared(state, ctx)) {
        question(state, ctx, `warm:${transport}`, transport, "eth_blockNumber");
      }
      return state;
    },
    /** What its head is matters now: others say something else, or it has been silent. */
    look: (state, _arg: undefined, ctx) => {
      if (isProbed(state) && isSpared(state, ctx)) askBlock(state, ctx);
      return state;
    },
    /** A fresh connection may lead to another node: ask who it is. */
    connected: (state, _arg: undefined, ctx) => {
      // A pool opens many connections at once, and asking opens one more: one question a second.
      if (!state.isVerified || state.isRecheckDue) return state;
      ctx.after(recheckMs, "identify");
      return { ...state, isRecheckDue: true };
    },
  },
  on: (state, info, ctx) => {
    if (info.type === "timer") return due(state, info.key, ctx);
    if (info.type !== "task") return state;
    const finding = info.result.ok
      ? (info.result.value as Finding)
      : { transport: "http" as const, answer: failed };
    return found(state, info.key, finding, ctx);
  },
  formatState: ({ provider, isVerified, failures, isDown }) => ({
    provider,
    isVerified,
    failures,
    isDown,
  }),
});

/** Finds the probe of a provider. */
export const probeKey = keyFor(probe, "chain", "provider");

const failed: Answer = { ok: false, errorClass: "timeout", detail: "no answer" };

const configOf = ({ state, provider }: ProbeArgs) =>
  state.config.providers.find(({ id }) => id === provider);

const isProbed = (state: ProbeArgs): boolean => configOf(state)?.probe !== false;

/** What is left of the provider's budget is not for users only. */
const isSpared = ({ state, provider }: ProbeArgs, ctx: Ctx): boolean =>
  state.budgets.of(provider)?.sparesBackground(ctx.now()) !== false;

/**
 * How often a silent chain is asked for its head: the block time within [2 s, 30 s]. The first polls
 * are quick, because a block time that nobody configured is only learned from heads.
 */
const pollIntervalMs = (state: ChainState, polls: number): number => {
  const { blockTimeMs } = state.config;
  if (blockTimeMs === undefined && polls < EAGER_POLLS) return LEAST_POLL_MS;
  const knownMs = blockTimeMs ?? state.head?.blockTimeMs ?? LEAST_POLL_MS;
  return Math.min(30_000, Math.max(LEAST_POLL_MS, knownMs));
};

const LEAST_POLL_MS = 2_000;
const EAGER_POLLS = 10;

/** HTTP where there is one: the WebSocket's own process watches the socket. */
const channelOf = (state: State): Transport => (configOf(state)?.url === undefined ? "ws" : "http");

const due = (state: State, timer: string, ctx: Ctx): State => {
  const { healthCheck } = state.state.config;
  switch (timer) {
    case "identify":
      if (channelOf(state) === "http") question(state, ctx, "identify", "http", "eth_chainId");
      return state;
    case "health":
      ctx.after(healthCheck.intervalMs, "health");
      if (isProbed(state) && isSpared(state, ctx)) {
        question(state, ctx, "health", channelOf(state), "eth_blockNumber");
      }
      return state;
    default:
      ctx.after(pollIntervalMs(state.state, state.polls), "poll");
      if (!isProbed(state) || !needsPoll(state) || !isSpared(state, ctx)) return state;
      askHead(state, ctx);
      return { ...state, polls: state.polls + 1 };
  }
};

/** Who follows the chain needs to know which block it is, not only how high. */
const askHead = (state: State, ctx: Ctx): void => {
  if (state.state.isWatched) askBlock(state, ctx);
  else question(state, ctx, "poll", channelOf(state), "eth_blockNumber");
};

const askBlock = (state: State, ctx: Ctx): void =>
  question(state, ctx, "poll", channelOf(state), "eth_getBlockByNumber", ["latest", false]);

/** A provider that pushes heads need not be polled. */
const needsPoll = ({ state, provider }: State): boolean => {
  const config = state.config.providers.find(({ id }) => id === provider);
  const rows = state.rows(provider);
  const isPushed =
    config?.subscribeNewHeads === true &&
    config.shadow === undefined &&
    state.upstream(rows.ws) !== undefined &&
    rows.ws.head >= 0;
  return !isPushed;
};

const question = (
  { state, provider }: State,
  ctx: Ctx,
  key: string,
  transport: Transport,
  method: string,
  params: readonly unknown[] = [],
): void => {
  const upstream = state.upstream(state.rows(provider)[transport]);
  if (upstream !== undefined) state.budgets.of(provider)?.charge(method, ctx.now());
  const { timeoutMs } = state.config.healthCheck;
  const rules = state.errorRules(provider);
  ctx.task(
    key,
    (signal) =>
      new Promise<Finding>((resolve) => {
        if (upstream === undefined) {
          const answer: Answer = { ok: false, errorClass: "transport", detail: "not connected" };
          resolve({ transport, answer });
          return;
        }
        const giveUp = ask(upstream, method, params, rules, (answer) =>
          resolve({ transport, answer }),
        );
        signal.addEventListener("abort", giveUp, { once: true });
      }),
    { timeoutMs },
  );
};

const found = (state: State, key: string, { transport, answer }: Finding, ctx: Ctx): State => {
  if (key === "identify") return identified(state, answer, ctx);
  const { state: chain, provider } = state;
  const block = answer.ok ? asBlock(answer.result) : undefined;
  const number = answer.ok ? quantity(block?.number ?? answer.result) : undefined;
  if (number !== undefined) {
    const polled = { provider, number, block, atMs: ctx.now() };
    ctx.via(headTrackerKey(chain.name)).cast.polled(polled);
  }
  if (key.startsWith("permit:")) {
    settle(state, Number(key.slice("permit:".length)), transport, answer, ctx);
    return state;
  }
  if (key.startsWith("warm:")) return state;
  if (key.startsWith("recheck:")) {
    if (answer.ok || failureOf(answer.errorClass) === undefined) readmit(state, transport, ctx);
    return state;
  }
  return assessed(state, transport, answer, ctx);
};

const asBlock = (result: unknown): { readonly number?: unknown } | undefined =>
  typeof result === "object" && result !== null ? result : undefined;

/** The endpoint answers again: selection may have it back. */
const readmit = ({ state, provider }: State, transport: Transport, ctx: Ctx): void => {
  state.rows(provider)[transport].suspect = false;
  const fields = { chain: state.name, provider, transport };
  ctx.emit("provider.health_change", { ...fields, oldStatus: "suspect", newStatus: "up" });
};

/** Tells a half-open breaker how its trial went. */
const settle = (
  { state, provider }: State,
  token: number,
  transport: Transport,
  answer: Answer,
  ctx: Ctx,
): void => {
  const verdict = verdictOf(token, answer);
  const result = verdict.failure ?? "ok";
  ctx.emit("circuit_breaker.probe", { chain: state.name, provider, transport, result });
  ctx.via(circuitBreakerKey(state.name, provider, transport)).cast.probed(verdict);
};

const identified = (state: State, answer: Answer, ctx: Ctx): State => {
  const { state: chain, provider } = state;
  const seen = answer.ok ? quantity(answer.result) : undefined;
  const pool = ctx.via(providerPoolKey(chain.name));
  const answered = { ...state, isRecheckDue: false };
  if (seen === undefined) {
    if (!answer.ok) pool.cast.unverified({ provider, transport: "http", reason: answer.detail });
    const misses = state.misses + 1;
    ctx.after(Math.min(maxRetryMs, firstRetryMs * 2 ** Math.min(misses, 6)), "identify");
    return { ...answered, misses };
  }
  if (seen !== chain.chainId) {
    pool.cast.wrongChain({ provider, transport: "http", seen });
    ctx.after(chain.config.healthCheck.intervalMs, "identify");
    return { ...answered, isVerified: false };
  }
  pool.cast.verified({ provider, transport: "http" });
  if (!state.isVerified) ctx.after(0, "poll");
  return { ...answered, isVerified: true, misses: 0 };
};

/** Health by the probe alone: `failureThreshold` failures in a row are down, `recoveryThreshold` successes up. */
const assessed = (state: State, transport: Transport, answer: Answer, ctx: Ctx): State => {
  const { failureThreshold, recoveryThreshold } = state.state.config.healthCheck;
  const isAlive = answer.ok || failureOf(answer.errorClass) === undefined;
  const failures = isAlive ? 0 : state.failures + 1;
  const successes = isAlive ? state.successes + 1 : 0;
  const isDown = state.isDown ? successes < recoveryThreshold : failures >= failureThreshold;
  const { provider } = state;
  const chain = state.state.name;
  if (!answer.ok && !isAlive) {
    const row = state.state.rows(provider)[transport];
    row.dirty = true;
    const { generation } = row;
    const { errorClass, detail } = answer;
    ctx.via(circuitBreakerKey(chain, provider, transport)).cast.outcome({
      row,
      generation,
      method: "eth_blockNumber",
      errorClass,
      durationMs: 0,
      detail,
    });
  }
  if (isDown !== state.isDown) {
    const [oldStatus, newStatus] = isDown ? ["up", "down"] : ["down", "up"];
    const consecutiveFailures = failures;
    if (!isDown && configOf(state)?.wsUrl !== undefined) {
      ctx.via(wsConnectionKey(chain, provider)).cast.resume();
    }
    ctx.emit("provider.health_change", {
      chain,
      provider,
      oldStatus,
      newStatus,
      consecutiveFailures,
    });
  }
  return { ...state, failures, successes, isDown };
};
