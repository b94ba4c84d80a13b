import { describe, expect, it } from "vitest";
import { errorsOf, load, SMALLEST, warningsOf } from "./support.ts";

/** One chain with `keys` in it. */
const chain = (keys: string, providers = '[{ id: a, url: "https://a.example" }]'): string =>
  `chains:\n  ethereum:\n    chain_id: 1\n${keys === "" ? "" : `    ${keys}\n`}    providers: ${providers}\n`;
const provider = (keys: string): string => chain("", `[{ id: a, ${keys} }]`);
const URL_A = 'url: "https://a.example"';

describe("configuration errors", () => {
  it.each<[string, string, RegExp]>([
    [
      "an unknown key at the top",
      `${SMALLEST}listne: {}`,
      /^paceline\.yaml:7:1: error CONFIG_UNKNOWN_KEY: listne: unknown key; did you mean "listen"\?$/,
    ],
    [
      "an unknown key of a chain",
      chain("stratgy: fastest"),
      /:4:5: .*chains\.ethereum\.stratgy: unknown key; did you mean "strategy"\?/,
    ],
    [
      "an unknown key deep inside",
      chain("breaker: { failure_treshold: 3 }"),
      /:4:16: .*did you mean "failure_threshold"\?/,
    ],
    [
      "an unknown key of a provider",
      provider(`${URL_A}, wsurl: "wss://x"`),
      /:4:52: .*providers\[0\]\.wsurl: unknown key; did you mean "ws_url"\?/,
    ],
    [
      "a quorum that asks more to agree than are asked",
      chain("quorum: [{ methods: [eth_call], agree: 4 }]"),
      /:4:14: .*quorum\[0\]: asks 4 providers to agree of 3 that are asked/,
    ],
    [
      "a prediction that takes back where it sets back",
      chain("prediction: { restore_at: 0.8 }"),
      /:4:17: .*prediction: restore_at 0\.8 must be less than demote_at 0\.6/,
    ],
    [
      "a prediction whose ratio is none",
      chain("prediction: { limits: { error_ratio: 25 } }"),
      /prediction\.limits\.error_ratio: .*from 0\.01 to 1/,
    ],
    [
      "a shadow without a share",
      provider(`${URL_A}, shadow: {}`),
      /shadow\.sample: is required: a number from 0 to 1/,
    ],
    [
      "a key in the wrong place",
      `chain_id: 1\n${SMALLEST}`,
      /:1:1: .*chain_id: unknown key; it is a key of a chain/,
    ],
    [
      "a key of a later version",
      `nats: { url: "nats://x" }\n${SMALLEST}`,
      /:1:1: .*nats: .*not part of this version/,
    ],
    ["the key __proto__", `__proto__: { a: 1 }\n${SMALLEST}`, /:1:1: .*unknown key/],
    [
      "a duplicate key",
      `region: a\nregion: b\n${SMALLEST}`,
      /:2:1: error CONFIG_DUPLICATE_KEY: region: given twice \(first on line 1\)/,
    ],
    [
      "a duplicate chain",
      `${SMALLEST}  ethereum:\n    chain_id: 2`,
      /:7:3: error CONFIG_DUPLICATE_KEY: chains\.ethereum/,
    ],
    [
      "a missing key",
      "chains:\n  e:\n    providers: []",
      /CONFIG_MISSING_KEY: chains\.e\.chain_id: is required/,
    ],
    ["no chains", "region: x", /CONFIG_MISSING_KEY: chains: is required/],
    ["an empty map of chains", "chains: {}", /CONFIG_MISSING_KEY: chains: is empty/],
    [
      "neither chains nor markets",
      "chains: {}\npairing: { markets: {} }",
      /CONFIG_MISSING_KEY: chains: is empty/,
    ],
    ["an empty file", "", /:1:1: .*chains: is required/],
    ["a file that is a list", "- a", /the document must be a map/],
    ["an empty key", `listen:\n${SMALLEST}`, /:1:8: .*listen: is empty: expected a map of keys/],
    [
      "a quoted number",
      `listen: { port: "8080" }\n${SMALLEST}`,
      /:1:17: error CONFIG_WRONG_TYPE: listen\.port: expected a whole number from 0 to 65535, got "8080"/,
    ],
    [
      "a port out of range",
      `listen: { port: 65536 }\n${SMALLEST}`,
      /CONFIG_BAD_VALUE: listen\.port: .*got 65536/,
    ],
    ["a fraction", `listen: { port: 80.5 }\n${SMALLEST}`, /listen\.port: expected a whole number/],
    ["a list for a map", `listen: [1]\n${SMALLEST}`, /listen: expected a map of keys, got a list/],
    ["a map for a text", `region: { a: b }\n${SMALLEST}`, /region: expected text, got a map/],
    ["a bad choice", chain("strategy: fastets"), /got "fastets"; did you mean "fastest"\?/],
    [
      "YAML 1.1's yes",
      chain("failover: { enabled: yes }"),
      /failover\.enabled: expected true or false, got "yes"/,
    ],
    [
      "a bad duration",
      chain("block_time: 2 seconds"),
      /block_time: expected a duration such as 2s, .*got "2 seconds"/,
    ],
    [
      "a duration below its least",
      chain("connection: { heartbeat_interval: 1ms }"),
      /heartbeat_interval: .*at least 50ms, got "1ms"/,
    ],
    ["a duration beyond timers", chain("block_time: 100000d"), /block_time: expected a duration/],
    [
      "a size without a unit",
      `limits: { max_body: 1000000 }\n${SMALLEST}`,
      /max_body: expected a size with its unit/,
    ],
    ["a size out of bounds", `limits: { max_body: 1B }\n${SMALLEST}`, /max_body: expected a size/],
    [
      "a ratio above its bound",
      chain("selection: { cost_bias: 1.5 }"),
      /cost_bias: expected a number from 0 to 1, got 1\.5/,
    ],
    ["a log level", `log: { level: loud }\n${SMALLEST}`, /log\.level: expected .*got "loud"/],
    [
      "a storage kind",
      `storage: { url: "mysql://x" }\n${SMALLEST}`,
      /storage\.url: expected file:DIRECTORY, sqlite:FILE or postgres:\/\/…/,
    ],
    [
      "a chain id of zero",
      chain("").replace("chain_id: 1", "chain_id: 0"),
      /chain_id: expected a whole number of at least 1/,
    ],
    [
      "a chain id beyond a safe integer",
      chain("").replace("chain_id: 1", "chain_id: 99999999999999999999"),
      /chain_id: expected/,
    ],
    [
      "a chain named like a strategy",
      chain("").replace("ethereum:", "leaderboard:"),
      /:2:3: error CONFIG_RESERVED_NAME: .*"leaderboard" is a word of the URLs/,
    ],
    [
      "a chain named like a word of the URLs",
      chain("").replace("ethereum:", "Provider:"),
      /CONFIG_RESERVED_NAME/,
    ],
    [
      "a chain named like a chain id",
      chain("").replace("ethereum:", "0x89:"),
      /CONFIG_RESERVED_NAME: .*reads as a chain id/,
    ],
    [
      "a chain name with a slash",
      chain("").replace("ethereum:", '"a/b":'),
      /CONFIG_BAD_VALUE: .*a chain name is/,
    ],
    [
      "an alias that is a strategy",
      chain("aliases: [fastest]"),
      /:4:15: error CONFIG_RESERVED_NAME/,
    ],
    [
      "an alias that is taken",
      chain("aliases: [Ethereum]"),
      /CONFIG_DUPLICATE_NAME: .*"Ethereum" is taken by chains\.ethereum/,
    ],
    ["an alias given twice", chain("aliases: [eth, eth]"), /:4:20: error CONFIG_DUPLICATE_NAME/],
    [
      "a duplicate provider",
      chain("", '[{ id: a, url: "http://x" }, { id: a, url: "http://y" }]'),
      /:4:\d+: error CONFIG_DUPLICATE_NAME: .*providers\[1\]\.id: "a" is already the id of providers\[0\]/,
    ],
    [
      "a provider id with a slash",
      chain("", '[{ id: "a/b", url: "http://x" }]'),
      /a provider id is/,
    ],
    [
      "a provider without an id",
      chain("", '[{ url: "http://x" }]'),
      /providers\[0\]\.id: is required/,
    ],
    [
      "a provider without a URL",
      chain("", "[{ id: a }]"),
      /CONFIG_MISSING_KEY: chains\.ethereum\.providers\[0\]: needs a url, a ws_url or both/,
    ],
    ["no providers", chain("", "[]"), /providers: expected a list of at least one provider/],
    [
      "a URL of another scheme",
      provider('url: "ftp://secret-host"'),
      /url: expected an http:\/\/ or https:\/\/ URL$/,
    ],
    ["a WebSocket URL as url", provider('url: "wss://x"'), /url: expected an http/],
    ["an HTTP URL as ws_url", provider('ws_url: "https://x"'), /ws_url: expected a ws/],
    ["a URL that is none", provider('url: "https://:1:2"'), /url: is no valid URL$/],
    ["a URL with a fragment", provider('url: "https://x.example/#k"'), /url: holds a # part/],
    [
      "a header that is no text",
      provider(`${URL_A}, headers: { x-key: 12 }`),
      /headers\.x-key: expected a map from header name to text$/,
    ],
    [
      "units below zero",
      provider(`${URL_A}, cost: { units: -1 }`),
      /cost\.units: expected a number of at least 0/,
    ],
    [
      "an error rule without a condition",
      provider(`${URL_A}, error_rules: [{ class: auth }]`),
      /error_rules\[0\]: a rule needs/,
    ],
    [
      "an error rule without a class",
      provider(`${URL_A}, error_rules: [{ code: 1 }]`),
      /error_rules\[0\]\.class: is required/,
    ],
    [
      "an error class that is none",
      provider(`${URL_A}, error_rules: [{ code: 1, class: atuh }]`),
      /got "atuh"; did you mean "auth"\?/,
    ],
    [
      "a method that is none",
      chain("methods: { allow: ['debug'] }"),
      /methods\.allow\[0\]: expected a list of method names/,
    ],
    [
      "a glob with two stars in a row",
      chain("methods: { deny: ['debug_*', 'trace_**'] }"),
      /:\d+:\d+.*methods\.deny\[1\]: expected a list of method names/s,
    ],
    [
      "a glob of another language",
      chain("methods: { allow: ['debug_[a-z]+'] }"),
      /methods\.allow\[0\]: expected a list of method names/,
    ],
    ["a tab as indentation", "chains:\n\tethereum: 1", /CONFIG_YAML: a tab as indentation/],
    ["an open quote", 'region: "abc', /CONFIG_YAML: a character is missing/],
    ["two documents", `${SMALLEST}---\n${SMALLEST}`, /CONFIG_YAML: more than one YAML document/],
    [
      "an alias without anchor",
      "chains: *nothing",
      /CONFIG_YAML: chains: an alias without its anchor/,
    ],
    ["an alias that holds itself", "chains: &a { e: *a }", /CONFIG_TOO_LARGE/],
    ["a tag", "region: !secret x", /CONFIG_YAML: a YAML tag that is not known/],
  ])("names %s with its place", (_what, text, expected) => {
    const errors = errorsOf(text);
    expect(
      errors.some((line) => expected.test(line)),
      errors.join("\n"),
    ).toBe(true);
  });

  it("reports everything at once, in the order of the file", () => {
    const errors = errorsOf(`
listne: 1
log: { level: loud }
chains:
  fastest:
    chain_id: one
    providers:
      - { id: a, url: "\${NOT_SET_AT_ALL}", required: true }
      - { id: a }
`);
    const lines = errors.map((line) => Number(/^paceline\.yaml:(\d+):/.exec(line)?.[1]));
    expect(lines).toEqual([2, 3, 5, 6, 8, 9, 9]);
    expect(lines).toEqual([...lines].sort((a, b) => a - b));
  });

  it("refuses a bomb of aliases without unfolding it", () => {
    const levels = Array.from({ length: 9 }, (_, at) =>
      at === 0
        ? "a0: &a0 [x, x, x, x, x, x, x, x, x, x]"
        : `a${at}: &a${at} [${`*a${at - 1}, `.repeat(9)}*a${at - 1}]`,
    );
    const startedMs = performance.now();
    expect(errorsOf(levels.join("\n")).join()).toContain("CONFIG_TOO_LARGE");
    expect(performance.now() - startedMs).toBeLessThan(2_000);
  });

  it("warns when a chain has nobody but shadows", () => {
    expect(warningsOf(provider(`${URL_A}, shadow: { sample: 0.1 }`))).toEqual([
      expect.stringMatching(/providers: none of them can be used/),
    ]);
  });

  it("warns when two chains share a chain id", () => {
    const text = `${SMALLEST}  again:\n    chain_id: 1\n    providers: [{ id: b, url: "https://b.example" }]\n`;
    expect(load(text).ok).toBe(true);
    expect(warningsOf(text)).toEqual([
      expect.stringMatching(/:8:15: warning CONFIG_SHARED_CHAIN_ID: .*"ethereum"/),
    ]);
  });
});
