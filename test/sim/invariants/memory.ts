/** Everything that can grow has a bound and keeps to it. */
import { wrong, type Gauge, type Invariant } from "./invariant.ts";

const over = ({ what, value, limit }: Gauge): string | undefined =>
  value > limit ? `${what}: ${value}, its limit is ${limit}` : undefined;

/** Mailboxes, tables, timers, calls and memories under their limits; nothing left at the end. */
export const memory: Invariant = {
  name: "memory",
  claim: "every queue, table and memory keeps its limit; no call, timer or wire is left at the end",
  watch: ({ gauges }) => wrong(gauges, over),
  judge: ({ leftovers }) => wrong(leftovers, over),
};
