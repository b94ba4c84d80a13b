import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as metrics from "../../scripts/docs/metrics.ts";
import * as telemetry from "../../scripts/docs/telemetry.ts";

const root = new URL("../../", import.meta.url);

describe("generated pages", () => {
  it.each([metrics, telemetry])("$path is as fresh as its table (node scripts/docs.ts)", (page) => {
    expect(readFileSync(new URL(page.path, root), "utf8")).toBe(page.render());
  });
});

describe("the glossary", () => {
  it("stands in the order of the alphabet and explains each word once", () => {
    const rows = readFileSync(new URL("docs/glossary.md", root), "utf8")
      .split("\n")
      .filter((line) => line.startsWith("| "))
      .slice(2)
      .map((line) => line.split("|").map((cell) => cell.trim()));
    expect(rows.length).toBeGreaterThan(30);
    for (const [, word, meaning] of rows) expect(meaning, word).not.toBe("");
    const words = rows.map(([, word = ""]) => word.toLowerCase());
    expect(words).toEqual([...words].sort((a, b) => (a < b ? -1 : 1)));
    expect(new Set(words).size).toBe(words.length);
  });
});
