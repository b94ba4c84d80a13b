/**
 * What the other regions are to one chain: who of them helps while its own providers cannot, and what
 * they say of its providers (docs/regions.md).
 *
 * Owns the ways to the regions that help, with a breaker and a cooldown each, and publishes both in the
 * chain's record, where requests and snapshots read them. Permanent, and there only where regions share;
 * a restart takes cells as it finds them, so an open breaker stays open.
 */
import type { BreakerConfig } from "../../config/schema.ts";
import { defineActor, keyFor, type Ctx } from "../../src/otp/index.ts";
import { ask, type Answer } from "../../src/rpc/ask.ts";
import { Breaker, type BreakerEffect } from "../../src/rpc/breaker.ts";
import { tellBreaker } from "../../src/rpc/breaker-news.ts";
import { rulesFor } from "../../src/rpc/breaker-rules.ts";
import type { ChainState } from "../../src/rpc/chain-state.ts";
import type { AttemptOutcome } from "../../src/rpc/chain-view.ts";
import { helperCandidate, helperId, isForsaken } from "../../src/rpc/help/helping-regions.ts";
import {
  type HelperUpstream,
  type Neighbour,
  type NeighboursPort,
  QUESTION_MS,
} from "../../src/rpc/help/ports.ts";
import { type Turn, waysWanted } from "../../src/rpc/help/turns.ts";
import { Way } from "../../src/rpc/help/way.ts";
import { quantity } from "../../src/rpc/json-rpc/quantity.ts";
import { verdictOf } from "../../src/rpc/probe-verdict.ts";
import type { Upstream } from "../../src/rpc/proxy/ports.ts";
import { priorsOf } from "../../src/rpc/selection/prior.ts";
import { headTrackerKey } from "./head-tracker.ts";

/** What the process joins. */
export interface NeighboursArgs {
  readonly state: ChainState;
  readonly port: NeighboursPort;
}

interface State extends NeighboursArgs {
  /** By region, nearest first, the one whose turn it is last. */
  ways: ReadonlyMap<string, Way>;
  /** Which of the farther regions has a way for a while. */
  turn: Turn | undefined;
  /** Of all their breakers. */
  figures: BreakerConfig;
  /** Since when no provider may be asked. */
  forsakenAtMs: number | undefined;
  /** Who was told of as helping; empty: that nobody does. */
  told: string | undefined;
  polledAtMs: number;
  priorsAtMs: number;
}

/** How often the others are looked at: as often as their heartbeats tell of them. */
const TICK_MS = 1_000;
/** A chain that is forsaken for a moment, as at its start, is not told of. */
const HOLD_MS = 2_000;
/** Time between two measurements of a round trip. */
const MEASURE_MS = 30_000;
/** Least time between two questions for the head of a chain that is being helped. */
const LEAST_POLL_MS = 2_000;
const PRIORS_MS = 2_000;
const NEVER = Number.NEGATIVE_INFINITY;

/** The neighbours of one chain. */
export const neighbours = defineActor({
  name: "rpc/neighbours",
  init: (args: NeighboursArgs, ctx): State => {
    ctx.every(TICK_MS, "tick");
    const state: State = {
      ...args,
      ways: new Map(),
      turn: undefined,
      figures: args.state.config.breaker,
      forsakenAtMs: undefined,
      told: undefined,
      polledAtMs: NEVER,
      priorsAtMs: NEVER,
    };
    look(state, ctx);
    return state;
  },
  casts: {
    /** An attempt at a region ended. */
    outcome: (state, outcome: AttemptOutcome, ctx) => {
      const way = state.ways.get(outcome.row.region ?? "");
      if (way === undefined) return state;
      perform(state, way, way.outcome(outcome, momentOf(ctx)), ctx);
      return state;
    },
  },
  on: (state, info, ctx) => {
    if (info.type === "timer") look(state, ctx);
    else if (info.type === "task") {
      const answer = info.result.ok ? (info.result.value as Answer) : NO_ANSWER;
      answered(state, info.key, answer, ctx);
    }
    return state;
  },
  formatState: ({ state, ways, forsakenAtMs, told }) => ({
    chain: state.name,
    isForsaken: forsakenAtMs !== undefined,
    helpedBy: told,
    priors: state.priors?.size ?? 0,
    helpers: [...ways.values()].map(({ region, url, row, breaker }) => ({
      region,
      url,
      inFlight: row.inFlight,
      ...breaker.report(),
    })),
  }),
});

/** Finds the neighbours of a chain. */
export const neighboursKey = keyFor(neighbours, "chain");

const NO_ANSWER: Answer = { ok: false, errorClass: "timeout", detail: "no answer" };

const look = (state: State, ctx: Ctx): void => {
  const nowMs = ctx.now();
  followRules(state);
  keepWays(state, ctx);
  for (const way of state.ways.values()) {
    const due = way.breaker.nextAtMs <= nowMs;
    if (due) perform(state, way, way.breaker.tick(nowMs, ctx.random()), ctx);
    measure(state, way, ctx);
  }
  lookAfter(state, ctx);
  if (nowMs - state.priorsAtMs < PRIORS_MS) return;
  state.priorsAtMs = nowMs;
  const { state: chain, port } = state;
  const isAsked = chain.config.leaderboard.prior === "regions";
  chain.priors = isAsked ? priorsOf(port.rows(chain.name)) : undefined;
};

/** A reload brings other figures. */
const followRules = (state: State): void => {
  const { breaker: figures } = state.state.config;
  if (figures === state.figures) return;
  state.figures = figures;
  for (const { breaker } of state.ways.values()) breaker.setRules(rulesFor(figures, QUESTION_MS));
};

/** Opens and closes ways until there is one to each region that shall have one. */
const keepWays = (state: State, ctx: Ctx): void => {
  const { state: chain, port } = state;
  const helpers = chain.config.help ? port.helpers(chain.name) : [];
  const wanted = waysWanted(helpers, state.turn, ctx.now(), ctx.random());
  state.turn = wanted.turn;
  const ways = new Map(
    wanted.ways.map((neighbour) => [neighbour.region, wayTo(state, neighbour, ctx)] as const),
  );
  // Those of an incarnation before this one are known by the record alone.
  const known = [
    ...state.ways.keys(),
    ...(chain.helpers?.candidates ?? []).map(({ row }) => row.region ?? ""),
  ];
  for (const region of known) if (!ways.has(region)) chain.dismiss(helperId(region));
  state.ways = ways;
  chain.helpers = chain.config.help
    ? {
        candidates: [...ways.values()].map(({ row }) => helperCandidate(row)),
        maxInFlight: port.maxInFlight,
      }
    : undefined;
};

const wayTo = (state: State, neighbour: Neighbour, ctx: Ctx): Way => {
  const { region } = neighbour;
  const { state: chain, port } = state;
  const known = state.ways.get(region);
  if (known?.url === neighbour.url) return known;
  const row = chain.rows(helperId(region)).http;
  const before: (Upstream & Partial<HelperUpstream>) | undefined = chain.upstream(row);
  chain.attach(row, port.open(chain, neighbour));
  before?.close?.();
  row.isUsable = true;
  row.unusableReason = undefined;
  const rules = rulesFor(state.figures, QUESTION_MS);
  return new Way(neighbour, known?.breaker ?? new Breaker(row, rules, ctx.now()));
};

/** Tells when the chain depends on others, and follows its head by them meanwhile. */
const lookAfter = (state: State, ctx: Ctx): void => {
  const { state: chain, ways } = state;
  const nowMs = ctx.now();
  const isAlone = chain.config.help && isForsaken(chain.snapshot, nowMs);
  if (!isAlone) {
    if (state.told !== undefined && state.forsakenAtMs !== undefined) {
      const durationMs = Math.round(nowMs - state.forsakenAtMs);
      ctx.emit("cluster.help.ended", { chain: chain.name, durationMs });
    }
    state.forsakenAtMs = undefined;
    state.told = undefined;
    return;
  }
  state.forsakenAtMs ??= nowMs;
  const helper = [...ways.values()].find(({ row }) => row.state === "closed");
  if (helper !== undefined) pollHead(state, helper, ctx);
  const told = helper?.region ?? "";
  if (nowMs - state.forsakenAtMs < HOLD_MS || told === state.told) return;
  state.told = told;
  if (helper === undefined) ctx.emit("cluster.help.missing", { chain: chain.name });
  else ctx.emit("cluster.help.started", { chain: chain.name, remote: told });
};

/** Who serves `latest` from here must not stand still because all of our own providers do. */
const pollHead = (state: State, way: Way, ctx: Ctx): void => {
  const blockTimeMs = state.state.head?.blockTimeMs ?? LEAST_POLL_MS;
  if (ctx.now() - state.polledAtMs < Math.max(LEAST_POLL_MS, blockTimeMs)) return;
  state.polledAtMs = ctx.now();
  question(state, way, `head:${way.region}`, "eth_blockNumber", ctx);
};

/** A question that the region answers by itself shows how far it is, and keeps a connection open. */
const measure = (state: State, way: Way, ctx: Ctx): void => {
  const nowMs = ctx.now();
  if (way.row.state !== "closed" || nowMs - way.measuredAtMs < MEASURE_MS) return;
  way.measuredAtMs = nowMs;
  question(state, way, `measure:${way.region}`, "web3_clientVersion", ctx);
};

const question = ({ state }: State, { row }: Way, key: string, method: string, ctx: Ctx): void => {
  const upstream = state.upstream(row);
  if (upstream === undefined) return;
  const put = (signal: AbortSignal): Promise<Answer> =>
    new Promise((resolve) => {
      const giveUp = ask(upstream, method, [], [], resolve);
      signal.addEventListener("abort", giveUp, { once: true });
    });
  ctx.task(key, put, { timeoutMs: QUESTION_MS });
};

const answered = (state: State, key: string, answer: Answer, ctx: Ctx): void => {
  const [what = "", ...rest] = key.split(":");
  const permit = what === "permit" ? Number(rest.shift()) : 0;
  const way = state.ways.get(rest.join(":"));
  if (way === undefined) return;
  const { state: chain, port } = state;
  const nowMs = ctx.now();
  if (what === "permit") settle(state, way, permit, answer, ctx);
  else if (what === "head" && answer.ok) {
    const number = quantity(answer.result);
    const provider = way.row.provider;
    if (number !== undefined) {
      const polled = { provider, number, block: undefined, atMs: nowMs };
      ctx.via(headTrackerKey(chain.name)).cast.polled(polled);
    }
  } else if (what === "measure" && answer.ok) {
    if (way.isWarm) port.measured(way.region, nowMs - way.measuredAtMs);
    else {
      way.isWarm = true;
      way.measuredAtMs = NEVER;
      measure(state, way, ctx);
    }
  }
};

const settle = (state: State, way: Way, token: number, answer: Answer, ctx: Ctx): void => {
  const { provider, transport } = way.row;
  const verdict = verdictOf(token, answer);
  const result = verdict.failure ?? "ok";
  ctx.emit("circuit_breaker.probe", { chain: state.state.name, provider, transport, result });
  perform(state, way, way.probed(verdict, momentOf(ctx)), ctx);
};

const momentOf = (ctx: Ctx) => ({ nowMs: ctx.now(), random: ctx.random() });

const perform = (state: State, way: Way, effects: readonly BreakerEffect[], ctx: Ctx): void => {
  const { provider, transport } = way.row;
  for (const effect of effects) {
    if (effect.type === "askProbe") {
      question(state, way, `permit:${effect.token}:${way.region}`, "eth_blockNumber", ctx);
    } else if (effect.from !== effect.to) {
      tellBreaker(ctx, { chain: state.state.name, provider, transport }, way.breaker, effect);
    }
  }
};
