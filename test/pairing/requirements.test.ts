/** Each requirement of the founding system has a test that is named after it. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

/**
 * By number, with the letters of its parts. Not here: 24, which is a figure (bench/matching.ts), 27, which the
 * suites of test/suites keep for every implementation, and 28, which test/architecture.test.ts keeps.
 */
const REQUIREMENTS =
  "1abcd 2abcdef 3abcdef 4 5 6 7 8ab 9abcd 10 11ab 12abcd 13abcd 14abc 15abcde 16abc 17 18abcdefg 19abcdef 20abcdef 21ab 22 23 25ab 26";

it("there is a test named after each requirement", () => {
  const named = new Set(titles().flatMap((title) => title.match(/\bP\d+[a-z]?\b/g) ?? []));
  const missing = REQUIREMENTS.split(" ").flatMap((entry) => {
    const [, number, parts] = /^(\d+)([a-z]*)$/.exec(entry) ?? [];
    const ids =
      parts === "" ? [`P${number}`] : (parts ?? "").split("").map((part) => `P${number}${part}`);
    return ids.filter((id) => !named.has(id));
  });
  expect(named.size).toBeGreaterThan(50);
  expect(missing).toEqual([]);
});

/** Titles of the tests of pairing, before the claim they make. */
function titles(): string[] {
  const folder = import.meta.dirname;
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts"))
    .flatMap((file) => {
      const text = readFileSync(join(folder, file), "utf8");
      return [...text.matchAll(/\bit\(\s*"((?:P\d+[a-z]? ?)+):/g)].map(([, title]) => title ?? "");
    });
}
