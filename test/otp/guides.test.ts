/** The guides of docs/otp: their programs compile, run, and print what the page says. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Outcome, root, snippetsOf, Workshop } from "./snippets.ts";

const GUIDES = [
  "first-process",
  "strategy",
  "machines",
  "virtual-clock",
  "from-erlang",
  "from-node",
  "extensions",
  "isolation",
  "isolation",
];
const folder = join(root, "docs", "otp");
const pages = readdirSync(folder)
  .filter((name) => name.endsWith(".md"))
  .map((name) => ({ name, text: readFileSync(join(folder, name), "utf8") }));
const snippets = pages.flatMap(({ name, text }) => snippetsOf(name.replace(".md", ""), text));

describe("the guides", () => {
  const workshop = new Workshop(snippets);
  let outcomes: ReadonlyMap<string, Outcome>;
  beforeAll(() => {
    outcomes = workshop.run();
  });
  afterAll(() => workshop.close());

  it("are all there, and the index names each", () => {
    const index = readFileSync(join(folder, "index.md"), "utf8");
    for (const guide of GUIDES) expect(index, guide).toContain(`(${guide}.md)`);
    expect(pages.map(({ name }) => name)).toEqual(
      expect.arrayContaining(GUIDES.map((guide) => `${guide}.md`)),
    );
  });

  it("link to files that exist", () => {
    const broken = pages.flatMap(({ name, text }) =>
      [...text.matchAll(/\]\(([^)#:]+)(?:#[^)]*)?\)/g)]
        .map((match) => join(dirname(join(folder, name)), match[1] as string))
        .filter((path) => !existsSync(path)),
    );
    expect(broken).toEqual([]);
  });

  it("type-check under strict rules", () => {
    expect(workshop.typeCheck()).toBe("");
  });

  it.each(snippets)("run $name, which prints what the page says", ({ name, prints }) => {
    const outcome = outcomes.get(name);
    expect(outcome?.error).toBeUndefined();
    expect(outcome?.printed).toBe(prints);
  });
});
