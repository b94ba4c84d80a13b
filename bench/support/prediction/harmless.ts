/** Lives in which nothing fails, however they look at times. */
import { between, blockTime, healthy, ramp, type Moment, type Scenario } from "./course.ts";

/** Ten minutes each. */
const SECONDS = 600;

const quiet = (
  name: string,
  make: (base: Moment, random: () => number) => (sec: number) => Partial<Moment>,
): Scenario => ({
  name,
  isForeseeable: false,
  draw: (random) => {
    const base = healthy(random);
    const change = make(base, random);
    return {
      seconds: SECONDS,
      blockSec: blockTime(random),
      onsetSec: undefined,
      at: (sec) => ({ ...base, ...change(sec) }),
    };
  },
});

const someTime = (random: () => number): number => Math.round(between(random, 100, 450));

/** All kinds. */
export const harmless: readonly Scenario[] = [
  quiet("noise", (_base, random) => {
    const spread = between(random, 0.5, 0.8);
    const errorRatio = between(random, 0.005, 0.03);
    return () => ({ spread, errorRatio });
  }),
  quiet("one burst", (base, random) => {
    const fromSec = someTime(random);
    const lastsSec = between(random, 5, 20);
    const slowdown = between(random, 1.5, 3.5);
    return (sec) =>
      sec >= fromSec && sec < fromSec + lastsSec
        ? { slowdown, callsPerSec: base.callsPerSec * 5, errorRatio: 0.02 }
        : {};
  }),
  quiet("change of methods", ({ methods }, random) => {
    const fromSec = someTime(random);
    const share = between(random, 0.4, 0.9);
    const heavy = methods.map((one) => ({
      ...one,
      share: one.method === "eth_getLogs" ? share : (one.share / 0.92) * (1 - share),
    }));
    return (sec) => (sec >= fromSec ? { methods: heavy } : {});
  }),
  quiet("cold start", ({ callsPerSec }, random) => {
    const warmSec = between(random, 10, 40);
    const slowdown = between(random, 2, 5);
    return (sec) => {
      const cold = 1 - ramp(sec, 0, warmSec);
      return {
        slowdown: 1 + (slowdown - 1) * cold,
        callsPerSec: callsPerSec * (1 - 0.9 * cold),
        missRatio: 0.005 + 0.1 * cold,
      };
    };
  }),
  quiet("load wave", ({ callsPerSec }, random) => {
    const periodSec = between(random, 1_200, 3_600);
    const phase = random() * 2 * Math.PI;
    const height = between(random, 0.5, 1.5);
    return (sec) => {
      const wave = (1 + Math.sin((2 * Math.PI * sec) / periodSec + phase)) / 2;
      return { slowdown: 1 + height * wave, callsPerSec: callsPerSec * (0.3 + 0.7 * wave) };
    };
  }),
  quiet("slow but steady", ({ methods }, random) => {
    const factor = between(random, 5, 12);
    return () => ({
      methods: methods.map((one) => ({ ...one, medianMs: one.medianMs * factor })),
      spread: 0.35,
    });
  }),
  quiet("a step to slower", (_base, random) => {
    const fromSec = someTime(random);
    const slowdown = between(random, 1.3, 2);
    return (sec) => (sec >= fromSec ? { slowdown } : {});
  }),
  quiet("a few refusals", ({ callsPerSec }, random) => {
    const limitedRatio = between(random, 0.01, 0.08);
    const everySec = Math.round(between(random, 60, 200));
    return (sec) =>
      // A spike of calls meets the limit for a moment.
      sec % everySec < 3 ? { callsPerSec: 4 * callsPerSec, limitedRatio: 0.2 } : { limitedRatio };
  }),
  quiet("a few failures", (_base, random) => {
    const errorRatio = between(random, 0.02, 0.08);
    const fromSec = someTime(random);
    const lastsSec = between(random, 2, 5);
    return (sec) =>
      sec >= fromSec && sec < fromSec + lastsSec ? { errorRatio: 0.2 } : { errorRatio };
  }),
  quiet("few calls", (_base, random) => {
    const callsPerSec = between(random, 0.05, 0.5);
    return () => ({ callsPerSec, errorRatio: 0.02 });
  }),
  quiet("late blocks", (_base, random) => {
    const everySec = Math.round(between(random, 20, 120));
    const lastsSec = Math.round(between(random, 2, 8));
    const lag = random() < 0.5 ? 1 : 2;
    return (sec) => (sec % everySec < lastsSec ? { lag } : {});
  }),
  quiet("a reconnect now and then", (_base, random) => {
    const everySec = Math.round(between(random, 45, 300));
    return (sec) => ({ hasDropped: sec % everySec === everySec - 1 });
  }),
];
