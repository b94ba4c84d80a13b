/** Lives that end in a failure. */
import { between, blockTime, healthy, trueTailMs, type Moment, type Scenario } from "./course.ts";

/** Time that the provider is well before anything begins, s. */
const WELL_SEC = [90, 240] as const;
/** Time that is played after the breach, s. */
const AFTER_SEC = 20;

/** A failure that grows from an onset over a while. */
const growing = (
  name: string,
  lasts: readonly [number, number],
  make: (base: Moment, random: () => number) => (grown: number, sec: number) => Partial<Moment>,
): Scenario => ({
  name,
  isForeseeable: true,
  draw: (random) => {
    const base = healthy(random);
    const onsetSec = Math.round(between(random, ...WELL_SEC));
    const lastsSec = Math.round(between(random, ...lasts));
    const change = make(base, random);
    const endSec = onsetSec + lastsSec;
    return {
      seconds: endSec + AFTER_SEC,
      blockSec: blockTime(random),
      onsetSec,
      at: (sec) => ({ ...base, ...change((sec - onsetSec) / lastsSec, sec - onsetSec) }),
    };
  },
});

/** Slowdown at which a provider's tail is a little over both limits. */
const breaking = (base: Moment): number => Math.max(4, 500 / trueTailMs(base)) * 1.03;

const clamp = (grown: number): number => Math.min(1.2, Math.max(0, grown));

/** All kinds. */
export const failures: readonly Scenario[] = [
  growing("latency ramp", [40, 300], (base) => (grown) => ({
    slowdown: 1 + (breaking(base) - 1) * clamp(grown),
  })),
  growing("error creep", [40, 300], (_base, random) => {
    const isExponential = random() < 0.5;
    return (grown) => ({
      errorRatio:
        0.003 + 0.26 * (isExponential ? (grown <= 0 ? 0 : clamp(grown) ** 2.5) : clamp(grown)),
    });
  }),
  growing("rate-limit onset", [20, 120], (base) => (grown) => ({
    limitedRatio: grown >= 1 ? 0.8 : 0.26 * clamp(grown),
    callsPerSec: base.callsPerSec * (1 + clamp(grown)),
  })),
  {
    name: "head lag growth",
    isForeseeable: true,
    draw: (random) => {
      const base = healthy(random);
      const blockSec = blockTime(random);
      const onsetSec = Math.round(between(random, ...WELL_SEC));
      const perBlockSec = Math.max(blockSec * between(random, 1.1, 4), between(random, 4, 20));
      return {
        seconds: Math.round(onsetSec + 4 * perBlockSec) + AFTER_SEC,
        blockSec,
        onsetSec,
        at: (sec) => ({ ...base, lag: Math.max(0, Math.floor((sec - onsetSec) / perBlockSec)) }),
      };
    },
  },
  {
    name: "miss-rate growth",
    isForeseeable: true,
    draw: (random) => {
      const base = healthy(random);
      const blockSec = blockTime(random);
      const onsetSec = Math.round(between(random, ...WELL_SEC));
      const lastsSec = between(random, 60, 300) * (blockSec > 4 ? 3 : 1);
      return {
        seconds: Math.round(onsetSec + lastsSec) + AFTER_SEC,
        blockSec,
        onsetSec,
        at: (sec) => ({
          ...base,
          missRatio: 0.005 + 0.52 * clamp((sec - onsetSec) / lastsSec),
        }),
      };
    },
  },
  {
    name: "WebSocket flapping",
    isForeseeable: true,
    draw: (random) => {
      const base = healthy(random);
      const onsetSec = Math.round(between(random, ...WELL_SEC));
      const drops: number[] = [onsetSec];
      let gapSec = between(random, 20, 40);
      while (gapSec > 4) {
        drops.push(Math.round((drops.at(-1) ?? onsetSec) + gapSec));
        gapSec *= between(random, 0.45, 0.9);
      }
      const deadSec = (drops.at(-1) ?? onsetSec) + 3;
      return {
        seconds: deadSec + AFTER_SEC,
        blockSec: blockTime(random),
        onsetSec,
        at: (sec) => ({ ...base, hasDropped: drops.includes(sec), isDead: sec >= deadSec }),
      };
    },
  },
  {
    name: "memory-leak sawtooth",
    isForeseeable: true,
    draw: (random) => {
      const base = healthy(random);
      const startSec = Math.round(between(random, ...WELL_SEC));
      const toothSec = Math.round(between(random, 60, 150));
      // The first tooth ends well: half of the memory was still free.
      const onsetSec = startSec + toothSec;
      const deadSec = onsetSec + 2 * toothSec;
      const most = breaking(base);
      return {
        seconds: deadSec + AFTER_SEC,
        blockSec: blockTime(random),
        onsetSec,
        at: (sec) => {
          const used =
            sec < startSec
              ? 0
              : sec < onsetSec
                ? (sec - startSec) / (2 * toothSec)
                : (sec - onsetSec) / (2 * toothSec);
          // Collections take longer the less is free.
          const strain = clamp(used) ** 3;
          return {
            ...base,
            slowdown: 1 + (most - 1) * strain,
            errorRatio: 0.003 + 0.1 * strain,
            isDead: sec >= deadSec,
          };
        },
      };
    },
  },
  growing("everything at once, slowly", [60, 300], (base) => (grown) => ({
    slowdown: 1 + (breaking(base) - 1) * clamp(grown),
    errorRatio: 0.003 + 0.2 * clamp(grown),
    missRatio: 0.005 + 0.3 * clamp(grown),
  })),
  {
    name: "sudden death",
    isForeseeable: false,
    draw: (random) => {
      const base = healthy(random);
      const deadSec = Math.round(between(random, ...WELL_SEC));
      return {
        seconds: deadSec + AFTER_SEC,
        blockSec: blockTime(random),
        onsetSec: deadSec,
        at: (sec) => ({ ...base, isDead: sec >= deadSec }),
      };
    },
  },
];
