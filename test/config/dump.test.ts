import { inspect } from "node:util";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { formatDiagnostic } from "../../config/diagnostic.ts";
import { dumpConfig, dumpYaml } from "../../config/dump.ts";
import { formatStep, planReload } from "../../config/plan.ts";
import { load, SMALLEST } from "./support.ts";

function dumped(text: string, env: Record<string, string> = {}): { yaml: string; origins: string } {
  const result = load(text, { env });
  if (!result.ok) throw new Error("must load");
  const dump = dumpConfig(result.source);
  return { yaml: dumpYaml(dump, { origins: false }), origins: dumpYaml(dump, { origins: true }) };
}

describe("config dump", () => {
  it("shows every default and where each value comes from", () => {
    const { origins } = dumped(`region: eu\n${SMALLEST}`, { API_PORT: "9" });
    expect(origins).toContain("region: eu # paceline.yaml:1:9");
    expect(origins).toContain("port: 9 # env:API_PORT");
    expect(origins).toContain("recovery_timeout: 60s # default");
  });

  it("is itself a configuration, apart from the secrets", () => {
    const { yaml } = dumped(SMALLEST);
    const again = yaml.replace(/url: a\.example#....\n/, 'url: "https://a.example/key"\n');
    const result = load(again);
    expect(result.ok ? [] : result.errors.map(formatDiagnostic)).toEqual([]);
  });

  it("says which URL is left out and why", () => {
    const text = SMALLEST.replace("}", ', ws_url: "wss://a/${NOPE}" }');
    expect(dumped(text).yaml).toContain("ws_url: null # left out: variable NOPE is not set");
  });

  it("masks URLs and headers, and hosts that hold a substituted key", () => {
    const text = `chains: { e: { chain_id: 1, providers: [
      { id: a, url: "https://\${KEY}.a.example/x", headers: { Authorization: "Bearer \${KEY}" } },
      { id: b, url: "https://b.example/\${KEY}" }, { id: c, url: "\${WHOLE}" } ] } }`;
    const { yaml } = dumped(text, { KEY: "canary123456", WHOLE: "https://c.example/canary123456" });
    expect(yaml).not.toContain("canary123456");
    const [a, b, c] = (parse(yaml) as { chains: { e: { providers: { url: string }[] } } }).chains.e
      .providers;
    expect([a?.url, b?.url, c?.url]).toEqual([
      expect.stringMatching(/^\*\*\*#/),
      expect.stringMatching(/^b\.example#/),
      expect.stringMatching(/^c\.example#/),
    ]);
  });

  it("masks the password of a database server, and shows a file as it is", () => {
    const server = dumped(
      `storage: { url: "postgres://u:canary123456@db.example/p" }\n${SMALLEST}`,
    );
    expect(server.yaml).not.toContain("canary123456");
    expect(server.yaml).toMatch(/url: db\.example#/);
    const file = dumped(`storage: { url: "sqlite:./data/p.db" }\n${SMALLEST}`);
    expect(file.yaml).toContain("url: sqlite:./data/p.db");
  });
});

describe("no secret", () => {
  it("appears in a dump, a plan, an error, a warning or an inspected config (property)", () => {
    const canary = fc.stringMatching(/^[A-Za-z0-9]{16,32}$/);
    const shape = fc.constantFrom(
      'url: "https://a.example/v2/CANARY"',
      'url: "https://a.example/v2/${KEY}"',
      'url: "https://a.example/?k=${KEY}", ws_url: "wss://u:CANARY@a.example/ws"',
      'url: "https://${KEY}.a.example/"',
      'url: "${file:/key}"',
      'url: "https://a.example", headers: { x-api-key: CANARY, authorization: "Bearer ${KEY}" }',
      // and files that are refused
      'url: "htps://a.example/CANARY"',
      'url: "https://a.example/CANARY#x"',
      'url: "https://a.exa mple/${KEY}"',
      'url: ["https://a.example/CANARY"]',
      'urll: "https://a.example/CANARY"',
      'url: "https://a.example/${KEY}", ws_url: "https://a.example/CANARY"',
      'url: "https://a.example/CANARY", url: "https://b.example/CANARY"',
      'url: "https://a.example/CANARY", headers: { x-api-key: [CANARY] }',
      'url: "https://a.example/CANARY, ws_url: x"',
      "url: https://a.example/CANARY: }",
      'url: "https://a.example/${CANARY:-x", role: bakup',
      'url: "https://a.example/", priority: "${KEY}"',
    );
    fc.assert(
      fc.property(shape, canary, (keys, secret) => {
        const text = `chains:\n  e:\n    chain_id: 1\n    providers:\n      - { id: a, ${keys.replaceAll("CANARY", secret)} }\n`;
        const given = { env: { KEY: secret }, files: { "/key": `https://f.example/${secret}` } };
        const result = load(text, given);
        const printed = [...result.warnings, ...(result.ok ? [] : result.errors)].map(
          formatDiagnostic,
        );
        if (result.ok) {
          const dump = dumpConfig(result.source);
          printed.push(dumpYaml(dump, { origins: true }), JSON.stringify(dump.values));
          printed.push(inspect(result.config, { depth: 20 }), JSON.stringify(result.config));
          const plain = load(SMALLEST.replace("ethereum", "e"));
          if (plain.ok)
            printed.push(...planReload(plain.config, result.config).steps.map(formatStep));
        }
        return !printed.join("\n").includes(secret);
      }),
      { numRuns: 500 },
    );
  });
});
