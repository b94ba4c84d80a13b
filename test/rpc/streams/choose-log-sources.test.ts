import { describe, expect, it } from "vitest";
import {
  chooseLogSources,
  type LogCandidate,
} from "../../../src/rpc/subscription/logs/choose-log-sources.ts";

const candidate = (id: string, rest: Partial<LogCandidate> = {}): LogCandidate => ({
  id,
  isUp: true,
  role: "primary",
  priority: 100,
  misbehaviour: 0,
  ...rest,
});
const choose = (present: readonly string[], candidates: readonly LogCandidate[]) => [
  ...chooseLogSources(new Set(present), candidates),
];

describe("who streams logs", () => {
  it("is three providers, primary ones and those of the first priority before others", () => {
    const all = [
      candidate("a", { role: "backup" }),
      candidate("b"),
      candidate("c", { priority: 1 }),
      candidate("d"),
      candidate("e", { role: "backup", priority: 1 }),
    ];
    expect(choose([], all)).toEqual(["c", "b", "d"]);
  });

  it("stays whoever it is, and who is gone is replaced", () => {
    const all = [candidate("a"), candidate("b"), candidate("c"), candidate("d")];
    expect(choose(["d"], all)).toEqual(["d", "a", "b"]);
    const gone = all.map((one) => (one.id === "a" ? { ...one, isUp: false } : one));
    expect(choose(["d", "a", "b"], gone)).toEqual(["b", "d", "c"]);
  });

  it("is whoever was caught with wrong answers lately only where there would be fewer than two", () => {
    const all = [candidate("a", { misbehaviour: 3 }), candidate("b"), candidate("c")];
    expect(choose(["a", "b"], all)).toEqual(["b", "c"]);
    expect(choose(["a", "b"], all.slice(0, 2))).toEqual(["b", "a"]);
    const none = all.map((one) => ({ ...one, misbehaviour: 5 }));
    expect(choose(["a", "b", "c"], none)).toEqual(["a", "b"]);
  });

  it("is nobody while nobody is connected", () => {
    expect(choose(["a"], [candidate("a", { isUp: false })])).toEqual([]);
  });
});
