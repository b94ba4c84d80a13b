/**
 * The log: pino's JSON, or short lines on a terminal; structured fields, never prose with numbers.
 *
 * Four guards stand between a caller and the file descriptor: the level of the subsystem, 10 equal
 * lines a second, redaction by type (a `Secret` prints its label), and last a redactor that knows
 * every configured secret and looks at the finished line, because foreign error texts quote URLs.
 *
 * Lines are written asynchronously; a fatal one flushes before the call returns.
 */
import { isatty } from "node:tty";
import { pino } from "pino";
import { LogLevels, type LogLevel } from "./log-levels.ts";
import { LogLimiter } from "./log-limiter.ts";
import { prettyLine } from "./log-pretty.ts";

/** Unwritten bytes beyond which lines are dropped and counted: a stuck reader costs no memory. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;
const MAX_FIELD_CHARS = 16_384;

/** Context of a line. */
export type LogFields = Readonly<Record<string, unknown>>;

/** Severity of a single line. */
export type LineLevel = Exclude<LogLevel, "silent">;

/** Where lines go: stderr by default, so that stdout holds only what was asked for. */
export interface LogTarget {
  write(text: string): unknown;
  flushSync?(): void;
}

/** How the log is set up. */
export interface LogOptions {
  readonly region: string;
  readonly levels?: LogLevels | undefined;
  /** `auto` (default): pretty on a terminal, JSON otherwise. */
  readonly format?: "auto" | "json" | "pretty" | undefined;
  /** File descriptor, default 2; ignored with `target`. */
  readonly fd?: number | undefined;
  readonly target?: LogTarget | undefined;
  /** Replaces every configured secret in a text; default: nothing is known yet. */
  readonly redact?: ((text: string) => string) | undefined;
  /** Monotonic ms, for the rate limit. */
  readonly nowMs?: (() => number) | undefined;
}

/** The program's log. */
export class Log {
  readonly #pino: pino.Logger;
  readonly #limiter = new LogLimiter();
  readonly #nowMs: () => number;
  readonly #target: LogTarget;
  #redact: (text: string) => string;
  #droppedLines = 0;
  /** Levels by subsystem; they may be changed while the program runs. */
  readonly levels: LogLevels;

  constructor(options: LogOptions) {
    const fd = options.fd ?? 2;
    const format = options.format ?? "auto";
    const isPretty = format === "pretty" || (format === "auto" && !options.target && isatty(fd));
    const hasColor = isPretty && isatty(fd) && (process.env["NO_COLOR"] ?? "") === "";
    this.levels = options.levels ?? new LogLevels();
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#redact = options.redact ?? ((text) => text);
    this.#target = options.target ?? this.#openTarget(fd);
    const sink = {
      write: (line: string) => {
        const safe = this.#redact(line);
        this.#target.write(isPretty ? prettyLine(safe, hasColor) : safe);
      },
      flushSync: () => this.flush(),
    };
    this.#pino = pino(
      {
        level: "trace",
        base: { region: options.region },
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }) },
      },
      sink,
    );
  }

  /** Lines left out because equal ones came too fast, or because the reader was stuck. */
  get suppressedLines(): number {
    return this.#limiter.suppressedTotal + this.#droppedLines;
  }

  /** Sets the final redactor; call it again when the configuration changes. */
  setRedactor(redact: (text: string) => string): void {
    this.#redact = redact;
  }

  /** Whether such a line would be written; ask before building costly fields. */
  isEnabled(level: LineLevel, subsystem: string): boolean {
    return this.levels.admits(level, subsystem);
  }

  /** Writes one line: what happened (a fixed text or an event name) and the facts as fields. */
  write(level: LineLevel, subsystem: string, message: string, fields: LogFields = {}): void {
    if (!this.levels.admits(level, subsystem)) return;
    const admitted =
      level === "fatal"
        ? { suppressed: 0 }
        : this.#limiter.admit(keyOf(level, subsystem, message, fields), this.#nowMs());
    if (admitted === false) return;
    const { suppressed } = admitted;
    const line = { subsystem, ...printable(fields), ...(suppressed > 0 ? { suppressed } : {}) };
    this.#pino[level](line, message);
  }

  /** `write` for the runtime: the subsystem follows from the process that speaks. */
  readonly sink = (level: LineLevel, fields: LogFields, message: string): void => {
    this.write(level, subsystemOf(fields["process"]), message, fields);
  };

  /** Writes out what is buffered before it returns; for exits. */
  flush(): void {
    try {
      this.#target.flushSync?.();
    } catch {
      // The descriptor is gone or not ready: an exit must not fail over its log.
    }
  }

  #openTarget(fd: number): LogTarget {
    const destination = pino.destination({ fd, sync: false, maxLength: MAX_BUFFERED_BYTES });
    destination.on("drop", () => {
      this.#droppedLines += 1;
    });
    // A closed pipe ends the log, not the program.
    destination.on("error", () => undefined);
    return destination;
  }
}

/** Lines are equal when they say the same about the same thing. */
function keyOf(level: string, subsystem: string, message: string, fields: LogFields): string {
  const about = ["chain", "provider_id", "provider", "transport", "process"].map((name) => {
    const value = fields[name];
    return typeof value === "string" ? value : "";
  });
  return [level, subsystem, message, ...about].join("\u0000");
}

/** Errors become text with a stack (JSON prints them as {}), and no text is as long as a body. */
function printable(fields: LogFields): LogFields {
  let copy: Record<string, unknown> | undefined;
  for (const [name, value] of Object.entries(fields)) {
    const isLong = typeof value === "string" && value.length > MAX_FIELD_CHARS;
    if (!isLong && !(value instanceof Error)) continue;
    copy ??= { ...fields };
    copy[name] = isLong
      ? `${value.slice(0, MAX_FIELD_CHARS)}…`
      : pino.stdSerializers.err(value as Error);
  }
  return copy ?? fields;
}

/** `rpc/chain/eth/provider/a/ws-connection` speaks as `rpc.ws-connection`. */
function subsystemOf(process: unknown): string {
  if (typeof process !== "string" || process === "") return "otp";
  const parts = process.split("/");
  const domain = parts[0] ?? "otp";
  return parts.length === 1 ? domain : `${domain}.${parts.at(-1)}`;
}
