/** What the service asks of a store that hosts share; `src/io/redis/link.ts` satisfies it by shape. */

/** Bytes by key. A lost or slow store looks like an empty one. */
export interface SharedStore {
  /** False while asking would be answered with `undefined` at once. */
  readonly isUp: boolean;
  /** Calls `done` exactly once, within the deadline; undefined for absent, late, lost and refused. */
  get(key: string, done: (value: Buffer | undefined) => void): void;
  /** Written behind; nobody hears whether it arrived. */
  set(key: string, value: Buffer, ttlMs: number): void;
}
