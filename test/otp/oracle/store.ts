/** Scenarios on disk, with the traces that Erlang gave: by hand, found by chance, and many random ones. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync, gzipSync } from "node:zlib";
import type { Scenario, Trace } from "./scenario.ts";

const HERE = import.meta.dirname;
const FOUND = "found";
const MANY_SCENARIOS = join(HERE, "scenarios", "random.jsonl.gz");
const MANY_TRACES = join(HERE, "traces", "random.jsonl.gz");
const BEST_COMPRESSION = 9;

/** A scenario with what Erlang told of it. */
export interface Stored {
  readonly file: string;
  readonly scenario: Scenario;
  readonly expected: Trace;
}

/** Scenarios with a file each: made by hand, or found by random search and shrunk. */
export function storedScenarios(): Stored[] {
  return ["", FOUND].flatMap((folder) => {
    const path = join(HERE, "scenarios", folder);
    if (!existsSync(path)) return [];
    const files = readdirSync(path).filter((file) => file.endsWith(".json"));
    return files.sort().map((file) => ({
      file: join(folder, file),
      scenario: readJson(join(path, file)) as Scenario,
      expected: readJson(join(HERE, "traces", folder, traceName(file))) as Trace,
    }));
  });
}

/** Random scenarios kept for machines without Erlang. */
export function randomScenarios(): Stored[] {
  const scenarios = readLines(MANY_SCENARIOS) as Scenario[];
  const traces = readLines(MANY_TRACES) as Trace[];
  return scenarios.map((scenario, i) => ({
    file: scenario.name ?? `random ${i}`,
    scenario,
    expected: traces[i] as Trace,
  }));
}

/** Replaces the random scenarios that are kept. */
export function storeRandom(all: readonly Omit<Stored, "file">[]): void {
  writeLines(
    MANY_SCENARIOS,
    all.map(({ scenario }) => scenario),
  );
  writeLines(
    MANY_TRACES,
    all.map(({ expected }) => expected),
  );
}

/** Keeps a scenario that differed, with Erlang's trace; returns its file. */
export function storeFound(scenario: Scenario, expected: Trace): string {
  const folder = join(HERE, "scenarios", FOUND);
  mkdirSync(folder, { recursive: true });
  mkdirSync(join(HERE, "traces", FOUND), { recursive: true });
  const last = readdirSync(folder).sort().at(-1);
  const number = last === undefined ? 1 : Number.parseInt(last, 10) + 1;
  const file = `${String(number).padStart(2, "0")}_random.json`;
  writeJson(join(folder, file), scenario);
  writeJson(join(HERE, "traces", FOUND, traceName(file)), expected);
  return join(folder, file);
}

function traceName(file: string): string {
  return `${basename(file, ".json")}.trace.json`;
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, "utf8"));
}

function writeJson(path: string, value: unknown): void {
  writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

function readLines(path: string): unknown[] {
  const text = gunzipSync(readFileSync(path)).toString("utf8");
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as unknown);
}

function writeLines(path: string, values: readonly unknown[]): void {
  const text = values.map((value) => `${JSON.stringify(value)}\n`).join("");
  writeFileSync(path, gzipSync(text, { level: BEST_COMPRESSION }));
}
