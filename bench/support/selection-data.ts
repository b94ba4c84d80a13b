/** Providers with evidence, and routing snapshots of them, for benches of selection. */
import type { EvidenceBook } from "../../src/rpc/evidence/evidence-book.ts";
import type { EndpointView, RoutingSnapshot } from "../../src/rpc/selection/snapshot.ts";
import { createSelectionMemory } from "../../src/rpc/selection/sticky.ts";
import { rowOf } from "../../test/rpc/rows.ts";
import { rulesOf } from "../../test/rpc/selection/world.ts";

const CALLS = 40;

/** A healthy provider; 40 calls of these methods are its evidence. */
export const viewOf = (
  index: number,
  evidence: EvidenceBook,
  methods: readonly string[],
): EndpointView => {
  const provider = `provider-${index}`;
  for (let i = 0; i < CALLS; i++) {
    const method = methods[i % methods.length] ?? "eth_call";
    evidence.recordCall(provider, "http", method, "ok", 20 + ((index * 7) % 90), 1_000);
  }
  return {
    provider,
    vendor: provider,
    region: undefined,
    tags: [],
    transports: { http: rowOf(provider, index) },
    priority: 100,
    role: "primary",
    weight: 1,
    type: "paid",
    cost: { pricePerMillionUnits: index, defaultUnits: 1, unitsByMethod: {} },
    archival: false,
    mayProbe: true,
    maxBlockRange: undefined,
    unsupported: new Set(),
    head: 100,
    lag: 0,
    calls: evidence.callsOf(provider, 1_000),
    race: evidence.raceSummary(provider, 1_000),
  };
};

/** A snapshot of these providers, with nothing ranked yet. */
export const snapshotOf = (endpoints: readonly EndpointView[], version = 1): RoutingSnapshot => ({
  chain: "ethereum",
  version,
  builtAtMs: 1_000,
  tip: 100,
  blockTimeMs: 12_000,
  rules: rulesOf(),
  endpoints,
  cache: new Map(),
  memory: createSelectionMemory(),
});
