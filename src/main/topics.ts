/** Publishes routing decisions, circuits and providers on the topics of their chains. */
import type { TelemetryListener } from "../../actors/ops/telemetry.ts";
import { EVENTS } from "../ops/events.ts";
import { eventsTopic, roomOf } from "../rpc/topics.ts";

/** The names that are published. */
const PUBLISHED = Object.keys(EVENTS).filter((name) => roomOf(name) !== undefined);

/** The listener that does it; a topic without subscribers costs a look-up. */
export const eventTopics = (
  region: string,
  broadcast: (topic: string, payload: unknown) => unknown,
): TelemetryListener => ({
  id: "topics",
  names: () => PUBLISHED,
  handle: ({ name, fields }) => {
    const room = roomOf(name);
    const { chain } = fields;
    if (room === undefined || typeof chain !== "string") return;
    broadcast(eventsTopic(chain, room), { event: name, region, ...fields });
  },
});
