/**
 * What hosts may share through a store outside: bytes with a lifetime.
 *
 * The store is an extra: every question is answered within its deadline, by "unknown" if need be.
 * `src/io/redis/link.ts` satisfies these by shape.
 */

/** Bytes by key. A lost or slow store looks like an empty one. */
export interface SharedCache {
  /** False while asking would be answered with `undefined` at once. */
  readonly isUp: boolean;
  /** Calls `done` exactly once, within the deadline; undefined for absent, late, lost and refused. */
  get(key: string, done: (value: Buffer | undefined) => void): void;
  /** Written behind; nobody hears whether it arrived. */
  set(key: string, value: Buffer, ttlMs: number): void;
}
