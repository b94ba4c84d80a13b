/** Events of what regions share. */
import type { EventSpec } from "./spec.ts";

/** Other regions, and this one among them. */
export const clusterEvents = {
  "cluster.state": {
    level: "info",
    fields: ["from", "to"],
    meaning:
      "This region joined the others, looks whether its name is free (joining), or is apart from them while Redis is away.",
  },
  "cluster.name_taken": {
    level: "error",
    fields: [],
    meaning:
      "Another instance, which was there before, has this region's name: nothing is shared until it is gone. Give each instance its own `region`.",
  },
  "cluster.region_joined": {
    level: "info",
    fields: ["remote", "incarnation", "from"],
    meaning: "Another region is there, anew or for the first time.",
  },
  "cluster.region_changed": {
    level: "info",
    unless: { field: "to", equals: "lost", level: "warn" },
    fields: ["remote", "from", "to"],
    meaning:
      "Another region is heard again (joined), was not heard lately (suspected), left, or was silent for its lease (lost): then its names and leaderboards are forgotten.",
  },
  "cluster.command": {
    level: "info",
    unless: { field: "access", equals: "read", level: "debug" },
    fields: ["remote", "command", "role", "access", "result"],
    meaning:
      "An operator of another region has had a command carried out here, or was refused: result is ok or the code of the refusal. What changes something is in the audit log too.",
  },
  "cluster.message_refused": {
    level: "warn",
    fields: ["kind", "reason"],
    meaning:
      "A message on the regions' channel was refused: unsigned, replayed, of another layout, too large, malformed. Told of once a minute for each kind and sender, counted each time.",
  },
  "cluster.unheard": {
    level: "warn",
    fields: [],
    meaning:
      "Redis answers, but for a whole lease none of this region's own messages came back: its user may not publish, or nobody delivers. It listens over another connection then, at most once a minute.",
  },
  "cluster.help.started": {
    level: "warn",
    fields: ["chain", "remote"],
    meaning:
      "No provider of the chain may be asked, for two seconds by now: its reads are passed on to the other region.",
  },
  "cluster.help.missing": {
    level: "error",
    fields: ["chain"],
    meaning:
      "No provider of the chain may be asked, and no other region helps now: none has joined that serves the chain and has `help` on.",
  },
  "cluster.help.ended": {
    level: "info",
    fields: ["chain", "durationMs"],
    meaning: "The chain has providers of its own again, and asks them.",
  },
  "cluster.help.refused": {
    level: "warn",
    fields: ["kind", "reason"],
    meaning:
      "A call was refused that another region, or so it says, has passed on. Told of once a minute for each kind, counted each time.",
  },
  "cluster.singleton_held": {
    level: "info",
    fields: ["name", "token"],
    meaning:
      "This region holds the lease of a process that the whole cluster has once, and runs it.",
  },
  "cluster.singleton_lost": {
    level: "warn",
    fields: ["name", "token", "reason"],
    meaning:
      "This region has lost that lease and has ended the process; it runs where the lease is held next, and nowhere without Redis.",
  },
  "cluster.link_lost": {
    level: "warn",
    fields: ["reason"],
    optional: ["delayMs"],
    meaning: "The connection that listens to the other regions is lost, and is tried again.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;
