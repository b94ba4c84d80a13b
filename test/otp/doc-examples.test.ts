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

  it("has one in the module doc of every file that the door opens", () => {
    const without = door.filter(({ source }) => {
      const doc = /^\/\*\*[\s\S]*?\*\//.exec(source)?.[0] ?? "";
      return !doc.includes("```ts");
    });
    expect(without.map(({ path }) => path)).toEqual([]);
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

describe("options", () => {
  /** Interfaces that say what a user may give. */
  const INTERFACE =
    /export interface (\w*(?:Options|Flags|Policy|Spec|Backoff|Request|Pattern)\b)[^{]*\{\n([\s\S]*?)\n\}/g;

  it("say what they mean and what holds without them", () => {
    const silent: string[] = [];
    let seen = 0;
    for (const { path, source } of door) {
      for (const [, name, body = ""] of source.matchAll(INTERFACE)) {
        let doc = "";
        for (const line of body.split("\n")) {
          const option = /^ {2}readonly (\w+)\?: (?!never;)/.exec(line)?.[1];
          if (option !== undefined) {
            seen += 1;
            if (!/default/i.test(doc)) silent.push(`${path} ${name}.${option}`);
          }
          doc = /^ {2}(?: \*|\/\*\*)/.test(line) ? doc + line : "";
        }
      }
    }
    expect(silent).toEqual([]);
    expect(seen).toBeGreaterThan(30);
  });
});
