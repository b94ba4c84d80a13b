/**
 * A bounded, redacted copy of a state for operators, used where an actor has no formatState.
 */

const MAX_DEPTH = 3;
const MAX_ENTRIES = 30;
const MAX_TEXT = 200;
const SECRET = /secret|token|password|authorization|api_?key|private|url|headers/i;

/** Copies plain data, cuts what is large, hides what is named like a secret. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") {
    return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
  }
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return "[function]";
  if (typeof value === "symbol") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof Map) return `[map of ${value.size}]`;
  if (value instanceof Set) return `[set of ${value.size}]`;
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return Array.isArray(value) ? `[array of ${value.length}]` : "[object]";
  if (Array.isArray(value)) {
    const shown = value.slice(0, MAX_ENTRIES).map((item) => redact(item, depth + 1));
    return value.length > MAX_ENTRIES ? [...shown, `… ${value.length - MAX_ENTRIES} more`] : shown;
  }
  const prototype: unknown = Object.getPrototypeOf(value);
  // Class instances (sockets, secrets, pools) may hold anything: only their kind is shown.
  if (prototype !== Object.prototype && prototype !== null) {
    return `[${value.constructor.name}]`;
  }
  return redactRecord(value as Readonly<Record<string, unknown>>, depth);
}

function redactRecord(record: Readonly<Record<string, unknown>>, depth: number): unknown {
  const copy: Record<string, unknown> = {};
  let shown = 0;
  for (const [key, inner] of Object.entries(record)) {
    if (shown === MAX_ENTRIES) {
      copy["…"] = "more";
      break;
    }
    shown += 1;
    copy[key] = SECRET.test(key) && inner !== undefined ? "***" : redact(inner, depth + 1);
  }
  return copy;
}
