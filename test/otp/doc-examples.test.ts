/** Examples in the doc comments of the public door: they compile, run, and print what they say. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { docTextOf, doorFiles, type Outcome, root, snippetsOf, Workshop } from "./snippets.ts";

const read = (path: string) => ({ path, source: readFileSync(join(root, path), "utf8") });
const door = doorFiles().map(read);
const files = readdirSync(join(root, "src/otp"), { recursive: true, encoding: "utf8" })
  .filter((name) => name.endsWith(".ts"))
  .map((name) => read(`src/otp/${name}`));
/** Whatever imports the library is a program; the rest are fragments. */
const snippets = files
  .flatMap(({ path, source }) =>
    snippetsOf(path.replaceAll("/", "-").replace(".ts", ""), docTextOf(source)),
  )
  .filter(({ code }) => code.includes('from "paceline/otp"'));

describe("examples in doc comments", () => {
  const workshop = new Workshop(snippets);
  let outcomes: ReadonlyMap<string, Outcome>;
  beforeAll(() => {
    outcomes = workshop.run();
  });
  afterAll(() => workshop.close());

  it("sees the files of the door", () => {
    expect(door.length).toBeGreaterThan(15);
    expect(snippets.length).toBeGreaterThan(15);
  });

  it("type-checks them under strict rules", () => {
    expect(workshop.typeCheck()).toBe("");
  });

  it.each(snippets)("runs $name, which prints what its page says", ({ name, prints }) => {
    const outcome = outcomes.get(name);
    expect(outcome?.error).toBeUndefined();
    expect(outcome?.printed).toBe(prints);
  });
});

describe("the checker of examples", () => {
  it("complains about a program that does not compile, and tells what one prints or throws", () => {
    const wrong = new Workshop(
      snippetsOf(
        "wrong",
        "```ts\nconst five: string = 5;\nconsole.log(five);\n```\n\n```ts\nthrow new Error('no');\n```\n",
      ),
    );
    expect(wrong.typeCheck()).toContain("wrong.1.ts(2,7)");
    const outcomes = [...wrong.run().values()];
    expect(outcomes[0]).toEqual({ printed: "5" });
    expect(outcomes[1]?.error).toContain("no");
    wrong.close();
  });
});
