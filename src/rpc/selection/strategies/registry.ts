/** All strategies: a new one is a module beside this file, a name in the config, and a line here. */
import type { StrategyName } from "../../../../config/schema.ts";
import { cheapest } from "./cheapest.ts";
import { fastest } from "./fastest.ts";
import { hybrid } from "./hybrid.ts";
import { latencyWeighted } from "./latency-weighted.ts";
import { leaderboard } from "./leaderboard.ts";
import { priority } from "./priority.ts";
import { roundRobin } from "./round-robin.ts";
import type { Strategy } from "./strategy.ts";

/** Strategies by name. */
export const strategies: Readonly<Record<StrategyName, Strategy>> = {
  leaderboard,
  fastest,
  "latency-weighted": latencyWeighted,
  cheapest,
  priority,
  "round-robin": roundRobin,
  hybrid,
};

/** Positions of the strategies in a ranking cache. */
export const strategyCodes: Readonly<Record<StrategyName, number>> = {
  leaderboard: 0,
  fastest: 1,
  "latency-weighted": 2,
  cheapest: 3,
  priority: 4,
  "round-robin": 5,
  hybrid: 6,
};

/** Names of the founding documents; the config keeps chains from being called so. */
const aliases: ReadonlyMap<string, StrategyName> = new Map([
  ["latency", "fastest"],
  ["latency-optimised", "fastest"],
  ["latency-based", "latency-weighted"],
  ["price-optimised", "cheapest"],
]);

/** The strategy behind a name or alias, with `_` for `-` where one likes; `undefined` when unknown. */
export const strategyNamed = (name: string): StrategyName | undefined => {
  const plain = name.replaceAll("_", "-");
  return Object.hasOwn(strategies, plain) ? (plain as StrategyName) : aliases.get(plain);
};
