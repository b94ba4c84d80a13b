/** `paceline trace`: the messages of a process, as they pass. */
import { withClient } from "../ask.ts";
import { EXIT } from "../exit-codes.ts";
import type { InstanceOptions } from "../options.ts";
import { clean, paintFor } from "../terminal.ts";
import type { Paint, Terminal } from "../terminal.ts";

/** What may be said of a trace. */
export interface TraceOptions extends InstanceOptions {
  readonly subtree?: boolean;
  readonly match?: string;
  readonly direction?: string;
  readonly max?: number;
  readonly per?: number;
  readonly for?: number;
}

interface Row {
  readonly atMs: number;
  readonly process: string;
  readonly pid: string;
  readonly direction: string;
  readonly kind: string;
  readonly type: string;
  readonly peer?: string;
  readonly bytes?: number;
}

/** `paceline trace`. */
export function traceProcess(
  target: string,
  options: TraceOptions,
  terminal: Terminal,
): Promise<number> {
  const { subtree, match, direction, max, per } = options;
  const args = { target, subtree, match, direction, max, per, forMs: options.for };
  const paint = paintFor(terminal);
  const isJson = options.json === true;
  return withClient(options, terminal, "operator", async (client) => {
    const end = await client.stream("trace", args, {
      event: (event) =>
        terminal.out(`${isJson ? JSON.stringify(event) : lineOf(event as Row, paint)}\n`),
      dropped: (count) => terminal.err(`${count} messages were not sent: too many to keep up\n`),
    });
    const { end: reason, traced } = end;
    if (isJson) terminal.out(`${JSON.stringify({ end: reason, traced })}\n`);
    else terminal.out(`${paint.dim(`${clean(traced)} messages; ended by ${clean(reason)}`)}\n`);
    return isRegionGone(reason) ? EXIT.unreachable : EXIT.done;
  });
}

/** The region that streamed is lost, or is another life of itself. */
const isRegionGone = (reason: unknown): boolean =>
  reason === "region lost" || reason === "region replaced";

function lineOf(row: Row, paint: Paint): string {
  const { peer, bytes } = row;
  const arrow = row.direction === "in" ? paint.good("<-") : paint.warn("->");
  return [
    paint.dim((row.atMs / 1_000).toFixed(3)),
    clean(row.process),
    paint.dim(clean(row.pid)),
    arrow,
    clean(peer ?? ""),
    clean(row.kind),
    paint.bold(clean(row.type)),
    bytes === undefined ? "" : `${bytes} B`,
  ]
    .filter((text) => text !== "")
    .join("  ");
}
