/**
 * `paceline top`: who works, again and again.
 *
 * On a terminal a frame a second, with rates over the time since the frame before; elsewhere, or
 * with `--json` and no `--watch`, one frame of totals. Only what is shown is asked for.
 */
import type { ProcessRow } from "../../admin/ports.ts";
import { withClient } from "../ask.ts";
import type { AdminClient } from "../client.ts";
import { EXIT } from "../exit-codes.ts";
import { watchMs } from "../options.ts";
import type { InstanceOptions } from "../options.ts";
import { clean, paintFor, table } from "../terminal.ts";
import type { Paint, Terminal } from "../terminal.ts";

const FRAME_MS = 1_000;
/** The alternate screen, and back; the cursor hidden meanwhile. */
const ENTER = "\u001B[?1049h\u001B[?25l";
const LEAVE = "\u001B[?25h\u001B[?1049l";
const HOME = "\u001B[H\u001B[J";
/** Above this share of a budget or a bound a figure is marked. */
const TIGHT = 0.85;
const MAX_ROWS = 30;

interface Budget {
  readonly supervisor: string;
  readonly count: number;
  readonly intensity: number;
  readonly ratio: number;
}

interface Frame {
  readonly atMs: number;
  readonly host: { readonly version: string; readonly region: string; readonly pid: number };
  readonly total: number;
  readonly processes: readonly ProcessRow[];
  readonly counters: Readonly<Record<string, number>>;
  readonly budget: Budget | undefined;
}

/** `paceline top`. */
export function showTop(
  options: InstanceOptions & { readonly sort?: string; readonly limit?: number },
  terminal: Terminal,
): Promise<number> {
  const intervalMs = watchMs(options) ?? (terminal.isTty ? FRAME_MS : undefined);
  const paint = paintFor(terminal);
  const args = { sort: options.sort, limit: options.limit ?? MAX_ROWS };
  const print = (frame: Frame, before: Frame | undefined): void => {
    const isStream = intervalMs !== undefined;
    terminal.out(
      options.json === true
        ? `${JSON.stringify(frame, null, isStream ? 0 : 2)}\n`
        : `${screenOf(frame, before, paint)}\n`,
    );
  };
  return withClient(options, terminal, "viewer", async (client) => {
    let before = await frameOf(client, args);
    if (intervalMs === undefined || (options.json === true && options.watch === undefined)) {
      print(before, undefined);
      return EXIT.done;
    }
    const isScreen = terminal.isTty && options.json !== true;
    if (isScreen) terminal.out(ENTER);
    const leave = (): void => terminal.out(LEAVE);
    if (isScreen) process.once("exit", leave);
    const onSignal = (): void => process.exit(EXIT.done);
    if (isScreen) process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
    try {
      print(before, undefined);
      for (;;) {
        await new Promise((done) => setTimeout(done, intervalMs));
        const frame = await frameOf(client, args);
        if (isScreen) terminal.out(HOME);
        print(frame, before);
        before = frame;
      }
    } finally {
      if (isScreen) {
        process.off("exit", leave).off("SIGINT", onSignal).off("SIGTERM", onSignal);
        leave();
      }
    }
  });
}

async function frameOf(
  client: AdminClient,
  args: { readonly sort: string | undefined; readonly limit: number },
): Promise<Frame> {
  const [host, rows, counters, budgets] = await Promise.all([
    client.ask("version"),
    client.ask("ps", args),
    client.ask("loop"),
    client.ask("budget"),
  ]);
  const { total, processes } = rows as Pick<Frame, "total" | "processes">;
  const [budget] = (budgets as { readonly supervisors: readonly Budget[] }).supervisors;
  return {
    atMs: performance.now(),
    host: host as Frame["host"],
    total,
    processes,
    counters: counters as Frame["counters"],
    budget,
  };
}

function screenOf(frame: Frame, before: Frame | undefined, paint: Paint): string {
  const rate = ratesSince(before, frame.atMs);
  const known = new Map(before?.processes.map((row) => [row.pid, row]));
  const rows = frame.processes.map((row) => [
    row.pid,
    clean(row.name),
    clean(row.status),
    String(row.mailbox),
    rate(row.turns, known.get(row.pid)?.turns),
    rate(row.handlerMs, known.get(row.pid)?.handlerMs),
    String(row.restarts),
    clean(row.handler).slice(0, 24),
  ]);
  const unit = before === undefined ? "" : "/s";
  const head = [
    "PID",
    "NAME",
    "STATUS",
    "MAILBOX",
    `MSGS${unit}`,
    `CPU ms${unit}`,
    "RESTARTS",
    "DOES",
  ];
  return `${headOf(frame, before, paint)}\n\n${table(head, rows)}`;
}

function headOf(frame: Frame, before: Frame | undefined, paint: Paint): string {
  const { host, counters, budget, total } = frame;
  const rate = ratesSince(before, frame.atMs);
  const turns = rate(counters["turns"] ?? 0, before?.counters["turns"]);
  const worst =
    budget === undefined
      ? "none"
      : `${clean(budget.supervisor)} ${budget.count}/${budget.intensity}`;
  const isTight = budget !== undefined && budget.ratio > TIGHT;
  return [
    `${paint.bold(`paceline ${clean(host.version)}`)}  ${clean(host.region)}  pid ${host.pid}`,
    `processes ${total}  turns${before === undefined ? "" : "/s"} ${turns}  run queue ${counters["runQueue"] ?? 0}  timers ${counters["timers"] ?? 0}`,
    `worst budget ${isTight ? paint.bad(worst) : worst}`,
  ].join("\n");
}

/** Rates since the frame before, totals in the first one. */
function ratesSince(
  before: Frame | undefined,
  atMs: number,
): (now: number, then: number | undefined) => string {
  if (before === undefined) return (now) => String(Math.round(now));
  const seconds = Math.max(0.001, (atMs - before.atMs) / 1_000);
  // A process that is new did all of it since then.
  return (now, then) => ((now - (then ?? 0)) / seconds).toFixed(1);
}
