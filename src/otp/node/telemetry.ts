/**
 * Telemetry: named events with fields, handled synchronously in the emitter.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, supervisor } from "paceline/otp";
 *
 * const part = defineActor({
 *   name: "demo/part",
 *   init: (_args: undefined, ctx) => {
 *     ctx.emit("demo.part.ready", { rows: 3 });
 *     return 0;
 *   },
 * });
 *
 * const node = createVirtualNode();
 * node.telemetry.attach("print", ["demo.part.ready", "otp.exit"], ({ name, process, fields }) =>
 *   console.log(name, process, fields),
 * );
 * await node.start(supervisor("top", { children: [child(part, undefined, { id: "part" })] }));
 * const sum = node.telemetry.span("demo.sum", {}, () => 1 + 2);
 * node.telemetry.detach("print");
 * await node.stop();
 * console.log(sum);
 * ```
 *
 * ```text
 * demo.part.ready part { rows: 3 }
 * 3
 * ```
 *
 * The runtime's own events begin with `otp.`; `RuntimeEvents` is their typed table. A handler that
 * throws is detached and reported as `telemetry.handler.failure`; it can never hurt the process that
 * emitted. Without handlers an emit costs one lookup; `hears(name)` guards
 * fields that are costly to make. `span` emits `.start`, then `.stop` or `.exception`, with one
 * `spanId` and `durationMs`; it returns or rethrows what its body did.
 */

import { runAside } from "../process/scope.ts";
import type { EmitArgs, EventOf } from "./events.ts";

/** One event as handlers get it. */
export interface TelemetryEvent {
  readonly name: string;
  /** Grows by one with each event of the node that somebody heard, from 1. */
  readonly seq: number;
  /** Monotonic ms. */
  readonly atMs: number;
  /** Label of the emitting process, when one emitted. */
  readonly process?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Receives events. */
export type TelemetryHandler = (event: TelemetryEvent) => void;

interface Attachment {
  readonly id: string;
  readonly names: readonly string[] | "*";
  readonly handler: TelemetryHandler;
}

const FAILURE = "telemetry.handler.failure";

/** Event bus of one node. */
export class Telemetry {
  private readonly attachments = new Map<string, Attachment>();
  private readonly byName = new Map<string, readonly Attachment[]>();
  private everything: readonly Attachment[] = [];
  private readonly nowMs: () => number;
  private spanSeq = 0;
  private eventSeq = 0;

  constructor(nowMs: () => number) {
    this.nowMs = nowMs;
  }

  /**
   * Calls `handler` for these names, or for all with "*"; an id that is taken is replaced. The
   * fields of the runtime's own events are typed by their names (`RuntimeEvents`).
   */
  attach<N extends string>(
    id: string,
    names: N | readonly N[],
    handler: (event: EventOf<N>) => void,
  ): void;
  attach(id: string, names: readonly string[] | string, handler: TelemetryHandler): void {
    const list: readonly string[] | "*" =
      names === "*" ? "*" : typeof names === "string" ? [names] : [...names];
    this.attachments.set(id, { id, names: list, handler });
    this.reindex();
  }

  /** False when no handler has this id. */
  detach(id: string): boolean {
    const had = this.attachments.delete(id);
    if (had) this.reindex();
    return had;
  }

  /** True when somebody listens to `name`: guard costly fields with it. */
  hears(name: string): boolean {
    return this.everything.length > 0 || this.byName.has(name);
  }

  /** Calls the handlers of `name`, synchronously, with these fields. */
  emit<N extends string>(name: N, ...told: EmitArgs<N>): void;
  emit(name: string, fields: Readonly<Record<string, unknown>> = {}, process?: string): void {
    const named = this.byName.get(name);
    const { everything } = this;
    if (named === undefined && everything.length === 0) return;
    const atMs = this.nowMs();
    this.eventSeq += 1;
    const seq = this.eventSeq;
    const event: TelemetryEvent =
      process === undefined ? { name, seq, atMs, fields } : { name, seq, atMs, process, fields };
    if (named !== undefined) for (const attachment of named) this.run(attachment, event);
    for (const attachment of everything) this.run(attachment, event);
  }

  /** Emits `name.start`, then `name.stop` or `name.exception` with one span id and `durationMs`. */
  span<R>(name: string, fields: Readonly<Record<string, unknown>>, body: () => R): R {
    this.spanSeq += 1;
    const spanId = this.spanSeq;
    const startMs = this.nowMs();
    this.emit(`${name}.start`, { ...fields, spanId });
    const stop = (): void =>
      this.emit(`${name}.stop`, { ...fields, spanId, durationMs: this.nowMs() - startMs });
    const fail = (error: unknown): void =>
      this.emit(`${name}.exception`, {
        ...fields,
        spanId,
        durationMs: this.nowMs() - startMs,
        error,
      });
    try {
      const result = body();
      if (result instanceof Promise) result.then(stop, fail);
      else stop();
      return result;
    } catch (error) {
      fail(error);
      throw error;
    }
  }

  private run(attachment: Attachment, event: TelemetryEvent): void {
    try {
      runAside(attachment.handler, event);
    } catch (error) {
      this.detach(attachment.id);
      if (event.name !== FAILURE) {
        this.emit(FAILURE, { handler: attachment.id, event: event.name, error });
      }
    }
  }

  private reindex(): void {
    this.byName.clear();
    const everything: Attachment[] = [];
    for (const attachment of this.attachments.values()) {
      if (attachment.names === "*") everything.push(attachment);
      else
        for (const name of attachment.names) {
          this.byName.set(name, [...(this.byName.get(name) ?? []), attachment]);
        }
    }
    this.everything = everything;
  }
}
