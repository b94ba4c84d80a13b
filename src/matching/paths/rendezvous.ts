/**
 * Weighted choice by rendezvous hashing: every provider draws its own number from the seed and its id,
 * and the k largest `w / -ln u` win. That is sampling without replacement by weight (Efraimidis and
 * Spirakis 2006, with hashes for chance), does not depend on any order, and one who leaves changes
 * nothing for the others.
 */
import { fnv64, type Halves } from "../../lib/fnv64.ts";

/** A seed as a match takes it. */
export type Seed = number | string;

/** Both halves of a seed. */
export const seedHalves = (seed: Seed): Halves => fnv64(String(seed));

/** The number in (0, 1) that an id draws under a seed. */
export const drawOf = (idHigh: number, idLow: number, seed: Halves): number => {
  const high = mixed(Math.imul(idHigh ^ seed.high, GOLDEN));
  const low = mixed(Math.imul((idLow + 0x7f4a7c15) ^ (seed.low + 0x165667b1), GOLDEN));
  return ((high >>> 5) * 2 ** 26 + (low >>> 6) + 0.5) / 2 ** 53;
};

/** The key that the draw gives a weight. */
export const keyOf = (weight: number, draw: number): number => weight / -Math.log(draw);

const GOLDEN = 0x9e3779b1;

const mixed = (value: number): number => {
  const once = Math.imul(value ^ (value >>> 15), 0x85ebca77);
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae3d);
  return twice ^ (twice >>> 16);
};
