import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { RESERVED_NAMES } from "../../config/reading/check.ts";
import { formatDiagnostic } from "../../config/diagnostic.ts";
import { demoConfigFile } from "../../config/locate.ts";
import { configJsonSchema, configPage } from "../../config/keys/reference.ts";
import { ERROR_RULE_CLASSES, STRATEGIES } from "../../config/schema.ts";
import type { ErrorClass } from "../../src/rpc/errors/classes.ts";
import { load } from "./support.ts";

const root = new URL("../../", import.meta.url);
const read = (path: string): string => readFileSync(new URL(path, root), "utf8");

describe("generated documents", () => {
  it("are those of the schema (else: node scripts/docs/config.ts)", () => {
    expect(read("config/schema.json")).toBe(`${JSON.stringify(configJsonSchema(), null, 2)}\n`);
    expect(read("docs/config.md")).toBe(configPage());
  });
});

describe("examples", () => {
  const examples = readdirSync(new URL("config/examples/", root));

  it("are there", () => {
    expect(examples.length).toBeGreaterThanOrEqual(3);
  });

  it.each(examples)("%s loads without and with its keys", (name) => {
    const text = read(`config/examples/${name}`);
    const names = [...text.matchAll(/\$\{([A-Z_]+)/g)].map(([, variable = ""]) => variable);
    const files = { "/run/secrets/vendor_a_url": "https://a.example/k" };
    for (const env of [{}, Object.fromEntries(names.map((variable) => [variable, "a-key"]))]) {
      const result = load(text, { env, files });
      expect(result.ok ? [] : result.errors.map(formatDiagnostic)).toEqual([]);
    }
    const full = load(text, { env: Object.fromEntries(names.map((one) => [one, "a-key"])), files });
    expect(full.warnings).toEqual([]);
  });

  it("hold the demo: two chains of four providers, all from its variables", () => {
    const text = readFileSync(demoConfigFile, "utf8");
    const names = [...text.matchAll(/\$\{([A-Z_]+)\}/g)].map(([, variable = ""]) => variable);
    const env = Object.fromEntries(
      names.map((one) => [
        one,
        one.endsWith("_WS_URL") ? "ws://127.0.0.1:1/" : "http://127.0.0.1:1/",
      ]),
    );
    const result = load(text, { env });
    if (!result.ok) throw new Error(result.errors.map(formatDiagnostic).join("\n"));
    expect(result.warnings).toEqual([]);
    expect(
      result.config.chains.map(({ name, blockTimeMs, providers }) => [
        name,
        blockTimeMs,
        providers.length,
      ]),
    ).toEqual([
      ["alpha", 1_000, 4],
      ["beta", 3_000, 4],
    ]);
  });
});

describe("words of other parts", () => {
  it("are reserved where they are strategies", () => {
    for (const strategy of STRATEGIES) expect(RESERVED_NAMES.has(strategy)).toBe(true);
  });

  it("are error classes of the decision table", () => {
    const classes: readonly ErrorClass[] = ERROR_RULE_CLASSES;
    expect(classes.length).toBeGreaterThan(5);
  });
});
