/** All strategies: a new one is a module beside this file, a name in the config, and a line here. */
import { STRATEGY_ALIASES, type StrategyName } from "../../../../config/schema.ts";
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

/** The strategy behind a name or another spelling of it; `undefined` when there is none. */
export const strategyNamed = (name: string): StrategyName | undefined => {
  if (Object.hasOwn(strategies, name)) return name as StrategyName;
  return Object.hasOwn(STRATEGY_ALIASES, name)
    ? STRATEGY_ALIASES[name as keyof typeof STRATEGY_ALIASES]
    : undefined;
};
