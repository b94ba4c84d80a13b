import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { explain } from "../../../src/rpc/explain/explain.ts";
import { strategies } from "../../../src/rpc/selection/strategies/registry.ts";
import { forecastOf } from "../prediction/kit.ts";
import { snapshotOf } from "../selection/world.ts";
import { attemptOf, selectedOf, toldOf } from "./support.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/explain.md"), "utf8");

/** Names of all members, however deep. */
const namesIn = (value: unknown): readonly string[] => {
  if (Array.isArray(value)) return value.flatMap(namesIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.entries(value).flatMap(([name, inner]) => [name, ...namesIn(inner)]);
};

describe("docs/explain.md", () => {
  it("tells of every member that an explanation can have", () => {
    const snapshot = snapshotOf({
      a: { ws: {}, forecast: forecastOf({ level: 400, slopePerSec: 40 }) },
      b: { lag: 9 },
      c: { unsupported: new Set(["m"]) },
    });
    const records = Object.values(strategies).map(({ name: strategy }) =>
      explain(
        toldOf({
          selected: selectedOf(snapshot, { method: "m", strategy }, 0),
          attempts: [attemptOf({ kind: "hedge" })],
        }),
        1,
      ),
    );
    const names = new Set(namesIn(records));
    expect(names.size).toBeGreaterThan(50);
    expect([...names].filter((name) => !new RegExp(`\\b${name}\\b`).test(page))).toEqual([]);
  });

  it("tells of every rule that can refuse or set back an endpoint", () => {
    const source = readFileSync(
      join(import.meta.dirname, "../../../src/rpc/selection/snapshot.ts"),
      "utf8",
    );
    const [, union = ""] = /export type ExclusionRule =([^;]*);/.exec(source) ?? [];
    const rules = [...union.matchAll(/"(\w+)"/g)].map(([, rule]) => rule);
    expect(rules.length).toBeGreaterThan(10);
    expect(rules.filter((rule) => !page.includes(`\`${rule}\``))).toEqual([]);
  });
});
