import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { substitute } from "../../config/reading/substitute.ts";
import { errorsOf, load, mustLoad, SMALLEST, warningsOf } from "./support.ts";

const provider = (keys: string): string =>
  `chains:\n  e:\n    chain_id: 1\n    providers:\n      - { id: a, ${keys} }\n      - { id: spare, url: "https://spare.example" }\n`;

describe("substitution", () => {
  it("puts variables, defaults, files and dollars in", () => {
    const around = {
      env: { A: "1", EMPTY: "", NESTED: "${A}" },
      readFile: () => "from file\n",
    };
    const text = (input: string): string | undefined => substitute(input, around)?.text;
    expect(text("${A}-${A}")).toBe("1-1");
    expect(text("${B:-two}")).toBe("two");
    expect(text("${EMPTY:-two}")).toBe("two");
    expect(text("${EMPTY}")).toBe("");
    expect(text("${B:-}")).toBe("");
    expect(text("${file:/run/secret}")).toBe("from file");
    expect(text("$$A costs $5")).toBe("$A costs $5");
    expect(text("$${A}")).toBe("${A}");
    expect(text("${NESTED}")).toBe("${A}");
    expect(text("plain")).toBeUndefined();
  });

  it("never lets a value add structure or be scanned again (property)", () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ minLength: 1 }), (value, around) => {
        const safe = around.replaceAll("$", "");
        const env = { X: value };
        return (
          substitute(`${safe}\${X}${safe}`, { env, readFile: () => "" })?.text ===
          `${safe}${value}${safe}`
        );
      }),
    );
    const config = mustLoad(`region: "\${R}"\n${SMALLEST}`, {
      env: { R: "x\nlisten: { port: 1 }" },
    });
    expect(config.region).toBe("x\nlisten: { port: 1 }");
    expect(config.listen.port).toBe(8080);
  });

  it("gives numbers, flags, lists and durations their types", () => {
    const text = `listen: { port: "\${P}" }\ndrain:\n  timeout: \${T}\n${SMALLEST}    failover:\n      enabled: \${F}\n    aliases: \${L}\n`;
    const config = mustLoad(text, { env: { P: "9000", T: "7s", F: "false", L: "[main, eth]" } });
    expect(config.listen.port).toBe(9000);
    expect(config.drain.timeoutMs).toBe(7_000);
    expect(config.chains[0]?.failover.enabled).toBe(false);
    expect(config.chains[0]?.aliases).toEqual(["main", "eth"]);
  });

  it("names variable, key and line of what is not set", () => {
    expect(errorsOf(`region: "\${NOWHERE}"\n${SMALLEST}`)).toEqual([
      "paceline.yaml:1:9: error CONFIG_UNSET_VARIABLE: region: variable NOWHERE is not set; set it or write ${NOWHERE:-default}",
    ]);
    expect(errorsOf(`region: "\${file:/nope}"\n${SMALLEST}`).join()).toContain(
      "cannot read /nope (ENOENT)",
    );
    expect(errorsOf(`region: "\${file:nope}"\n${SMALLEST}`).join()).toContain(
      "path is not absolute",
    );
    expect(errorsOf(`region: "\${A-b}"\n${SMALLEST}`).join()).toContain("CONFIG_BAD_SUBSTITUTION");
    expect(errorsOf(`region: "\${A"\n${SMALLEST}`).join()).toContain("without its }");
    const big = { files: { "/big": "x".repeat(70_000) } };
    expect(errorsOf(`region: "\${file:/big}"\n${SMALLEST}`, big).join()).toContain("EFBIG");
  });

  it("never quotes what came out of a substitution", () => {
    const errors = errorsOf(`listen: { port: "\${P}" }\n${SMALLEST}`, { env: { P: "CANARY" } });
    expect(errors.join()).toContain("listen.port");
    expect(errors.join()).not.toContain("CANARY");
  });
});

describe("provider filtering", () => {
  it("leaves a provider out when its only URL needs a variable that is not set", () => {
    const text = provider('url: "https://a.example/${KEY}"');
    const config = mustLoad(text);
    expect(config.chains[0]?.providers.map(({ id }) => id)).toEqual(["spare"]);
    expect(config.chains[0]?.skipped).toEqual([{ id: "a", reason: "variable KEY is not set" }]);
    expect(warningsOf(text)).toEqual([
      expect.stringMatching(
        /^paceline\.yaml:5:23: warning CONFIG_PROVIDER_LEFT_OUT: .*variable KEY is not set: this URL of provider "a" is left out$/,
      ),
    ]);
  });

  it("leaves only that URL out when there is another", () => {
    const config = mustLoad(provider('url: "https://a.example/${KEY}", ws_url: "wss://a.example"'));
    const [a] = config.chains[0]?.providers ?? [];
    expect([a?.id, a?.url, a?.wsUrl?.reveal()]).toEqual(["a", undefined, "wss://a.example"]);
  });

  it("does not filter a required provider", () => {
    const errors = errorsOf(provider('required: true, url: "https://a.example/${KEY}"'));
    expect(errors).toEqual([
      expect.stringMatching(/CONFIG_UNSET_VARIABLE: .*variable KEY is not set/),
    ]);
  });

  it("reads an empty key as no key when api_key_required, and only then", () => {
    const url = 'url: "https://a.example/${KEY:-}"';
    expect(mustLoad(provider(url)).chains[0]?.providers[0]?.url?.reveal()).toBe(
      "https://a.example/",
    );
    const config = mustLoad(provider(`api_key_required: true, ${url}`));
    expect(config.chains[0]?.skipped).toEqual([{ id: "a", reason: "its API key is empty" }]);
    expect(errorsOf(provider(`api_key_required: true, required: true, ${url}`)).join()).toContain(
      "its API key is empty",
    );
  });

  it("leaves a URL out whose file is not there, and one that came out empty", () => {
    const reasons = (keys: string): unknown =>
      mustLoad(provider(keys)).chains[0]?.skipped[0]?.reason;
    expect(reasons('url: "${file:/nope}"')).toBe("cannot read /nope (ENOENT)");
    expect(reasons('url: "${KEY:-}"')).toBe("it came out empty");
  });

  it("never lets a placeholder reach a provider: malformed ones are errors", () => {
    expect(errorsOf(provider('url: "https://a.example/${KEY!}"')).join()).toContain(
      "CONFIG_BAD_SUBSTITUTION",
    );
  });

  it("keeps a chain without any usable provider, with a warning", () => {
    const text = 'chains: { e: { chain_id: 1, providers: [{ id: a, url: "${KEY}" }] } }';
    const result = load(text);
    expect(result.ok).toBe(true);
    expect(warningsOf(text).join()).toContain("CONFIG_NO_PROVIDER");
  });
});
