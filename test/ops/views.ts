/** Chains and hosts as the operator's pages see them, for tests. */
import type { ChainView, EndpointStatus, HostView, ProviderView } from "../../src/ops/views.ts";

export const endpoint = (more: Partial<EndpointStatus> = {}): EndpointStatus => ({
  state: "closed",
  openUntilMs: 0,
  forced: false,
  cooldownUntilMs: 0,
  suspect: false,
  isUsable: true,
  unusableReason: undefined,
  inFlight: 0,
  completed: 3,
  ...more,
});

export const provider = (id: string, more: Partial<ProviderView> = {}): ProviderView => ({
  id,
  role: "primary",
  type: "paid",
  priority: 1,
  http: endpoint(),
  ws: endpoint(),
  connection: { state: "connected" },
  head: 100,
  lag: 0,
  rank: 1,
  score: 0.9,
  race: {
    raceScore: 1,
    paceScore: 0.8,
    wins: 8,
    races: 10,
    winRate: 0.8,
    missRate: 0,
    avgMarginMs: 12.5,
  },
  calls: { n: 50, reliabilityLb: 0.95, failureRatio: 0.02, p50Ms: 21, q95Ms: 80 },
  restarts: 0,
  ...more,
});

export const chain = (name: string, more: Partial<ChainView> = {}): ChainView => ({
  name,
  chainId: 1,
  aliases: ["main"],
  strategy: "leaderboard",
  tip: 100,
  tipHash: "0xabc",
  tipAtMs: 9_000,
  blockTimeMs: 1_000,
  maxLagBlocks: 3,
  providers: [provider("p1"), provider("p2")],
  restarts: 0,
  ...more,
});

export const down: Partial<EndpointStatus> = { state: "open", openUntilMs: 15_000 };

export const host: HostView = {
  uptimeMs: 65_000,
  cpuUserMs: 1_500,
  cpuSystemMs: 250,
  rssBytes: 90 * 1_048_576,
  heapUsedBytes: 30 * 1_048_576,
  heapTotalBytes: 40 * 1_048_576,
  heapLimitBytes: 2_000 * 1_048_576,
  externalBytes: 1_000,
  loopLagP50Ms: 0.1,
  loopLagP99Ms: 2,
  loopLagMaxMs: 9,
  loopUtilization: 0.05,
  gc: [{ kind: "minor", count: 4, durationMs: 8 }],
  openFds: 30,
};

export const processes = {
  supervisors: 4,
  workers: 20,
  restarts: 1,
  mailboxMessages: 3,
  mailboxMaxMessages: 2,
};
