/**
 * What is known of the entries of one region: a map that its region alone writes.
 *
 * Every change has a number, counted by the region from 1. A replica holds the map as it stood at
 * `floor`, and the changes after it that have arrived, deletions among them. `join` of two replicas is
 * the least one that knows what both know: commutative, associative and idempotent, so pieces may come
 * in any order, twice, or not at all (a state-based CRDT; Shapiro et al., INRIA RR-7506, 2011). Another
 * instance of the region replaces everything; `laterThan` orders them.
 */
import type { Speaker } from "./protocol.ts";

/** One entry; a value of undefined is a deletion. */
export interface Entry<V> {
  readonly sequence: number;
  readonly value: V | undefined;
}

/** A replica, or a piece of one on its way. */
export interface Replica<V> extends Speaker {
  /** Everything up to this change is known. */
  floor: number;
  entries: Map<string, Entry<V>>;
}

/** The order of the instances of one region, the same everywhere: incarnation, then instance. */
export const isLater = (
  a: Pick<Speaker, "incarnation" | "instance">,
  b: Pick<Speaker, "incarnation" | "instance">,
): boolean =>
  a.incarnation === b.incarnation ? a.instance > b.instance : a.incarnation > b.incarnation;

/** A replica that knows nothing of an instance. */
export const emptyReplica = <V>({ region, instance, incarnation }: Speaker): Replica<V> => ({
  region,
  instance,
  incarnation,
  floor: 0,
  entries: new Map(),
});

/** What both know, in place of `known`; returns it, or a copy of `piece` that replaces it. */
export const join = <V>(known: Replica<V>, piece: Replica<V>): Replica<V> => {
  if (isLater(known, piece)) return known;
  if (isLater(piece, known)) return { ...piece, entries: new Map(piece.entries) };
  const isWhole = piece.floor > known.floor;
  if (isWhole) {
    // The piece is the whole map at its floor: what it lacks of the time before is gone.
    for (const [key, { sequence }] of known.entries) {
      if (sequence <= piece.floor) known.entries.delete(key);
    }
  }
  for (const [key, entry] of piece.entries) {
    if (!isWhole && entry.sequence <= known.floor) continue;
    const mine = known.entries.get(key);
    if (mine === undefined || mine.sequence < entry.sequence) known.entries.set(key, entry);
  }
  if (isWhole) known.floor = piece.floor;
  return known;
};
