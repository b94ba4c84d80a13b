/** A component of a forecast in words: `q95 rose 40 ms/s over 20 s, limit 500 ms in 12 s`. */
import type { Component } from "./foresee.ts";
import type { SignalName } from "./signals.ts";

interface Words {
  readonly name: string;
  readonly unit: string;
  /** What a value is multiplied by before it is told. */
  readonly scale: number;
}

const words: Readonly<Record<SignalName, Words>> = {
  latency: { name: "q95", unit: " ms", scale: 1 },
  errors: { name: "failures", unit: " %", scale: 100 },
  rate_limits: { name: "rate limits", unit: " %", scale: 100 },
  misses: { name: "missed events", unit: " %", scale: 100 },
  lag: { name: "lag", unit: " blocks", scale: 1 },
  ws_drops: { name: "lost connections", unit: " a minute", scale: 1 },
};

/** The component as a sentence without numbers that nobody measured. */
export const reasonOf = (component: Component): string => {
  const { signal, level, slopePerSec, spanMs, limit, limitInSec } = component;
  const { name, unit, scale } = words[signal];
  const told = (value: number): string => `${short(value * scale)}${unit}`;
  if (limitInSec === 0) return `${name} at ${told(level)}, limit ${told(limit)}`;
  if (limitInSec === undefined) return `${name} steady at ${told(level)}, limit ${told(limit)}`;
  const rise = `rose ${told(slopePerSec)}/s over ${short(spanMs / 1_000)} s to ${told(level)}`;
  return `${name} ${rise}, limit ${told(limit)} in ${short(limitInSec)} s`;
};

/** Two significant digits, and whole numbers from ten on. */
const short = (value: number): string =>
  Math.abs(value) >= 10 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
