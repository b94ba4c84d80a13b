/** Nobody outlives those above him. */
import { wrong, type Invariant } from "./invariant.ts";

/** The longest shutdown that a supervisor grants its orphans, and a tick. */
const GRACE_MS = 5_100;

/** Every live process can be reached from the root. */
export const noOrphans: Invariant = {
  name: "no-orphans",
  claim: `every live process has live ancestors up to the root; orphans are gone in ${GRACE_MS} ms`,
  watch: ({ atMs, processes }) =>
    wrong(processes, ({ pid, name, orphanSinceMs }) =>
      orphanSinceMs !== undefined && atMs - orphanSinceMs > GRACE_MS
        ? `${name} (${pid}) has been an orphan since ${orphanSinceMs}`
        : undefined,
    ),
  judge: ({ last }) =>
    wrong(last.processes, ({ pid, name, orphanSinceMs }) =>
      orphanSinceMs === undefined ? undefined : `${name} (${pid}) is an orphan after healing`,
    ),
};
