/** Snapshots made by hand for tests of selection. */
import type { EndpointRow } from "../../../src/rpc/chain-view.ts";
import type {
  CallSummary,
  EndpointView,
  RaceSummary,
  RoutingSnapshot,
  SelectionMemory,
  SelectionRules,
} from "../../../src/rpc/selection/snapshot.ts";
import { createSelectionMemory } from "../../../src/rpc/selection/sticky.ts";
import { rowOf } from "../rows.ts";

/** Call evidence of a healthy, well-known endpoint. */
export const callOf = (overrides: Partial<CallSummary> = {}): CallSummary => ({
  n: 100,
  reliabilityLb: 0.98,
  failureRatio: 0,
  timeoutRatio: 0,
  samples: 100,
  meanMs: overrides.p50Ms ?? 50,
  p50Ms: 50,
  q95Ms: 90,
  q99Ms: 120,
  answeredQ99Ms: 120,
  ...overrides,
});

/** A race record. */
export const raceOf = (paceScore: number | undefined, raceScore = 0): RaceSummary => ({
  raceScore,
  paceScore,
  wins: 0,
  races: 0,
  winRate: 0,
  missRate: 0,
  avgMarginMs: 0,
});

/** What a test says of a provider; everything else is healthy and ordinary. */
export interface Told extends Partial<Omit<EndpointView, "calls" | "transports" | "race">> {
  readonly http?: Partial<EndpointRow> | false;
  readonly ws?: Partial<EndpointRow>;
  readonly call?: Partial<CallSummary> | false;
  readonly pace?: number;
  readonly raceScore?: number;
  readonly price?: number;
}

/** A view of provider `id`. */
export const viewOf = (id: string, index: number, told: Told = {}): EndpointView => {
  const { http, ws, call, pace, raceScore, price, ...rest } = told;
  const summary = call === false ? undefined : callOf(call);
  return {
    provider: id,
    vendor: id,
    region: undefined,
    tags: [],
    transports: {
      ...(http === false ? {} : { http: rowOf(id, index, http) }),
      ...(ws === undefined ? {} : { ws: rowOf(id, index, { ...ws, transport: "ws" }) }),
    },
    priority: 100,
    role: "primary",
    weight: 1,
    type: "paid",
    cost: { pricePerMillionUnits: price ?? 0, defaultUnits: 1, unitsByMethod: {} },
    archival: false,
    mayProbe: true,
    maxBlockRange: undefined,
    unsupported: new Set<string>(),
    head: 100,
    lag: 0,
    calls: { get: () => summary },
    race: raceOf(pace, raceScore),
    ...rest,
  };
};

/** Rules with the reference's defaults. */
export const rulesOf = (overrides: Partial<SelectionRules> = {}): SelectionRules => ({
  strategy: "leaderboard",
  maxLagBlocks: 3,
  archivalThreshold: 128,
  minHealthy: 1,
  formula: "pace",
  weights: { race: 0.4, reliability: 0.3, latency: 0.2, freshness: 0.1 },
  stickyHysteresis: 0.3,
  stickyMinIntervalMs: 30_000,
  costBias: 0.3,
  ...overrides,
});

/** A snapshot of these providers, in this order. */
export const snapshotOf = (
  providers: Readonly<Record<string, Told>>,
  options: {
    readonly rules?: Partial<SelectionRules>;
    readonly memory?: SelectionMemory;
    readonly builtAtMs?: number;
    readonly tip?: number;
  } = {},
): RoutingSnapshot => ({
  chain: "ethereum",
  version: 1,
  builtAtMs: options.builtAtMs ?? 100_000,
  tip: options.tip ?? 100,
  blockTimeMs: 12_000,
  rules: rulesOf(options.rules),
  endpoints: Object.entries(providers).map(([id, told], index) => viewOf(id, index, told)),
  cache: new Map(),
  memory: options.memory ?? createSelectionMemory(),
});
