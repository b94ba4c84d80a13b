/** The keys of pairing markets. */
import { describe, expect, it } from "vitest";
import { documentedKeys } from "../../config/keys/walk.ts";
import { errorsOf, load, mustLoad, SMALLEST } from "./support.ts";

const markets = (text: string) => `${SMALLEST}\npairing: { markets: ${text} }\n`;

describe("pairing", () => {
  it("is off without a market, and a market needs nothing but its name", () => {
    expect(mustLoad(SMALLEST).pairing.markets).toEqual([]);
    expect(
      mustLoad(markets("{ eu: {}, us: { top: 3, profile: pairing-strict } }")).pairing.markets,
    ).toEqual([
      { name: "eu", profile: "pairing", top: 5, maxProviders: 1_048_576 },
      { name: "us", profile: "pairing-strict", top: 3, maxProviders: 1_048_576 },
    ]);
  });

  it("may be all that a host is there for", () => {
    const config = mustLoad("chains: {}\npairing: { markets: { eu: {} } }");
    expect([config.chains, config.pairing.markets.map(({ name }) => name)]).toEqual([[], ["eu"]]);
  });

  it("documents the defaults of a market as they are", () => {
    const keys = documentedKeys().filter(({ path }) => path.startsWith("pairing.markets.<name>."));
    const written = keys.map(({ path, meta }) => [path.split(".").at(-1), meta.default]);
    const text = JSON.stringify({ eu: Object.fromEntries(written) });
    expect(mustLoad(markets(text))).toEqual(mustLoad(markets("{ eu: {} }")));
  });

  it("refuses markets whose names are no names, picks beyond the kernel, and too many of them", () => {
    expect(load(markets('{ "a b": {} }')).ok).toBe(false);
    expect(load(markets("{ eu: { top: 65 } }")).ok).toBe(false);
    expect(load(markets("{ eu: { max_providers: 2000000 } }")).ok).toBe(false);
    const many = Array.from({ length: 17 }, (_, i) => `m${i}: {}`).join(", ");
    expect(load(markets(`{ ${many} }`)).ok).toBe(false);
  });
});

describe("rankings that hosts share", () => {
  const shared = (more: string) =>
    `${SMALLEST}\npairing: { cache: { shared: true, shared_from: 5ms } }\n${more}\n`;
  const REDIS = 'redis: { url: "redis://127.0.0.1:6379" }';
  const SECRET = "cluster: { secret: 0123456789abcdef0123456789abcdef }";

  it("are off unless it is said, and then need a Redis and a secret to sign with", () => {
    expect(mustLoad(SMALLEST).pairing.cache).toMatchObject({ isShared: false, sharedFromMs: 1 });
    expect(mustLoad(shared(`${REDIS}\n${SECRET}`)).pairing.cache).toMatchObject({
      isShared: true,
      sharedFromMs: 5,
    });
    for (const [more, words] of [
      [REDIS, "needs cluster.secret"],
      [SECRET, "needs redis.url"],
    ] as const) {
      const errors = errorsOf(shared(more)).join("\n");
      expect(errors).toContain("pairing.cache.shared");
      expect(errors).toContain(words);
    }
  });
});

describe("lists of consumers", () => {
  const lists = (text: string, more = "") =>
    `${SMALLEST}\npairing: { markets: { eu: {} }, on_demand: 0, ${more} lists: ${text} }\n`;

  it("are off without a chain, and a chain needs nothing but its market", () => {
    expect(mustLoad(SMALLEST).pairing.lists.chains).toEqual([]);
    expect(mustLoad(lists("{ chains: { ethereum: eu } }")).pairing.lists).toEqual({
      chains: [{ chain: "ethereum", market: "eu" }],
      epochMs: 300_000,
      blocks: undefined,
      mode: "top",
      consumer: "key",
      onExhausted: "error",
      unlisted: "market",
      minLive: 1,
      maxConsumers: 10_000,
    });
  });

  it("may count blocks instead of time", () => {
    const text = "{ chains: { ethereum: eu }, blocks: { chain: ethereum, every: 100 } }";
    const { blocks } = mustLoad(lists(text)).pairing.lists;
    expect(blocks).toEqual({ chain: "ethereum", every: 100 });
  });

  it.each([
    ["{ chains: { base: eu } }", "pairing.lists.chains.base", 'no chain is called "base"'],
    ["{ chains: { ethereum: us } }", "pairing.lists.chains.ethereum", "no market is called"],
    ["{ blocks: { chain: ethereum } }", "pairing.lists.blocks", "needs both chain and every"],
    ["{ blocks: { chain: x, every: 5 } }", "pairing.lists.blocks.chain", 'no chain is called "x"'],
  ])("refuse %s, and say where", (text, path, words) => {
    const errors = errorsOf(lists(text)).join("\n");
    expect(errors).toContain(path);
    expect(errors).toContain(words);
  });
});
