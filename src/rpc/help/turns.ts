/**
 * Which regions a chain has ways to: the nearest ones, and one of the others at a time, by turns. Without
 * the turns nobody would ever learn how far the others are, nor that one of them has become near.
 */
import type { Neighbour } from "./ports.ts";

/** Regions that are kept ready to help, the nearest ones. */
const MAX_WAYS = 4;
/** How long one of the others has its turn, ms: two questions show how far it is. */
const TURN_MS = 10_000;

/** Whose turn it is among the others. */
export interface Turn {
  readonly region: string;
  readonly untilMs: number;
}

/** The regions that shall have a way, and whose turn it is. */
export interface Wanted {
  readonly ways: readonly Neighbour[];
  readonly turn: Turn | undefined;
}

/**
 * Chooses among the regions that help, nearest first; `last` is the turn before. `random` in [0, 1) tells
 * where the first one begins: not all chains and regions shall ask the same one.
 */
export const waysWanted = (
  helpers: readonly Neighbour[],
  last: Turn | undefined,
  nowMs: number,
  random: number,
): Wanted => {
  const nearest = helpers.slice(0, MAX_WAYS);
  const others = helpers.slice(MAX_WAYS).filter(({ isMeasured }) => isMeasured);
  const turn = turnAmong(others, last, nowMs, random);
  const guest = others.find(({ region }) => region === turn?.region);
  return { ways: guest === undefined ? nearest : [...nearest, guest], turn };
};

const turnAmong = (
  others: readonly Neighbour[],
  last: Turn | undefined,
  nowMs: number,
  random: number,
): Turn | undefined => {
  const names = others.map(({ region }) => region).sort();
  if (last !== undefined && nowMs < last.untilMs && names.includes(last.region)) return last;
  const next =
    last === undefined
      ? names[Math.floor(random * names.length)]
      : names.find((name) => name > last.region);
  const region = next ?? names[0];
  return region === undefined ? undefined : { region, untilMs: nowMs + TURN_MS };
};
