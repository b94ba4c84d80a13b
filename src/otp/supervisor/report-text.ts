/**
 * Supervisor reports as text: one line each, however deep or long their reason.
 *
 * ```ts
 * import {
 *   child,
 *   createVirtualNode,
 *   defineActor,
 *   keyFor,
 *   reportText,
 *   stop,
 *   supervisor,
 * } from "paceline/otp";
 *
 * const part = defineActor({
 *   name: "demo/part",
 *   init: (_args: undefined) => 0,
 *   casts: { end: (state) => stop(state, ["bad_frame", { at: { line: 1, column: 9 } }]) },
 * });
 * const key = keyFor(part)();
 *
 * const node = createVirtualNode();
 * await node.start(supervisor("top", { children: [child(part, undefined, { register: key })] }));
 * node.telemetry.attach("console", "otp.report", (event) => {
 *   console.log(reportText(event));
 *   console.log(reportText(event, { depth: 2 }));
 * });
 * node.whereis(key)?.cast.end();
 * await node.settle();
 * await node.stop();
 * ```
 *
 * ```text
 * top: child demo/part (#2) child_terminated: [bad_frame, {at: {line: 1, column: 9}}]
 * top: child demo/part (#2) child_terminated: [bad_frame, {at: …}]
 * ```
 *
 * | option | meaning | default |
 * |---|---|---|
 * | `depth` | levels of a nested reason or id that are shown; what lies deeper is "…" | 8 levels |
 * | `maxChars` | longest line, its end cut off with "…" | 1,000 characters |
 *
 * Line breaks and other control characters are escaped, so that a line of a log is one report. Never
 * throws: what cannot be printed is "(unprintable)".
 */
import type { TelemetryEvent } from "../node/telemetry.ts";

/** Limits of one line. */
export interface ReportTextOptions {
  /** Levels of nesting that are shown; default 8. */
  readonly depth?: number;
  /** Longest line in characters; default 1,000. */
  readonly maxChars?: number;
}

/** Characters that may still be written. */
interface Room {
  left: number;
}

const DEPTH = 8;
const MAX_CHARS = 1_000;
const MORE = "…";
const PLAIN = /^[\w.:/#@+-]+$/;

/** One line for an `otp.report` event; see the options above. */
export function reportText(event: TelemetryEvent, options: ReportTextOptions = {}): string {
  const { depth = DEPTH, maxChars = MAX_CHARS } = options;
  const { child, childPid, context, reason, nb_children: count } = event.fields;
  const room = { left: maxChars };
  const show = (value: unknown): string => printSafely(value, depth, room);
  const who =
    count === undefined
      ? `child ${show(child)}${childPid === undefined ? "" : ` (${show(childPid)})`}`
      : `${show(count)} children like ${show(child)}`;
  const line = `${event.process ?? "supervisor"}: ${who} ${show(context)}: ${show(reason)}`;
  return line.length <= maxChars ? line : `${line.slice(0, Math.max(0, maxChars - 1))}${MORE}`;
}

function printSafely(value: unknown, depth: number, room: Room): string {
  try {
    return print(value, depth, room);
  } catch {
    return "(unprintable)";
  }
}

function print(value: unknown, depth: number, room: Room): string {
  if (room.left <= 0) return MORE;
  if (typeof value === "string") return spend(printText(value, room.left), room);
  if (value instanceof Error)
    return spend(`${value.name}: ${printText(value.message, room.left)}`, room);
  if (typeof value !== "object" || value === null) return spend(String(value), room);
  if (depth <= 0) return MORE;
  const inner = (part: unknown): string => print(part, depth - 1, room);
  if (Array.isArray(value)) return `[${printParts(value, inner, room)}]`;
  const entries = Object.entries(value);
  return `{${printParts(entries, ([key, part]) => `${printText(key, room.left)}: ${inner(part)}`, room)}}`;
}

/** As many parts as there is room for. */
function printParts<T>(parts: readonly T[], one: (part: T) => string, room: Room): string {
  const texts: string[] = [];
  for (const part of parts) {
    if (room.left <= 0) {
      texts.push(MORE);
      break;
    }
    texts.push(one(part));
    // The separator, so that many empty parts end too.
    room.left -= 2;
  }
  return texts.join(", ");
}

/** Atoms stand bare; what has blanks or control characters is quoted and escaped. */
function printText(text: string, left: number): string {
  const start = text.length > left ? text.slice(0, left) : text;
  return PLAIN.test(start) ? start : JSON.stringify(start);
}

function spend(text: string, room: Room): string {
  room.left -= text.length;
  return text;
}
