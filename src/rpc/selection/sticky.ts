/** Keeps a ranking's primary in place until a challenger is clearly better for long enough. */
import type { StrategyName } from "../../../config/schema.ts";
import type { ProviderId } from "../ids.ts";
import type { Candidate, RoutingSnapshot, SelectionDemand, SelectionMemory } from "./snapshot.ts";
import { methodClass } from "./method-class.ts";

const maxUnreported = 100;

/** What selection of one chain remembers, empty. */
export const createSelectionMemory = (): SelectionMemory => ({
  sticky: new Map(),
  rotations: new Map(),
  switches: [],
});

/** Takes the changes of primary since the last call, for events. */
export const takeSwitches = (memory: SelectionMemory): SelectionMemory["switches"] =>
  memory.switches.splice(0);

/**
 * Puts the standing primary first while it is as healthy and trusted as the leader, unless the
 * leader scores more than `1 + hysteresis` times as much and the last change is long enough ago.
 * `leading` is the group of equally placed candidates, best first.
 */
export const holdPrimary = (
  leading: readonly Candidate[],
  snapshot: RoutingSnapshot,
  strategy: StrategyName,
  demand: SelectionDemand,
): readonly Candidate[] => {
  const challenger = leading[0];
  if (challenger === undefined) return leading;
  const { memory, builtAtMs, rules } = snapshot;
  const key = keyOf(strategy, demand);
  const held = memory.sticky.get(key);
  const position = leading.findIndex(({ view }) => view.provider === held?.provider);
  const holder = leading[position];
  if (held !== undefined && holder !== undefined) {
    if (position === 0) return leading;
    const isBetter = challenger.score > holder.score * (1 + rules.stickyHysteresis);
    const isDue = builtAtMs - held.sinceMs >= rules.stickyMinIntervalMs;
    if (!isBetter || !isDue) {
      return [holder, ...leading.filter((candidate) => candidate !== holder)];
    }
  }
  const to = challenger.view.provider;
  // Lists come and go: they follow the chain's primary, and make none.
  if (demand.paired !== undefined && demand.hasLeftList !== true) return leading;
  memory.sticky.set(key, { provider: to, sinceMs: builtAtMs });
  if (held !== undefined && held.provider !== to) {
    if (memory.switches.length < maxUnreported) {
      memory.switches.push({ key, from: held.provider, to, atMs: builtAtMs });
    }
  }
  return leading;
};

const keyOf = (strategy: StrategyName, demand: SelectionDemand): string =>
  `${strategy}/${demand.transport ?? "any"}/${methodClass(demand.method)}${ofProfile(demand)}`;

const ofProfile = ({ profile }: SelectionDemand): string =>
  profile === undefined ? "" : `/${profile.name}`;

/** Who holds the first place of such demands now. */
export const stickyProvider = (
  { memory }: RoutingSnapshot,
  strategy: StrategyName,
  demand: SelectionDemand,
): ProviderId | undefined => memory.sticky.get(keyOf(strategy, demand))?.provider;
