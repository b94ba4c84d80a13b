/**
 * The logger that processes see; the node decides where records go.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, supervisor } from "paceline/otp";
 *
 * const part = defineActor({
 *   name: "demo/part",
 *   init: (_args: undefined, ctx) => {
 *     ctx.log.warn({ sizeBytes: 512 }, "cache is small");
 *     return 0;
 *   },
 * });
 *
 * const node = createVirtualNode({
 *   log: (level, fields, message) => console.log(level, message, fields),
 * });
 * await node.start(supervisor("top", { children: [child(part, undefined, { id: "part" })] }));
 * await node.stop();
 * ```
 *
 * ```text
 * warn cache is small { pid: '#2', process: 'part', sizeBytes: 512 }
 * ```
 *
 * Fields first, then the sentence, as pino has it; every record is marked with `pid` and `process`. The
 * sink runs synchronously in the process that logs. Without a sink records are dropped.
 */

/** Severity of a record. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** Takes every record of the node. */
export type LogSink = (
  level: LogLevel,
  fields: Readonly<Record<string, unknown>>,
  message: string,
) => void;

/** `ctx.log`: fields first, then the sentence, as pino has it. */
export class Log {
  private readonly sink: LogSink;
  private readonly context: () => Readonly<Record<string, unknown>>;

  constructor(sink: LogSink, context: () => Readonly<Record<string, unknown>>) {
    this.sink = sink;
    this.context = context;
  }

  debug(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.write("debug", fields, message);
  }

  info(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.write("info", fields, message);
  }

  warn(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.write("warn", fields, message);
  }

  error(fields: Readonly<Record<string, unknown>>, message: string): void {
    this.write("error", fields, message);
  }

  private write(level: LogLevel, fields: Readonly<Record<string, unknown>>, message: string): void {
    this.sink(level, { ...this.context(), ...fields }, message);
  }
}
