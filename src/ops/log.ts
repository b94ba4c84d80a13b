/** Turns telemetry into log lines: structured fields in snake case, the event's name as the text. */
import { EVENTS, eventLevel, eventSpec, type EventLevel } from "./events.ts";

/** One telemetry event as the runtime hands it out. */
export interface TelemetryRecord {
  readonly name: string;
  /** Label of the emitting process. */
  readonly process?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** The part of the log that events need. */
export interface EventLog {
  isEnabled(level: EventLevel, subsystem: string): boolean;
  write(
    level: EventLevel,
    subsystem: string,
    message: string,
    fields: Readonly<Record<string, unknown>>,
  ): void;
}

/** Where an event belongs when its first word is not the subsystem's name. */
const SUBSYSTEM_OF: Readonly<Record<string, string>> = {
  circuit_breaker: "rpc.breaker",
  provider: "rpc.pool",
  aggregation: "rpc.race",
  head: "rpc.head",
  subs: "rpc.subs",
  websocket: "rpc.ws",
  rpc: "rpc",
  config: "ops.config",
  telemetry: "ops.telemetry",
};

/** The subsystem of an event, for `--log-level=rpc.breaker=debug`. */
export function subsystemOfEvent(name: string): string {
  const domain = name.slice(0, Math.max(0, name.indexOf(".")));
  return SUBSYSTEM_OF[domain] ?? (domain === "" ? "ops" : domain);
}

/** A telemetry handler that logs every event whose level its subsystem shows. */
export const eventLogger =
  (log: EventLog) =>
  ({ name, process, fields }: TelemetryRecord): void => {
    const level = eventLevel(name, fields, process);
    const subsystem = subsystemOfEvent(name);
    if (!log.isEnabled(level, subsystem)) return;
    const line: Record<string, unknown> = { event: name };
    if (process !== undefined) line["process"] = process;
    for (const [key, value] of Object.entries(fields)) {
      if (value !== undefined && value !== "") line[logName(key)] = logValue(value);
    }
    log.write(level, subsystem, name, line);
  };

/**
 * The events that this log would write now. Attach to these, not to all: an event that nobody hears
 * costs its emitter one look-up.
 */
export const loggedEvents = (log: Pick<EventLog, "isEnabled">): readonly string[] =>
  Object.keys(EVENTS).filter((name) => {
    const spec = eventSpec(name);
    const subsystem = subsystemOfEvent(name);
    return [spec?.level, spec?.unless?.level].some(
      (level) => level !== undefined && log.isEnabled(level, subsystem),
    );
  });

const NAMES = new Map<string, string>([["provider", "provider_id"]]);

/** `oldStatus` reads `old_status` in the log; names come from code, so few are remembered. */
function logName(field: string): string {
  const known = NAMES.get(field);
  if (known !== undefined) return known;
  const name = field.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  if (NAMES.size < 1_000) NAMES.set(field, name);
  return name;
}

/** Exit reasons may hold an Error, which JSON would print as {}. */
function logValue(value: unknown): unknown {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (typeof value === "number" && !Number.isInteger(value)) return Number(value.toFixed(3));
  if (Array.isArray(value)) return value.slice(0, 50).map(logValue);
  if (typeof value === "object" && value !== null && "error" in value) return logValue(value.error);
  return value;
}
