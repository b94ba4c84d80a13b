/**
 * FNV-1a of 32 bits (Fowler, Noll, Vo 1991) over the UTF-16 units of a text: one multiplication a unit,
 * equal on every machine. Neighbours stay close together, so whoever reads single bits mixes them once
 * more. Not for anything an attacker may choose with profit.
 */

const OFFSET = 0x811c9dc5;
const PRIME = 0x01000193;

/** The hash of `text`, an unsigned 32-bit number; another seed gives another hash. */
export const fnv32 = (text: string, seed = 0): number => {
  let hash = seed ^ OFFSET;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), PRIME);
  return hash >>> 0;
};
