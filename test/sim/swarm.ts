/**
 * The plan of a seed. Each seed enables a random part of the table of faults: what never happens
 * beside everything else does happen when most kinds are off (swarm testing, Groce et al. 2012).
 */
import { seededRandom } from "../../src/lib/random.ts";
import type { FaultProfile } from "../../src/rpc/fake/faults.ts";
import { between, type FaultKind, type FaultName } from "./faults/kind.ts";
import { FAULTS } from "./faults/table.ts";
import type { ChainPlan, Plan, ProviderPlan, Stroke } from "./plan.ts";

const CHAIN_NAMES = ["alpha", "beta", "gamma"];
const FIRST_CHAIN_ID = 1_001;
const WARM_UP_MS = 4_000;
const STORM_MS = 32_000;
const HEAL_MS = 15_000;
/**
 * A socket waits up to 30 s for its next attempt; a breaker that was reopened four times, because
 * there was no socket, rests for 16 times its second after that.
 */
const MAX_HEAL_MS = 55_000;
/** The end of the storm is free of new strokes, so that each has time to show. */
const LAST_STROKE_MS = STORM_MS - 1_000;
const REORG_EPOCH = 8;
const BLOCK_MS = 1_000;

/** Draws what a seed stands for. */
export const drawPlan = (seed: number): Plan => {
  const chance = seededRandom(seed * 7_919 + 17);
  const share = 0.15 + 0.55 * chance();
  const kinds = FAULTS.filter(({ hasOwnDice }) => hasOwnDice !== true && chance() < share);
  const names = new Set(kinds.map(({ name }) => name));
  const chains = Array.from({ length: 1 + Math.floor(chance() * CHAIN_NAMES.length) }, (_, index) =>
    drawChain(index, names, chance),
  );
  const late = FAULTS.filter(({ hasOwnDice }) => hasOwnDice === true).flatMap((kind, index) => {
    const dice = seededRandom(seed * 6_271 + 29 + index * 104_729);
    return dice() < share ? [{ kind, dice }] : [];
  });
  const has = (name: FaultName) => late.find(({ kind }) => kind.name === name);
  const deep = has("deep-reorg");
  return {
    seed,
    chains: chains.map((chain) => ({
      ...chain,
      ...(has("lie") !== undefined && { hasQuorum: true }),
      ...(deep !== undefined && { deepReorg: drawDeepReorg(deep.dice) }),
    })),
    load: {
      everyMs: between([80, 320], chance),
      batchShare: chance() * 0.3,
      leaveShare: chance() < 0.5 ? 0 : 0.05,
      subscribers: 1 + Math.floor(chance() * 2),
    },
    strokes: [
      ...kinds.flatMap((kind) => drawStrokes(kind, chance)),
      ...late.flatMap(({ kind, dice }) => drawStrokes(kind, dice)),
    ],
    warmUpMs: WARM_UP_MS,
    stormMs: STORM_MS,
    healMs: HEAL_MS,
    maxHealMs: MAX_HEAL_MS,
  };
};

const drawChain = (
  index: number,
  names: ReadonlySet<FaultName>,
  chance: () => number,
): ChainPlan => {
  // In one run of five everybody may be struck: then nothing but honesty is promised.
  const hasSpared = chance() < 0.8;
  const count = 1 + Math.floor(chance() * 5);
  return {
    name: CHAIN_NAMES[index] as string,
    chainId: FIRST_CHAIN_ID + index,
    reorgEpoch: names.has("reorg") ? REORG_EPOCH : 0,
    providers: Array.from({ length: count }, (_, at) =>
      drawProvider(at, at === 0 && hasSpared, chance),
    ),
  };
};

/** Mostly not so deep. */
const drawDeepReorg = (chance: () => number): NonNullable<ChainPlan["deepReorg"]> => ({
  depth: 4 + Math.floor(61 * chance() ** 2),
  block: between([1, (WARM_UP_MS + LAST_STROKE_MS) / BLOCK_MS], chance),
});

const drawProvider = (at: number, isSpared: boolean, chance: () => number): ProviderPlan => {
  const steady: FaultProfile = {
    latencyMs: between([3, 40], chance),
    jitterMs: between([0, 20], chance),
    headDelayMs: between([10, 80], chance),
    headJitterMs: between([0, 80], chance),
  };
  const isFlaky = !isSpared && chance() < 0.2;
  return {
    id: `p${at}`,
    isSpared,
    profile: isFlaky
      ? {
          ...steady,
          ratios: { status500: 0.04, garbage: 0.01, reset: 0.02, truncate: 0.01, rpcError: 0.02 },
          wsDropAfterMs: between([5_000, 20_000], chance),
        }
      : steady,
  };
};

/** When one kind strikes during a storm. */
export const drawStrokes = (
  { name, everyMs, forMs }: FaultKind,
  chance: () => number,
  untilMs: number = LAST_STROKE_MS,
): readonly Stroke[] => {
  const strokes: Stroke[] = [];
  let atMs = between([0, everyMs[1]], chance);
  while (atMs < untilMs) {
    strokes.push({
      atMs,
      kind: name,
      forMs: forMs === undefined ? 0 : between(forMs, chance),
      dice: Math.floor(chance() * 2 ** 31),
    });
    atMs += between(everyMs, chance);
  }
  return strokes;
};
