/** Names lead to those who live. */
import { wrong, type Invariant } from "./invariant.ts";

/** No dead holder at any time; after healing each configured key once, and no other. */
export const names: Invariant = {
  name: "names",
  claim:
    "no name is held by a dead process; after healing each configured key is held exactly once",
  watch: ({ names: held, processes }) => {
    const alive = new Set(processes.map(({ pid }) => pid));
    return wrong(held, ({ name, pid }) =>
      alive.has(pid) ? undefined : `${name} is held by ${pid}, which is dead`,
    );
  },
  judge: ({ expectedNames, last }) => {
    const held = new Map<string, number>();
    for (const { name } of last.names) held.set(name, (held.get(name) ?? 0) + 1);
    return [
      ...wrong(expectedNames, (name) =>
        held.get(name) === 1 ? undefined : `${name} is held ${held.get(name) ?? 0} times`,
      ),
      ...wrong(held.keys(), (name) =>
        expectedNames.includes(name) ? undefined : `${name} belongs to nothing configured`,
      ),
    ];
  },
};
