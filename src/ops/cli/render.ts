/** Replies as text for people. */
import type { ProcessRow, TreeNode } from "../admin/ports.ts";
import { clean, table } from "./terminal.ts";
import type { Paint } from "./terminal.ts";

/** The supervision tree, a process a line. */
export function renderTree(root: TreeNode, paint: Paint): string {
  const lines: string[] = [];
  const visit = (node: TreeNode, lead: string, below: string): void => {
    lines.push(`${paint.dim(lead)}${describe(node, paint)}`);
    node.children.forEach((child, at) => {
      const isLast = at === node.children.length - 1;
      visit(child, `${below}${isLast ? "└── " : "├── "}`, `${below}${isLast ? "    " : "│   "}`);
    });
  };
  visit(root, "", "");
  return lines.join("\n");
}

function describe(node: TreeNode, paint: Paint): string {
  const { restarts } = node;
  const name = node.kind === "supervisor" ? paint.bold(clean(node.name)) : clean(node.name);
  const parts = [name, paint.dim(node.pid ?? "-"), paintStatus(clean(node.status), paint)];
  if (node.kind === "supervisor") {
    const budget = `${restarts.count}/${restarts.intensity} in ${seconds(restarts.period_ms)}`;
    const isTight = restarts.count * 2 > restarts.intensity;
    parts.push(clean(node.strategy ?? ""), `restarts ${isTight ? paint.warn(budget) : budget}`);
  } else if (restarts.count > 0) parts.push(paint.warn(`restarted ${restarts.count}x`));
  if (node.last_exit !== undefined)
    parts.push(paint.dim(`last exit: ${shorten(clean(node.last_exit))}`));
  return parts.filter((part) => part !== "").join("  ");
}

const seconds = (durationMs: number): string => `${durationMs / 1_000} s`;

function paintStatus(status: string, paint: Paint): string {
  if (["running", "waiting", "idle"].includes(status)) return paint.good(status);
  return ["restarting", "undefined", "suspended"].includes(status) ? paint.bad(status) : status;
}

const MAX_REASON = 120;
const shorten = (text: string): string =>
  text.length > MAX_REASON ? `${text.slice(0, MAX_REASON - 1)}…` : text;

/** Processes as a table. */
export function renderProcesses(
  reply: { readonly total: number; readonly processes: readonly ProcessRow[] },
  paint: Paint,
): string {
  const rows = reply.processes.map((row) => [
    row.pid,
    clean(row.name),
    paintStatus(clean(row.status), paint),
    String(row.mailbox),
    String(row.turns),
    row.handlerMs.toFixed(1),
    String(row.restarts),
    String(row.dropped),
    clean(row.lastExit ?? "").slice(0, 40),
  ]);
  const head = [
    "PID",
    "NAME",
    "STATUS",
    "MAILBOX",
    "MSGS",
    "CPU ms",
    "RESTARTS",
    "DROPPED",
    "LAST EXIT",
  ];
  const cut =
    reply.processes.length < reply.total
      ? `\n${paint.dim(`${reply.processes.length} of ${reply.total} processes; --limit shows more`)}`
      : "";
  return table(head, rows) + cut;
}

/** Any record, nested, one value a line. */
export function renderRecord(value: unknown, paint: Paint, indent = ""): string {
  if (typeof value !== "object" || value === null) return `${indent}${clean(value)}`;
  const entries = Array.isArray(value)
    ? value.map((item, at): [string, unknown] => [`${at}`, item])
    : Object.entries(value);
  return entries
    .map(([key, item]) =>
      isLeaf(item)
        ? `${indent}${paint.dim(`${clean(key)}:`)} ${leaf(item)}`
        : `${indent}${paint.dim(`${clean(key)}:`)}\n${renderRecord(item, paint, `${indent}  `)}`,
    )
    .join("\n");
}

function isLeaf(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (Array.isArray(value)) return value.every((item) => typeof item !== "object" || item === null);
  return Object.keys(value).length === 0;
}

function leaf(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(clean).join(", ");
  if (typeof value === "object" && value !== null) return "none";
  if (typeof value === "number" && !Number.isInteger(value))
    return String(Number(value.toFixed(3)));
  return value === undefined || value === null ? "-" : clean(value);
}

/** One breaker as the admin socket lists it. */
export interface BreakerLine {
  readonly endpoint: string;
  readonly state: string;
  readonly forced: boolean;
  readonly retry_in_ms?: number;
  readonly cooldown_ms?: number;
  readonly suspect: boolean;
  readonly usable: boolean;
  readonly reason?: string;
  readonly in_flight: number;
}

/** Breakers as a table. */
export function renderBreakers(rows: readonly BreakerLine[], paint: Paint): string {
  const lines = rows.map((row) => [
    clean(row.endpoint),
    row.state === "closed" ? paint.good(row.state) : paint.bad(clean(row.state)),
    row.forced ? "forced" : "",
    row.retry_in_ms === undefined ? "" : `${(row.retry_in_ms / 1_000).toFixed(1)} s`,
    row.cooldown_ms === undefined ? "" : `${(row.cooldown_ms / 1_000).toFixed(1)} s`,
    String(row.in_flight),
    [row.suspect ? "suspect" : "", row.usable ? "" : clean(row.reason ?? "unusable")]
      .filter((text) => text !== "")
      .join(", "),
  ]);
  const head = ["ENDPOINT", "STATE", "BY", "NEXT PROBE", "COOLDOWN", "IN FLIGHT", "NOTE"];
  return table(head, lines);
}

/** One provider as the admin socket lists it. */
export interface ProviderLine {
  readonly chain: string;
  readonly id: string;
  readonly state: string;
  readonly reason?: string;
  readonly role?: string;
  readonly priority?: number;
  readonly head?: number;
  readonly lag?: number;
  readonly rank?: number;
  readonly score?: number;
  readonly race?: { readonly winRate: number; readonly races: number };
  readonly calls?: { readonly n: number; readonly p50Ms?: number; readonly failureRatio: number };
  readonly capabilities?: readonly {
    readonly kind: string;
    readonly method?: string;
    readonly limit: number;
  }[];
}

/** Providers as a table. */
export function renderProviders(rows: readonly ProviderLine[], paint: Paint): string {
  const percent = (ratio: number | undefined): string =>
    ratio === undefined ? "" : `${(ratio * 100).toFixed(1)} %`;
  const lines = rows.map((row) => [
    clean(row.chain),
    clean(row.id),
    ["healthy", "unknown"].includes(row.state)
      ? paint.good(row.state)
      : paint.warn(clean(row.state)),
    clean(row.role ?? ""),
    row.rank === undefined ? "" : String(row.rank),
    row.score === undefined ? "" : row.score.toFixed(3),
    row.head === undefined || row.head < 0 ? "" : String(row.head),
    row.lag === undefined ? "" : String(row.lag),
    row.race === undefined || row.race.races === 0 ? "" : percent(row.race.winRate),
    row.calls?.p50Ms === undefined ? "" : `${row.calls.p50Ms.toFixed(1)} ms`,
    row.calls === undefined || row.calls.n === 0 ? "" : percent(row.calls.failureRatio),
    clean(limitsText(row.capabilities ?? [])),
    clean(row.reason ?? ""),
  ]);
  const head = [
    "CHAIN",
    "PROVIDER",
    "STATE",
    "ROLE",
    "RANK",
    "SCORE",
    "HEAD",
    "LAG",
    "WINS",
    "P50",
    "FAILED",
    "LIMITS",
    "WHY",
  ];
  return table(head, lines);
}

/** Limits shown in full; the API has them all. */
const SHOWN_LIMITS = 3;

/** `no trace_block, 10000 blocks of eth_getLogs, +2` */
function limitsText(limits: NonNullable<ProviderLine["capabilities"]>): string {
  const shown = limits.slice(0, SHOWN_LIMITS).map(({ kind, method = "", limit }) => {
    if (kind === "method") return `no ${method}`;
    if (kind === "state" || kind === "history") return `${kind} from ${limit}`;
    return `${limit} ${kind === "range" ? "blocks" : kind} of ${method}`;
  });
  const more = limits.length - shown.length;
  return [...shown, ...(more > 0 ? [`+${more}`] : [])].join(", ");
}

/** One chain as `cache` lists it. */
export interface CacheLine {
  readonly chain: string;
  readonly hits: number;
  readonly hit_ratio: number | null;
  readonly coalesced: number;
  readonly entries: number;
  readonly bytes: number;
  readonly removed: Readonly<Record<string, number>>;
}

/** Kept answers as a table. */
export function renderCache(rows: readonly CacheLine[], paint: Paint): string {
  const lines = rows.map(({ chain, hits, hit_ratio, coalesced, entries, bytes, removed }) => [
    clean(chain),
    String(hits),
    hit_ratio === null ? "" : paint.good(`${(hit_ratio * 100).toFixed(1)} %`),
    String(coalesced),
    String(entries),
    `${(bytes / 1_048_576).toFixed(1)} MiB`,
    String(removed["full"] ?? 0),
    String(removed["group"] ?? 0),
  ]);
  const head = ["CHAIN", "HITS", "RATIO", "SHARED", "ENTRIES", "SIZE", "PUT OUT", "REORG"];
  return table(head, lines);
}
