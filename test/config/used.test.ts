/** No key is read and then forgotten: every value of the configuration is used by the program. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { Secret } from "../../src/lib/secret.ts";

const root = join(import.meta.dirname, "..", "..");

const sources = ["src", "actors", "supervisors"]
  .flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: "utf8" }).map((name) =>
      join(root, folder, name),
    ),
  )
  .filter((path) => path.endsWith(".ts"))
  .map((path) => readFileSync(path, "utf8").replaceAll(/\/\*[\s\S]*?\*\//g, ""))
  .join("\n");

const full = `
region: r
chains:
  eth:
    chain_id: 1
    block_time: 12s
    methods: { allow: [debug_traceTransaction], deny: [eth_getProof] }
    quorum: [{ methods: [eth_call] }]
    connection: { max_reconnect_attempts: 5 }
    providers:
      - id: a
        url: "http://a.test/"
        ws_url: "ws://a.test/"
        headers: { authorization: "Bearer x" }
        region: r
        tags: [t]
        capabilities: { unsupported: [eth_x], max_block_range: 10, archive_depth: 9 }
        shadow: { sample: 0.1 }
        canary: { share: 0.1 }
        error_rules: [{ code: 1, message_contains: m, class: rate_limit }]
        cost: { price_per_million_units: 1, units: { eth_call: 2, default: 1 } }
`;

const leavesOf = (value: unknown, path: string): readonly string[] => {
  if (Array.isArray(value)) return value.slice(0, 1).flatMap((item) => leavesOf(item, path));
  if (typeof value !== "object" || value === null || value instanceof Secret) return [path];
  return Object.entries(value).flatMap(([key, inner]) =>
    // Maps from names to values: the names are the operator's.
    ["headers", "unitsByMethod"].includes(key)
      ? [`${path}.${key}`]
      : leavesOf(inner, `${path}.${key}`),
  );
};

describe("the configuration", () => {
  it("has no value that the program does not read", () => {
    const loaded = loadConfig({ file: "t.yaml", text: full, env: {}, readFile: () => "" });
    expect(loaded).toMatchObject({ ok: true });
    if (!loaded.ok) return;
    const leaves = leavesOf(loaded.config, "config");
    expect(leaves.length).toBeGreaterThan(60);
    const unused = leaves.filter((path) => {
      const key = path.slice(path.lastIndexOf(".") + 1);
      return !new RegExp(`[.{,(\\s]${key}\\b`).test(sources);
    });
    expect(unused).toEqual([]);
  });
});
