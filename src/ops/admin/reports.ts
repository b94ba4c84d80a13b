/**
 * The last reports of the runtime, kept for operators: what supervisors said, restarts, crashes, long
 * turns, ends of worker threads.
 *
 * Fed by telemetry in the emitter's turn, so a line is made once and nothing else is held on to: no
 * error, no state, no stack. Bounded; the oldest goes, and the numbers of those that stay show it.
 */
import { isTask } from "../events.ts";
import type { TelemetryRecord } from "../log.ts";

/** How many are kept. */
export const REPORTS_KEPT = 200;
/** Longest line, in characters. */
const MAX_LINE = 500;
const UNPRINTABLE = "(unprintable)";

/** One report. */
export interface ReportRow {
  /** Counts the reports of this run, from 1 and without gaps. */
  readonly seq: number;
  /** Wall time, ISO 8601. */
  readonly at: string;
  /** Monotonic time of the node, ms. */
  readonly at_ms: number;
  /** Name of the event without `otp.`, e.g. restart. */
  readonly kind: string;
  /** Name of the process that it is about; of a supervisor's report, the supervisor. */
  readonly process: string;
  readonly pid?: string;
  /** Thread of an isolated subtree; the pid is of that thread. */
  readonly worker?: string;
  /** All of it in one line, secrets masked. */
  readonly text: string;
}

/** Which reports are wanted; all that are kept when nothing is said. */
export interface ReportFilter {
  /** Only those after this seq. */
  readonly since?: number | undefined;
  /** Only those of the last so many ms. */
  readonly sinceMs?: number | undefined;
  /** At most so many: the newest. */
  readonly limit: number;
}

/** An event as telemetry hands it out. */
export interface ReportedEvent extends TelemetryRecord {
  readonly seq: number;
  readonly atMs: number;
}

/** What the book needs of the program. */
export interface ReportBookOptions {
  /** Monotonic ms, the clock of the events. */
  readonly nowMs: () => number;
  /** ms since 1970. */
  readonly wallNowMs: () => number;
  /** Masks every secret that the program knows of. */
  readonly redact: (text: string) => string;
  /** A supervisor's report in one line (the runtime's `reportText`). */
  readonly reportText: (event: ReportedEvent, limits: { readonly maxChars: number }) => string;
  /** An exit reason in a few words (the runtime's `reasonText`). */
  readonly reasonText: (reason: never) => string;
}

type Fields = TelemetryRecord["fields"];
type Line = (who: string, fields: Fields, reason: string) => string;

/** What is said of each event, besides supervisors' reports. */
const LINES: Readonly<Record<string, Line>> = {
  "otp.restart": (who, { child, inWindow, intensity, attempt, delayMs }, reason) => {
    const after = delayMs === 0 ? "" : ` in ${told(delayMs)} ms`;
    return `${who}: starts ${told(child)} again${after}: ${reason} (${told(inWindow)} of ${told(intensity)} in its window, attempt ${told(attempt)})`;
  },
  "otp.crash": (who, { handler, mailbox }, reason) => {
    const where = handler === "" ? "" : ` in ${told(handler)}`;
    const lost = mailbox === 0 ? "" : ` (lost with its mailbox: ${told(mailbox)})`;
    // Somebody's order: it matters not what it was doing.
    return reason === "killed"
      ? `${who}: killed${lost}`
      : `${who}: crashed${where}: ${reason}${lost}`;
  },
  "otp.turn.long": (who, { durationMs, count, handler, function: running }) => {
    const where = running ?? handler;
    const share = count === 1 ? "" : `, the last of ${told(count)}`;
    const place = where === undefined || where === "" ? "" : ` in ${told(where)}`;
    return `${who}: held the event loop for ${Math.round(Number(durationMs))} ms${place}${share}`;
  },
  "otp.worker.down": (who, { worker, code }, reason) =>
    `${who}: worker ${told(worker)} ended with code ${told(code)}: ${reason}`,
};
const REPORT = "otp.report";

/** The events that the book is to be attached to. */
export const REPORT_EVENTS: readonly string[] = [REPORT, ...Object.keys(LINES)];

/** The last reports of one node. */
export class ReportBook {
  readonly #options: ReportBookOptions;
  readonly #rows: ReportRow[] = [];
  #count = 0;

  constructor(options: ReportBookOptions) {
    this.#options = options;
  }

  /** A telemetry handler for `REPORT_EVENTS`. */
  readonly take = (event: ReportedEvent): void => {
    const { name, atMs, process = "(none)", fields } = event;
    // A task's failure is an answer to its owner, and there may be many.
    if (name === "otp.crash" && isTask(process)) return;
    const text = this.#textOf(event, process);
    if (text === undefined) return;
    this.#count += 1;
    const { pid, worker } = fields;
    this.#rows.push({
      seq: this.#count,
      at: new Date(this.#options.wallNowMs()).toISOString(),
      at_ms: atMs,
      kind: name.slice("otp.".length),
      process,
      ...(typeof pid === "string" && { pid }),
      ...(typeof worker === "string" && { worker }),
      text,
    });
    if (this.#rows.length > REPORTS_KEPT) this.#rows.shift();
  };

  /** Those that are wanted, oldest first, and how many there were before the limit. */
  select({ since = 0, sinceMs, limit }: ReportFilter): {
    readonly total: number;
    readonly reports: readonly ReportRow[];
  } {
    const fromMs = sinceMs === undefined ? -Infinity : this.#options.nowMs() - sinceMs;
    const found = this.#rows.filter(({ seq, at_ms }) => seq > since && at_ms >= fromMs);
    return { total: found.length, reports: found.slice(-limit) };
  }

  #textOf(event: ReportedEvent, who: string): string | undefined {
    const { reportText, reasonText, redact } = this.#options;
    const { name, fields } = event;
    if (name === REPORT) return oneLine(redact(reportText(event, { maxChars: MAX_LINE })));
    const { reason } = fields;
    const why = reason === undefined ? "" : reasonText(reason as never);
    const line = LINES[name]?.(who, fields, why);
    return line === undefined ? undefined : oneLine(redact(line));
  }
}

/** A child's id may be anything. */
function told(value: unknown): string {
  if (typeof value === "string") return value;
  try {
    const text = JSON.stringify(value) as string | undefined;
    return text ?? UNPRINTABLE;
  } catch {
    return UNPRINTABLE;
  }
}

function oneLine(text: string): string {
  // oxlint-disable-next-line no-control-regex -- they are what is taken out
  const line = text.replaceAll(/[\u0000-\u001F\u007F-\u009F]+/g, " ");
  return line.length > MAX_LINE ? `${line.slice(0, MAX_LINE - 1)}…` : line;
}
