/**
 * Every telemetry event of the product: name, level, fields, meaning.
 *
 * One typed table, its rows by domain in `events/`, feeds logs, metrics, the admin socket and
 * docs/telemetry.md. A test reads every `emit("…")` of the sources and fails for a name or a field
 * that is not here, and for an entry that nobody emits: what an operator reads about is what the
 * program says.
 */
import { clusterEvents } from "./events/cluster.ts";
import { configEvents, redisEvents, telemetryEvents } from "./events/host.ts";
import {
  breakerEvents,
  providerEvents,
  wrongAnswerEvents,
  quorumEvents,
  predictionEvents,
  quotaEvents,
} from "./events/providers.ts";
import {
  requestEvents,
  logRangeEvents,
  filterEvents,
  writeEvents,
  clientEvents,
} from "./events/requests.ts";
import { pairingEvents } from "./events/pairing.ts";
import { processEvents, systemEvents } from "./events/runtime.ts";
import { storageEvents } from "./events/storage.ts";
import type { EventLevel, EventSpec } from "./events/spec.ts";
import {
  raceEvents,
  headEvents,
  answerEvents,
  subscriptionEvents,
  socketEvents,
} from "./events/streams.ts";

export { EVENT_FIELDS } from "./events/fields.ts";
export type { EventLevel, EventSpec } from "./events/spec.ts";

/** The table: every event that may be emitted anywhere. */
export const EVENTS = {
  ...requestEvents,
  ...breakerEvents,
  ...providerEvents,
  ...logRangeEvents,
  ...filterEvents,
  ...writeEvents,
  ...wrongAnswerEvents,
  ...quorumEvents,
  ...raceEvents,
  ...headEvents,
  ...answerEvents,
  ...subscriptionEvents,
  ...socketEvents,
  ...configEvents,
  ...processEvents,
  ...quotaEvents,
  ...predictionEvents,
  ...clientEvents,
  ...redisEvents,
  ...clusterEvents,
  ...pairingEvents,
  ...storageEvents,
  ...systemEvents,
  ...telemetryEvents,
} as const satisfies Readonly<Record<string, EventSpec>>;

/** The name of an event in the table. */
export type EventName = keyof typeof EVENTS;

/** The row of an event, or undefined for a name that is not in the table. */
export const eventSpec = (name: string): EventSpec | undefined =>
  Object.hasOwn(EVENTS, name) ? EVENTS[name as EventName] : undefined;

/** A task's failure is an answer to its owner, which decides whether it matters. */
export const isTask = (process: string | undefined): boolean =>
  process?.includes("/task/") === true;

/** How loud this very event is; one that is not in the table is a whisper. */
export function eventLevel(
  name: string,
  fields: Readonly<Record<string, unknown>>,
  process?: string,
): EventLevel {
  const spec = eventSpec(name);
  if (name === "otp.crash" && isTask(process)) return "debug";
  if (spec?.unless !== undefined && fields[spec.unless.field] === spec.unless.equals) {
    return spec.unless.level;
  }
  return spec?.level ?? "debug";
}
