/**
 * One endpoint's circuit breaker: feeds outcomes and time to the machine, keeps the admission cell.
 *
 * Owns the machine and one timer. Permanent; a restart takes the cell as it finds it, so an open
 * breaker stays open and only the running count of failures is lost.
 */
import { defineActor, keyFor, reply, type Ctx } from "../../src/otp/index.ts";
import { Breaker, breakerEvent, type BreakerEffect } from "../../src/rpc/breaker.ts";
import { tellBreaker } from "../../src/rpc/breaker-news.ts";
import { type BreakerRules, rulesFor } from "../../src/rpc/breaker-rules.ts";
import type { ChainState } from "../../src/rpc/chain-state.ts";
import type { AttemptOutcome } from "../../src/rpc/chain-view.ts";
import type { ProviderId, Transport } from "../../src/rpc/ids.ts";
import { type ProbeVerdict, verdictEvent } from "../../src/rpc/probe-verdict.ts";
import { probeKey } from "./probe.ts";
import { providerPoolKey } from "./provider-pool.ts";

/** Which endpoint the breaker guards. */
export interface CircuitBreakerArgs {
  readonly state: ChainState;
  readonly provider: ProviderId;
  readonly transport: Transport;
}

/** An operator's order. */
export interface ForceOrder {
  readonly action: "open" | "close" | "reset";
  /** Ends by itself after this time, ms; without it only another order ends it. */
  readonly forMs?: number | undefined;
}

interface State extends CircuitBreakerArgs {
  readonly breaker: Breaker;
}

/** The circuit breaker of one provider x transport. */
export const circuitBreaker = defineActor({
  name: "rpc/circuit-breaker",
  init: (args: CircuitBreakerArgs, ctx): State => {
    const row = args.state.rows(args.provider)[args.transport];
    const state = { ...args, breaker: new Breaker(row, rulesOf(args), ctx.now()) };
    arm(state, ctx);
    return state;
  },
  calls: {
    report: (state, _arg: undefined) => reply(state, state.breaker.report()),
    force: (state, order: ForceOrder, ctx) => {
      const nowMs = ctx.now();
      const untilMs = order.forMs === undefined ? undefined : nowMs + order.forMs;
      const { provider, transport } = state;
      const chain = state.state.name;
      ctx.emit("circuit_breaker.forced", { chain, provider, transport, to: order.action });
      perform(
        state,
        order.action === "reset"
          ? state.breaker.feed({ type: "force.reset", nowMs })
          : state.breaker.feed({ type: `force.${order.action}`, nowMs, untilMs }),
        ctx,
      );
      return reply(state, state.breaker.report());
    },
  },
  casts: {
    outcome: (state, outcome: AttemptOutcome, ctx) =>
      perform(state, state.breaker.feed(breakerEvent(outcome, ctx.now(), ctx.random())), ctx),
    probed: (state, verdict: ProbeVerdict, ctx) =>
      perform(state, state.breaker.feed(verdictEvent(verdict, ctx.now(), ctx.random())), ctx),
    /** A recheck has seen the right chain id: the quarantine ends. */
    released: (state, _arg: undefined, ctx) =>
      perform(state, state.breaker.feed({ type: "force.reset", nowMs: ctx.now() }), ctx),
  },
  on: (state, info, ctx) => {
    if (info.type !== "timer") return state;
    return perform(state, state.breaker.tick(ctx.now(), ctx.random()), ctx);
  },
  formatState: ({ provider, transport, breaker }) => ({
    provider,
    transport,
    ...breaker.report(),
  }),
});

/** Finds the breaker of an endpoint. */
export const circuitBreakerKey = keyFor(circuitBreaker, "chain", "provider", "transport");

const rulesOf = ({ state, provider }: CircuitBreakerArgs): BreakerRules => {
  const { healthCheck, breaker: ofChain, providers } = state.config;
  const figures = providers.find(({ id }) => id === provider)?.breaker ?? ofChain;
  return rulesFor(figures, healthCheck.timeoutMs);
};

const perform = (state: State, effects: readonly BreakerEffect[], ctx: Ctx): State => {
  const { provider, transport, breaker } = state;
  const chain = state.state.name;
  for (const effect of effects) {
    if (effect.type === "askProbe") {
      ctx.via(probeKey(chain, provider)).cast.permit({ transport, token: effect.token });
      continue;
    }
    // The entry of the initial state and a repeated force are no change.
    if (effect.from === effect.to) continue;
    tellBreaker(ctx, { chain, provider, transport }, breaker, effect);
    ctx.via(providerPoolKey(chain)).cast.changed();
  }
  if (effects.length > 0 || breaker.row.dirty) arm(state, ctx);
  return state;
};

const arm = ({ breaker }: State, ctx: Ctx): void => {
  const { nextAtMs } = breaker;
  if (nextAtMs === Number.POSITIVE_INFINITY) ctx.cancel("due");
  else ctx.after(Math.max(0, nextAtMs - ctx.now()), "due");
};
