/** The command that outside judges use: scenarios in, traces out, or a clear refusal. */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";

const script = join(import.meta.dirname, "replay.ts");
const good = JSON.stringify({ name: "good", tree: { id: "root", children: [] }, steps: [] });

function replay(...lines: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script, "--stream"], {
    input: `${lines.join("\n")}\n`,
    encoding: "utf8",
    timeout: 20_000,
  });
  return { status, stderr, traces: stdout.split("\n").filter((line) => line !== "") };
}

const broken: readonly (readonly [fault: string, line: string, message: RegExp])[] = [
  ["no JSON", "{oops", /line 2: no JSON/],
  ["no object", "[1]", /line 2: scenario: expected an object/],
  ["no tree", '{"steps":[]}', /line 2: tree: expected an object, got nothing/],
  ["no steps", '{"tree":{"id":"root"}}', /line 2: steps: expected a list/],
  [
    "a step of unknown kind",
    '{"tree":{"id":"root"},"steps":[{"op":"stopp"}]}',
    /line 2: steps\[0\]\.op: expected a known step, got "stopp"/,
  ],
  [
    "a step without its target",
    '{"tree":{"id":"root"},"steps":[{"op":"stop"}]}',
    /line 2: steps\[0\]\.target: expected a string, got nothing/,
  ],
  [
    "a child without id inside a batch's spec",
    '{"tree":{"id":"root"},"steps":[{"op":"batch","sup":"root","ops":[{"op":"start_child","sup":"root","spec":{}}]}]}',
    /line 2: steps\[0\]\.ops\[0\]\.spec\.id: expected a string/,
  ],
  [
    "an unknown start",
    '{"tree":{"id":"root","children":[{"id":"w","init":["okay"]}]},"steps":[]}',
    /line 2: tree\.children\[0\]\.init\[0\]: expected an object, got "okay"/,
  ],
];

describe("replay --stream", () => {
  it("prints one trace a line, and passes over empty lines", () => {
    const { status, traces, stderr } = replay(good, "", good);
    expect({ status, stderr, count: traces.length }).toEqual({ status: 0, stderr: "", count: 2 });
    expect(JSON.parse(traces[0] ?? "")).toMatchObject({ name: "good", final: [{ p: "root" }] });
  });

  it.each(broken)("refuses a line with %s, by number and place", (_fault, line, message) => {
    const { status, stderr, traces } = replay(good, line, good);
    expect(status).toBe(65);
    expect(stderr).toMatch(message);
    expect(traces).toHaveLength(1);
  });
});
