/**
 * Plays a course against the rule as it runs in production: calls and races go into an evidence book
 * as the request path writes them, and the forecast book looks once a second.
 */
import { CHAIN_DEFAULTS } from "../../../config/default.ts";
import type { PredictionConfig } from "../../../config/schema.ts";
import { seededRandom } from "../../../src/lib/random.ts";
import { EvidenceBook } from "../../../src/rpc/evidence/evidence-book.ts";
import type { Component } from "../../../src/rpc/prediction/foresee.ts";
import { ForecastBook, type ForecastSource } from "../../../src/rpc/prediction/forecast-book.ts";
import { trueTailMs, type Course, type Moment, type Scenario } from "./course.ts";

const { limits, ...figures } = CHAIN_DEFAULTS.prediction;

/** The defaults, as the configuration resolves them. */
export const prediction: PredictionConfig = {
  enabled: figures.enabled,
  horizonMs: 60_000,
  demoteAt: figures.demote_at,
  restoreAt: figures.restore_at,
  holdMs: 30_000,
  limits: {
    latencyMs: 500,
    errorRatio: limits.error_ratio,
    rateLimitedRatio: limits.rate_limited_ratio,
    missRatio: limits.miss_ratio,
    wsDrops: limits.ws_drops,
  },
};
const { max_lag_blocks: maxLagBlocks } = CHAIN_DEFAULTS.selection;
/** The plain threshold that the rule is compared with: share of failures over the last 10 s. */
const PLAIN_RATIO = 0.1;
const PLAIN_SEC = 10;
const PLAIN_CALLS = 10;
const PROVIDER = "p";
const START_MS = 1_000_000;
const EVENTS = ["newHeads", "logs"] as const;

/** One second of a played course. */
export interface Second {
  /** Of the rule, and whether it sets the provider back. */
  readonly probability: number;
  /** The signs behind it. */
  readonly components: readonly Component[];
  readonly isAlarmed: boolean;
  /** The plain threshold says so. */
  readonly isOverPlain: boolean;
  /** A limit is truly reached. */
  readonly hasBreached: boolean;
}

/** Plays a scenario with a seed. */
export const play = ({ draw }: Scenario, seed: number): { course: Course; seconds: Second[] } => {
  const course = draw(seededRandom(seed));
  return { course, seconds: playCourse(course, seededRandom(seed ^ 0x5eed)) };
};

const playCourse = (course: Course, random: () => number): Second[] => {
  const evidence = new EvidenceBook({ chain: "bench", maxRows: 10_000 });
  const forecasts = new ForecastBook();
  const world = new World(course, evidence);
  const usualTailMs = trueTailMs(course.at(Math.min(60, course.seconds)));
  const recent: { failed: number; calls: number }[] = [];
  const seconds: Second[] = [];
  for (let sec = 0; sec < course.seconds; sec++) {
    const nowMs = START_MS + (sec + 1) * 1_000;
    const moment = course.at(sec);
    recent.push(happen(moment, course.blockSec, sec, nowMs, evidence, random));
    if (recent.length > PLAIN_SEC) recent.shift();
    world.turn(moment);
    forecasts.look(world, nowMs);
    const { probability, isDemoted, components } = forecasts.of(PROVIDER) ?? {
      probability: 0,
      isDemoted: false,
      components: [],
    };
    const calls = recent.reduce((sum, one) => sum + one.calls, 0);
    const failed = recent.reduce((sum, one) => sum + one.failed, 0);
    seconds.push({
      probability,
      components,
      isAlarmed: isDemoted,
      isOverPlain: calls >= PLAIN_CALLS && failed / calls >= PLAIN_RATIO,
      hasBreached: hasBreached(moment, usualTailMs),
    });
  }
  return seconds;
};

/** The record of a chain with one provider, as far as the forecast reads it. */
class World implements ForecastSource {
  readonly config = {
    prediction,
    selection: { maxLagBlocks },
    providers: [{ id: PROVIDER }],
  };
  readonly evidence: EvidenceBook;
  snapshot: ForecastSource["snapshot"];
  readonly #row = { suspect: false } as ReturnType<ForecastSource["rows"]>["ws"];
  readonly #blockTimeMs: number;
  #socket: object | undefined = {};

  constructor({ blockSec }: Course, evidence: EvidenceBook) {
    this.evidence = evidence;
    this.#blockTimeMs = blockSec * 1_000;
  }

  turn({ lag, hasDropped, isDead }: Moment): void {
    const endpoints = [{ provider: PROVIDER, lag }];
    this.snapshot = { blockTimeMs: this.#blockTimeMs, endpoints };
    if (isDead) this.#socket = undefined;
    else if (hasDropped || this.#socket === undefined) this.#socket = {};
  }

  rows() {
    return { ws: this.#row };
  }

  upstream(): object | undefined {
    return this.#socket;
  }
}

/** Lets the calls and races of a second happen. */
const happen = (
  moment: Moment,
  blockSec: number,
  sec: number,
  nowMs: number,
  evidence: EvidenceBook,
  random: () => number,
): { failed: number; calls: number } => {
  const calls = Math.floor(moment.callsPerSec) + Number(random() < moment.callsPerSec % 1);
  let failed = 0;
  for (let n = 0; n < calls; n++) {
    const { method, medianMs } = methodOf(moment, random());
    const durationMs = medianMs * moment.slowdown * Math.exp(moment.spread * normal(random));
    const errorClass =
      moment.isDead || random() < moment.errorRatio
        ? "server"
        : random() < moment.limitedRatio
          ? "rate_limit"
          : "ok";
    if (errorClass !== "ok") failed++;
    const atMs = nowMs - 1_000 * (1 - n / calls);
    evidence.recordCall(PROVIDER, "http", method, errorClass, durationMs, atMs);
  }
  if (sec % blockSec !== 0) return { failed, calls };
  const races = EVENTS.map((event) => {
    const isMissed = moment.isDead || random() < moment.missRatio;
    return {
      event,
      key: String(sec),
      ageMs: 500,
      winner: "other",
      losers: isMissed ? [] : [{ provider: PROVIDER, marginMs: 20 }],
      missed: isMissed ? [PROVIDER] : [],
      neutral: [],
      absent: [],
      isCorroborated: true,
      isSuspicious: false,
    };
  });
  evidence.recordRaces(races, nowMs);
  return { failed, calls };
};

const methodOf = ({ methods }: Moment, draw: number) => {
  let rest = draw;
  for (const one of methods) {
    rest -= one.share;
    if (rest < 0) return one;
  }
  return methods[0] ?? { method: "eth_call", medianMs: 1 };
};

/** Standard normal (Box and Muller 1958). */
const normal = (random: () => number): number =>
  Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());

/** Whether a limit is truly reached, noise apart. */
const hasBreached = (moment: Moment, usualTailMs: number): boolean =>
  moment.isDead ||
  trueTailMs({ ...moment, slowdown: moment.slowdown }) >=
    Math.max(prediction.limits.latencyMs, 4 * usualTailMs) ||
  moment.errorRatio >= prediction.limits.errorRatio ||
  moment.limitedRatio >= prediction.limits.rateLimitedRatio ||
  moment.missRatio >= prediction.limits.missRatio ||
  moment.lag > maxLagBlocks;
