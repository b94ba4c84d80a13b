/** Events of what is kept in the database. */
import type { EventSpec } from "./spec.ts";

/** The database of markets and rankings. */
export const storageEvents = {
  "pairing.store.up": {
    level: "info",
    fields: ["failures", "queued"],
    meaning: "The database takes what it is given again.",
  },
  "pairing.store.down": {
    level: "warn",
    fields: ["reason", "delayMs", "queued"],
    meaning:
      "The database did not take a batch; pairing goes on, and the batch is tried again after delayMs.",
  },
  "pairing.audit.dropped": {
    level: "warn",
    fields: ["count"],
    meaning:
      "Rankings will not be in the audit trail: more came than may wait while the database is away.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;
