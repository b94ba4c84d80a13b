/** Events of pairing: its markets, its queue, its workers. */
import type { EventSpec } from "./spec.ts";

/** Pairing. */
export const pairingEvents = {
  "pairing.market.loaded": {
    level: "info",
    fields: ["market", "count", "refused", "entries"],
    meaning: "Many providers came into a market at once; entries is how many it holds now.",
  },
  "pairing.market.skipped": {
    level: "warn",
    fields: ["market", "reason"],
    meaning:
      "A market is kept in the database but not served: it is not configured, and there is no room for it among those made on demand.",
  },
  "pairing.restore.failed": {
    level: "error",
    fields: ["market", "reason", "delayMs"],
    meaning: "What was kept of a market could not be read; it is not served, and tried again.",
  },
  "pairing.weights.skipped": {
    level: "warn",
    fields: ["market", "name", "reason"],
    meaning: "Kept weights of a profile do not fit it any more; it has the usual ones.",
  },
  "pairing.queue.full": {
    level: "warn",
    fields: ["count", "limit"],
    meaning: "Policies were refused because the queue was full; told once a second.",
  },
  "pairing.results.dropped": {
    level: "warn",
    fields: ["count", "limit"],
    meaning: "Results went because nobody took them in time; told once a second.",
  },
  "pairing.list.made": {
    level: "info",
    fields: ["epoch", "count", "changed", "empty"],
    meaning: "Lists of consumers were drawn; so many name other providers now, or nobody.",
  },
  "pairing.list.repair": {
    level: "warn",
    fields: ["consumer", "chain", "epoch", "count"],
    meaning: "Too few of a list were left in its market: it was drawn anew before its time.",
  },
  "pairing.list.empty": {
    level: "warn",
    fields: ["consumer", "chain", "epoch", "filter"],
    meaning: "Nobody satisfies a consumer's policy; filter keeps most away.",
  },
  "pairing.list.refused": {
    level: "warn",
    fields: ["consumer", "chain", "epoch", "reason"],
    meaning: "A policy cannot be followed any more; the list that there is stays.",
  },
  "pairing.policies.failed": {
    level: "error",
    fields: ["reason", "delayMs"],
    meaning: "Kept policies of consumers could not be read: no list is made; it is tried again.",
  },
  "pairing.worker.down": {
    level: "warn",
    fields: ["name", "reason"],
    meaning: "A worker died; the policy it held goes to another one, once.",
  },
  "pairing.worker.errors": {
    level: "warn",
    fields: ["name", "limit", "reason"],
    meaning: "A worker had more errors in its window than allowed; reason is the last of them.",
  },
  "pairing.cache.evict": {
    level: "debug",
    fields: ["count", "limit"],
    meaning: "Rankings made room for others; told once a second.",
  },
  "pairing.cache.refused": {
    level: "warn",
    fields: ["count"],
    meaning:
      "Rankings in Redis were none of ours, or none of this market: somebody else writes there, or hosts have different secrets; told once a second.",
  },
  "matching.match.stop": {
    level: "debug",
    fields: ["market", "foundBy", "considered", "left", "picks", "us"],
    meaning: "One of the matches of the last second, the last of its market.",
  },
  "matching.scorer.failed": {
    level: "warn",
    fields: ["market", "scorer", "count"],
    meaning: "A scorer failed on picks, which got nothing from it; told once a second.",
  },
  "matching.rank.rebuilt": {
    level: "debug",
    fields: ["market", "count", "entries"],
    meaning: "Orders of a market were made or made anew; entries is how many providers it holds.",
  },
  "matching.dictionary.full": {
    level: "warn",
    fields: ["market", "kind", "count"],
    meaning: "Providers were refused because their market has no room for another label.",
  },
} as const satisfies Readonly<Record<string, EventSpec>>;
