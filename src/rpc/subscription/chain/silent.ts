/** A follower without a hub tells nobody; the hub that adopts it takes the place of this. */
import type { FollowerListener } from "./follower.ts";

/** Hears everything and says nothing. */
export const SILENT: FollowerListener = {
  head: () => {},
  log: () => {},
  retraction: () => {},
  reorg: () => {},
  gap: () => {},
  filled: () => {},
  disproved: () => {},
  implausible: () => {},
  outvoted: () => {},
  contested: () => {},
  wantsLogsOf: () => false,
};
