/** Looks at a world and writes down what the judges need, as plain data. */
import { chainTables } from "../../../actors/rpc/chain-registry.ts";
import { subscriptionTable } from "../../../actors/rpc/subscription-hub.ts";
import {
  aggregationRow,
  statsTable,
  type AggregationStats,
} from "../../../src/rpc/stream-stats.ts";
import { ChainFollower } from "../../../src/rpc/subscription/chain/follower.ts";
import type { Gauge, SeenProcess, Sight } from "../invariants/invariant.ts";
import type { ProcessRow } from "../../../src/otp/index.ts";
import type { SimWorld } from "./world.ts";

/** Bounds that the product states: mailboxes by actor, tasks by owner (otp.md 1.17, 2.3). */
const MAILBOX = 10_000;
const BIG_MAILBOXES: Readonly<{ [definition: string]: number }> = {
  "message-aggregator": 100_000,
  "subscription-hub": 50_000,
  "ws-connection": 50_000,
};
const TASKS_PER_OWNER = 64;
/** Named timers of one process and deadlines of its calls; a generous handful. */
const TIMERS_PER_PROCESS = 16;
/** Attempts of one request, and copies to idle providers of one chain, that run at one time. */
const ATTEMPTS = 4;
const COPIES = 8;
/** Two rings of blocks and the longest gap that is filled (five minutes of blocks); its logs. */
const KEPT_BLOCKS = 2 * 256 + 300;
const KEPT_LOGS = 50_000;
/** Of a chain's table of subscriptions: its history, and the ids that clients may come back with. */
const OWN_ROWS = 2;
const HISTORY_ROW = "history";
/** Rows that a process of the event path keeps in the table of counters. */
const STATS_ROWS_PER_CHAIN = 2;

/** The program at this instant. */
export const sightOf = (world: SimWorld): Sight => {
  const { node, load } = world;
  const atMs = node.nowMs();
  const rows = node.inspector.processes();
  return {
    atMs,
    processes: processesOf(world, rows),
    names: node.inspector.names(),
    gauges: gaugesOf(world, rows),
    waiting: [...load.open].map(({ n, deadlineMs }) => ({ n, overdueMs: atMs - deadlineMs })),
  };
};

const processesOf = ({ record }: SimWorld, rows: readonly ProcessRow[]): readonly SeenProcess[] => {
  const byPid = new Map(rows.map((row) => [row.pid, row]));
  const orphanSince = (parent: string | undefined): number | undefined => {
    for (let pid = parent; pid !== undefined; pid = byPid.get(pid)?.parent) {
      if (!byPid.has(pid)) return record.exitedAt.get(pid) ?? 0;
    }
    return undefined;
  };
  return rows.map(({ pid, name, kind, mailbox, parent }) => ({
    pid,
    name,
    kind,
    mailbox,
    orphanSinceMs: orphanSince(parent),
  }));
};

/** Timers, exits and task results pass a mailbox's bound; a process is owed only a few at a time. */
const SYSTEM_MESSAGES = 64;

const gaugesOf = (world: SimWorld, rows: readonly ProcessRow[]): readonly Gauge[] => {
  const { node, gateway, config, plan, subscribers } = world;
  const counters = node.inspector.counters();
  const gauges: Gauge[] = rows.map(({ name, mailbox }) => ({
    what: `mailbox of ${name}`,
    value: mailbox,
    limit: (BIG_MAILBOXES[name.slice(name.lastIndexOf("/") + 1)] ?? MAILBOX) + SYSTEM_MESSAGES,
  }));
  const tasks = new Map<string, number>();
  for (const { kind, parent = "" } of rows) {
    if (kind === "task") tasks.set(parent, (tasks.get(parent) ?? 0) + 1);
  }
  for (const [owner, value] of tasks) {
    gauges.push({ what: `tasks of ${owner}`, value, limit: TASKS_PER_OWNER });
  }
  const { inFlight, engine } = gateway;
  gauges.push(
    {
      what: "timers",
      value: counters["timers"] ?? 0,
      limit: TIMERS_PER_PROCESS * rows.length,
    },
    { what: "requests in flight", value: inFlight, limit: engine.limits.maxInFlight },
    { what: "run queue", value: counters["runQueue"] ?? 0, limit: 0 },
    // One per attempt, of which a request may run a few, and one per exploring copy.
    {
      what: "deadlines",
      value: engine.wheel.size,
      limit: ATTEMPTS * inFlight + COPIES * (plan.chains.length + 1),
    },
  );
  const chains = plan.chains.length + 1;
  const providers = world.links.length + 1;
  const limits = new Map<string, number>([
    [chainTables[0] as string, chains],
    [statsTable, chains * STATS_ROWS_PER_CHAIN + providers],
    ...config.chains.map(
      ({ name }) => [subscriptionTable(name), subscribers.length + OWN_ROWS] as const,
    ),
  ]);
  for (const { name, rows: value } of node.inspector.tables()) {
    const limit = limits.get(name);
    if (limit !== undefined) gauges.push({ what: `rows of ${name}`, value, limit });
  }
  const stats = node.table<AggregationStats>(statsTable);
  for (const { name } of config.chains) {
    const history = node.table(subscriptionTable(name))?.get(HISTORY_ROW);
    if (history instanceof ChainFollower) {
      const { blockCount, logs } = history;
      gauges.push({ what: `blocks kept of ${name}`, value: blockCount, limit: KEPT_BLOCKS });
      gauges.push({ what: `logs kept of ${name}`, value: logs.stored, limit: KEPT_LOGS });
    }
    const cache = stats?.get(aggregationRow(name))?.cache;
    if (cache === undefined) continue;
    gauges.push({ what: `seen keys of ${name}`, value: cache.entries, limit: cache.limit });
  }
  return gauges;
};
