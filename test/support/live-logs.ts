/** What a client that was sent these logs holds, in the order of telling. */
import { expect } from "vitest";

/** Names of the logs that were told and not taken back; told once, and only what was told is taken back. */
export function liveOf<Log extends { readonly removed: boolean }>(
  logs: readonly Log[],
  nameOf: (log: Log) => string,
): readonly string[] {
  const live = new Set<string>();
  for (const log of logs) {
    const name = nameOf(log);
    expect(live.has(name)).toBe(log.removed);
    if (log.removed) live.delete(name);
    else live.add(name);
  }
  return [...live];
}
