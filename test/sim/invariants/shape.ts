/** After healing the tree is what the configuration asks for. */
import { wrong, type Invariant } from "./invariant.ts";

/** Every configured place is there and filled, and no other. */
export const shape: Invariant = {
  name: "shape",
  claim: "after healing the tree has exactly the configured places, each with a running process",
  judge: ({ expectedPlaces, places, hasEnded }) => {
    if (hasEnded) return ["the root has ended"];
    const expected = new Set(expectedPlaces);
    const there = new Set(places.map(({ path }) => path));
    return [
      ...wrong(expected, (path) => (there.has(path) ? undefined : `${path} is missing`)),
      ...wrong(places, ({ path, pid, status }) => {
        if (!expected.has(path)) return `${path} is not in the configuration`;
        return pid === null || status !== "running" ? `${path} is ${status}` : undefined;
      }),
    ];
  },
};
