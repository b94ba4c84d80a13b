/** `paceline reports`: what supervisors, restarts, crashes and long turns said last. */
import type { ReportRow } from "../../admin/reports.ts";
import { withClient } from "../ask.ts";
import { EXIT } from "../exit-codes.ts";
import { watchMs } from "../options.ts";
import type { InstanceOptions, Since } from "../options.ts";
import { clean, paintFor } from "../terminal.ts";
import type { Paint, Terminal } from "../terminal.ts";

/** While watching nothing is left out: as many as the instance keeps. */
const ALL = 200;

interface Reply {
  readonly total: number;
  readonly reports: readonly ReportRow[];
}

/** `paceline reports`. */
export function showReports(
  options: InstanceOptions & { readonly since?: Since; readonly limit?: number },
  terminal: Terminal,
): Promise<number> {
  const intervalMs = watchMs(options);
  const paint = paintFor(terminal);
  const isJson = options.json === true;
  const print = (row: ReportRow): void =>
    terminal.out(`${isJson ? JSON.stringify(row) : lineOf(row, paint)}\n`);
  return withClient(options, terminal, "viewer", async (client) => {
    const ask = (args: object): Promise<Reply> =>
      client.ask("reports", { ...args }) as Promise<Reply>;
    const first = await ask({ ...options.since, limit: options.limit });
    if (intervalMs === undefined) {
      terminal.out(isJson ? `${JSON.stringify(first, null, 2)}\n` : textOf(first, paint));
      return EXIT.done;
    }
    first.reports.forEach(print);
    let last = first.reports.at(-1)?.seq ?? (await ask({ limit: 1 })).reports.at(-1)?.seq ?? 0;
    for (;;) {
      await new Promise((done) => setTimeout(done, intervalMs));
      const { reports } = await ask({ since: last, limit: ALL });
      const missed = (reports[0]?.seq ?? last + 1) - last - 1;
      if (missed > 0) terminal.err(`${missed} reports are gone: too many to keep up\n`);
      reports.forEach(print);
      last = reports.at(-1)?.seq ?? last;
    }
  });
}

function textOf({ total, reports }: Reply, paint: Paint): string {
  if (reports.length === 0) return `${paint.dim("no reports")}\n`;
  const lines = reports.map((row) => lineOf(row, paint));
  const more = `${reports.length} of ${total} reports; --limit shows more`;
  return `${[...lines, ...(reports.length < total ? [paint.dim(more)] : [])].join("\n")}\n`;
}

function lineOf({ seq, at, kind, worker, text }: ReportRow, paint: Paint): string {
  const mark = kind === "restart" || kind === "turn.long" ? paint.warn : paint.bad;
  const place = worker === undefined ? "" : `${paint.dim(clean(worker))}  `;
  return `${paint.dim(`${seq}  ${clean(at)}`)}  ${mark(clean(kind))}  ${place}${clean(text)}`;
}
