/** A program of cardboard behind the admin commands, for their tests. */
import { CLUSTER } from "./cluster-support.ts";
import { bookOf } from "./evidence-support.ts";
import { busyGateway } from "./requests-support.ts";
import { dumpConfig } from "../../config/dump.ts";
import { loadConfig } from "../../config/load.ts";
import type {
  AdminDeps,
  BreakerOrder,
  NodeInspector,
  TreeNode,
} from "../../src/ops/admin/ports.ts";
import { ReportBook, type ReportedEvent } from "../../src/ops/admin/reports.ts";
import { reasonText, reportText } from "../../src/otp/index.ts";
import type { CallerView, ChainView, EndpointStatus } from "../../src/ops/views.ts";

const row = (more: Partial<EndpointStatus> = {}): EndpointStatus => ({
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

const worker = (name: string, pid: string | null, more: Partial<TreeNode> = {}): TreeNode => ({
  name,
  pid,
  kind: "worker",
  status: pid === null ? "restarting" : "running",
  restarts: { count: 0, intensity: 5, period_ms: 30_000 },
  children: [],
  ...more,
});

/** One key that is near its limits. */
const CALLERS: readonly CallerView[] = [
  {
    id: "dapp",
    calls: 12,
    units: 240,
    inFlight: 1,
    refused: { rate: 3, quota: 0, concurrent: 0, denied: 0, held: 0 },
    rate: { perSec: 10, left: 0.5 },
    unitRate: undefined,
    day: { used: 240, units: 1_000, per: "day", endsAtMs: 1_800_000_000_000 },
    month: undefined,
  },
];

/** A small tree. */
export const TREE: TreeNode = {
  name: "application",
  pid: "#1",
  kind: "supervisor",
  status: "running",
  strategy: "one_for_one",
  restarts: { count: 1, intensity: 3, period_ms: 60_000 },
  children: [
    {
      ...worker("chains", "#2"),
      kind: "supervisor",
      strategy: "one_for_one",
      children: [
        worker("rpc/chain/alpha/head-tracker", "#3", {
          restarts: { count: 2, intensity: 5, period_ms: 30_000 },
          last_exit: "killed",
        }),
        worker("rpc/chain/alpha/provider-pool", null),
      ],
    },
  ],
};

const CHAIN: ChainView = {
  answers: {
    hits: 30,
    misses: 10,
    stores: 27,
    coalesced: 4,
    entries: 20,
    bytes: 1_048_576,
    removed: { full: 5, group: 2 },
  },
  name: "alpha",
  chainId: 31_001,
  aliases: ["first"],
  strategy: "leaderboard",
  tip: 100,
  blockTimeMs: 1_000,
  maxLagBlocks: 3,
  restarts: 0,
  skipped: [{ id: "left", reason: "variable KEY is not set" }],
  providers: [
    {
      id: "hare",
      role: "primary",
      type: "paid",
      priority: 1,
      http: row(),
      ws: row({ state: "open", openUntilMs: 5_000 }),
      head: 100,
      lag: 0,
      rank: 1,
      score: 0.9,
      race: {
        raceScore: 1,
        paceScore: 0.84,
        wins: 10,
        races: 10,
        winRate: 1,
        missRate: 0,
        avgMarginMs: 0,
      },
      capabilities: [
        { kind: "method", method: "trace_block", limit: 0, untilMs: 600_000 },
        { kind: "range", method: "eth_getLogs", limit: 2_000, untilMs: 600_000 },
        { kind: "state", limit: 17_000_000, untilMs: 600_000 },
        { kind: "results", method: "eth_getLogs", limit: 10_000, untilMs: 600_000 },
      ],
      budget: {
        rate: { perSec: 50, left: 0.25 },
        quota: { used: 950, units: 1_000, per: "month", endsAtMs: 1_800_000_000_000 },
      },
      restarts: 0,
    },
    {
      id: "tortoise",
      role: "backup",
      type: "public",
      priority: 9,
      http: row({ cooldownUntilMs: 2_500, inFlight: 2 }),
      head: 96,
      lag: 4,
      restarts: 1,
    },
  ],
};

const SOURCE = `
chains:
  alpha:
    chain_id: 31001
    providers: [{ id: hare, url: "https://hare.example/CANARY" }]
`;

/** What the program was told to do, and what it answers. */
export interface Cardboard {
  readonly deps: AdminDeps;
  readonly orders: BreakerOrder[];
  readonly exits: (readonly [string, string])[];
  drains: number;
  /** What was done to processes. */
  readonly touched: string[];
  mayReplaceState: boolean;
  /** Traces that were stopped before their end. */
  stopped: number;
  /** Messages for whoever traces, and the ends of traces. */
  readonly traces: {
    readonly sink: (row: object) => void;
    readonly end: (reason: string) => void;
  }[];
  /** Emits an event to every feed. */
  emit(name: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Writes one report into the book. */
  report(event: Partial<ReportedEvent>): void;
  feeds: number;
  isDraining: boolean;
  isPairingWhole: boolean | undefined;
  chains: readonly ChainView[];
  reload: AdminDeps["reload"];
  tree: () => TreeNode | undefined;
}

/** The sys side of the cardboard's one process. */
function sysOf(of: () => Cardboard): Omit<NodeInspector, "tree" | "processes" | "info" | "exit"> {
  const touch = async (what: string): Promise<void> => void of().touched.push(what);
  return {
    mailbox: (target, limit = 20) =>
      target === "#3"
        ? [
            { kind: "cast", type: "tick", arg: { n: 1 } },
            { kind: "call", type: "get", from: "#4", arg: 2 },
          ].slice(0, limit)
        : undefined,
    getStatus: async (target) => {
      if (target === "#3") return { status: "running", state: { tip: 101 } };
      const code = target === "#5" ? "OTP_TIMEOUT" : "OTP_NO_PROCESS";
      throw Object.assign(new Error("no answer"), { code });
    },
    suspend: (target, { forMs }) => touch(`suspend ${target} ${forMs}`),
    resume: (target) => touch(`resume ${target}`),
    replaceState: (target, replace) => touch(`state ${target} ${JSON.stringify(replace(0))}`),
    statistics: async (target, flag) => {
      await touch(`statistics ${target} ${flag}`);
      return flag === "off" ? undefined : { turns: 3, messagesIn: 2, messagesOut: 1 };
    },
    restart: async (target, { forgive }) => {
      await touch(`restart ${target} ${forgive}`);
      return { ok: true, from: target, pid: "#9" };
    },
    trace: (order, sink) => {
      let traced = 0;
      let end: (reason: string) => void = () => {};
      const ended = new Promise<string>((resolve) => {
        end = resolve;
      });
      of().touched.push(`trace ${JSON.stringify(order)}`);
      const count = (row: object): void => {
        traced += 1;
        sink(row);
      };
      of().traces.push({ sink: count, end });
      return {
        ended,
        stop: () => {
          of().stopped += 1;
          end("stopped");
        },
        get traced() {
          return traced;
        },
      };
    },
    names: (prefix) =>
      [{ name: "rpc/chain/alpha/head-tracker", pid: "#3" }].filter(({ name }) =>
        name.startsWith(prefix),
      ),
    tables: () => [{ name: "rpc/chains", rows: 2, owner: "#3" }],
    counters: () => ({ processes: 3, turns: 99 }),
    dump: () => ({ processes: [{ pid: "#3" }], omitted: 0 }),
  };
}

/** A book of reports on a clock that stands at 60 s, one minute after 1970 began. */
export const bookAt = (nowMs = (): number => 60_000): ReportBook =>
  new ReportBook({
    nowMs,
    wallNowMs: nowMs,
    redact: (text) => text.replaceAll("CANARY", "***"),
    reportText,
    reasonText,
  });

/** A fresh program. */
export function cardboard(): Cardboard {
  const sinks = new Set<(event: string, fields: Readonly<Record<string, unknown>>) => void>();
  const loaded = loadConfig({ file: "p.yaml", text: SOURCE, env: {}, readFile: () => "" });
  if (!loaded.ok) throw new Error("the cardboard's configuration must load");
  const book = bookAt();
  const made: Cardboard = {
    orders: [],
    exits: [],
    drains: 0,
    touched: [],
    mayReplaceState: true,
    stopped: 0,
    traces: [],
    isDraining: false,
    isPairingWhole: undefined,
    chains: [CHAIN],
    get feeds() {
      return sinks.size;
    },
    emit: (name, fields = {}) => {
      for (const sink of sinks) sink(name, fields);
    },
    report: (event) =>
      book.take({ seq: 1, atMs: 60_000, name: "otp.crash", process: "a/b", fields: {}, ...event }),
    tree: () => TREE,
    reload: async () => ({
      ok: true,
      plan: { steps: [{ action: "patch", chain: "alpha", keys: ["strategy"] }], needsHost: [] },
    }),
    deps: {
      host: () => ({
        version: "1.2.3",
        region: "test",
        pid: 42,
        isDraining: made.isDraining,
        isPairingWhole: made.isPairingWhole,
      }),
      callers: () => CALLERS,
      inspector: {
        tree: () => made.tree(),
        processes: () =>
          ["rpc/chain/alpha/head-tracker", "rpc/chain/alpha/provider-pool", "ops/config-store"].map(
            (name, at) => ({
              pid: `#${at + 3}`,
              name,
              kind: "worker",
              status: "running",
              mailbox: at === 1 ? 7 : 0,
              dropped: 0,
              turns: 10 * at,
              handlerMs: at,
              restarts: at === 0 ? 2 : 0,
              lastExit: at === 0 ? "killed" : undefined,
              handler: "tick",
            }),
          ),
        info: (target) =>
          ["#1", "#3", "#5"].includes(target)
            ? {
                pid: target,
                name: target === "#1" ? "application" : "rpc/chain/alpha/head-tracker",
                kind: target === "#1" ? "supervisor" : "worker",
                mailbox: 2,
                state: { tip: 100 },
              }
            : undefined,
        exit: (target, reason) => {
          if (!["#3", "rpc/chain/alpha/head-tracker"].includes(target)) return false;
          made.exits.push([target, reason]);
          return true;
        },
        ...sysOf(() => made),
      },
      chains: () => made.chains,
      now: () => 1_000,
      wallNow: () => 1_767_225_601_000,
      evidence: () => bookOf("hare", "tortoise", 900),
      pairing: async ({ path }) => ({
        status: 200,
        body: { success: true, data: path === "/api/v1/markets" ? MARKETS : PAIRED },
      }),
      cluster: CLUSTER,
      forceBreaker: (order) => {
        made.orders.push(order);
        return order.provider !== "gone";
      },
      reload: () => made.reload(),
      plan: async () => ({ ok: true, plan: { steps: [], needsHost: [] } }),
      config: () => dumpConfig(loaded.source),
      child: async (order) => {
        made.touched.push(`${order.action} ${order.supervisor} ${order.id}`);
        return order.supervisor === "chains" ? { ok: true } : undefined;
      },
      mayReplaceState: () => made.mayReplaceState,
      saveDump: (text) => {
        made.touched.push(`dump ${text.length}`);
        return "/run/dump.json";
      },
      drain: () => {
        made.drains++;
      },
      reports: book,
      requests: busyGateway().explainer,
      events: {
        attach: (sink) => {
          sinks.add(sink);
          return () => void sinks.delete(sink);
        },
      },
    },
  };
  return made;
}

const MARKETS = { markets: [{ market: "lava", providers: 1, version: 1 }] };
const PAIRED = {
  providers: [{ address: "one", score: 0.5, stake: 7, location: "US", components: { stake: 0.5 } }],
  filtered: 1,
  ranked: 1,
  version: 1,
  cache: "miss",
  processingTimeUs: 3,
};
