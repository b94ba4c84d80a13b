/** Events of this host: its configuration, its Redis, those who watch it. */
import type { EventSpec } from "./spec.ts";

/** The configuration. */
export const configEvents = {
  "config.reload.stop": {
    level: "info",
    fields: ["result", "durationMs"],
    optional: ["hash", "changes", "reason", "code", "file"],
    meaning: "The reload ended; when it failed, the old configuration goes on.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** The connection to Redis. */
export const redisEvents = {
  "redis.up": {
    level: "info",
    fields: ["from"],
    meaning: "Redis answers; from says whether it was connecting or had stalled.",
  },
  "redis.stalled": {
    level: "warn",
    fields: [],
    meaning: "Redis is connected but has stopped answering; nothing is sent until it does.",
  },
  "redis.down": {
    level: "warn",
    fields: ["from", "reason", "delayMs"],
    meaning: "The connection to Redis is lost or cannot be made; it is tried again after delayMs.",
  },
  "redis.trouble": {
    level: "warn",
    fields: ["kind", "reason"],
    meaning:
      "Redis answers, but with an error: OOM, READONLY (also said when it copies another server), NOPERM, WRONGTYPE and so on. Requests go on without it. Told of once a minute for each kind.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;

/** Telemetry itself. */
export const telemetryEvents = {
  "telemetry.handler.failure": {
    level: "error",
    fields: ["handler", "event", "error"],
    meaning: "A telemetry handler threw and was detached.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;
