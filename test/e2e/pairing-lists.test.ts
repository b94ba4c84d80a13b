/** Two consumers with policies before one real node: who serves whom, and what survives what. */
import { beforeAll, expect, it } from "vitest";
import { hashOfKey } from "../../src/lib/key-hash.ts";
import { describeWithAnvil } from "../support/anvil.ts";
import { cleanupAfterAll } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Gateway } from "../support/gateway.ts";
import { anew, post, RpcSocket } from "../support/rpc.ts";
import { chainConfig, type ProxiedChain, startProxiedChain } from "../support/world.ts";

const KEYS = { alice: "pace_alice", bob: "pace_bob", ops: "pace_ops" };
type Who = keyof typeof KEYS;
const READ = { jsonrpc: "2.0", id: 1, method: "eth_gasPrice", params: [] };

describeWithAnvil("consumers with pairing lists", () => {
  const keep = cleanupAfterAll();
  let chain: ProxiedChain;
  let gateway: Gateway;

  const config = () => ({
    chains: { dev: chainConfig(chain) },
    clients: {
      anonymous: { allowed: false },
      keys: Object.entries(KEYS).map(([id, key]) => ({
        id,
        hash: hashOfKey(key),
        ...(id === "ops" ? { markets: ["vendors"] } : {}),
      })),
    },
    pairing: { markets: { vendors: {} }, lists: { chains: { dev: "vendors" } } },
  });

  const read = (who: Who, body: object = READ) =>
    post(anew(`${gateway.url}/rpc/dev`), body, { "x-paceline-key": KEYS[who] });

  const ask = async (who: Who, method: string, path: string, body?: unknown) => {
    const answer = await fetch(`${gateway.url}/api/v1${path}`, {
      method,
      headers: { "x-paceline-key": KEYS[who] },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: answer.status, body: (await answer.json()) as any };
  };

  const serving = async (who: Who): Promise<Set<string | null>> => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => read(who)));
    return new Set(answers.map(({ headers }) => headers.get("x-paceline-provider")));
  };

  beforeAll(async () => {
    chain = keep(await startProxiedChain(["a", "b", "c", "d"]));
    gateway = keep(await Gateway.start({ config: config() }));
    await eventually("dev answers", async () => (await read("ops")).status === 200);
    const [us, eu] = ["US", "EU"].map((location) => ({ stake: 100, location, features: ["http"] }));
    const providers = Object.entries({ a: us, b: us, c: eu, d: eu });
    const loaded = await ask(
      "ops",
      "PUT",
      "/markets/vendors/providers",
      providers.map(([address, one]) => ({ address, ...one })),
    );
    expect(loaded.body).toMatchObject({ data: { accepted: 4 } });
  });

  it("are set by whoever may change the market, and by nobody else", async () => {
    const policy = { requiredLocation: "US" };
    expect((await ask("alice", "PUT", "/pairing/policies/alice", policy)).status).toBe(403);
    const set = await ask("ops", "PUT", "/pairing/policies/alice", policy);
    expect(set.body.data.lists).toMatchObject([{ chain: "dev", ids: ["a", "b"] }]);
    await ask("ops", "PUT", "/pairing/policies/bob", { requiredLocation: "EU" });
    const shown = await ask("bob", "GET", "/pairing/lists/bob?chain=dev");
    expect(shown.body.data.lists).toMatchObject([{ consumer: "bob", ids: ["c", "d"] }]);
  });

  it("are served by their own providers, over HTTP, in a batch and on a WebSocket", async () => {
    // Who of a list is first is live evidence's to say.
    expect([...(await serving("alice"))].every((one) => one === "a" || one === "b")).toBe(true);
    expect([...(await serving("bob"))].every((one) => one === "c" || one === "d")).toBe(true);
    const socket = await RpcSocket.connect(`${gateway.wsUrl}/rpc/dev?key=${KEYS.bob}&no-cache=1`);
    const number = await socket.call("eth_getBlockByNumber", ["latest", false]);
    expect(number.number).toMatch(/^0x/u);
    socket.socket.close();
    const batch = await post(anew(`${gateway.url}/rpc/dev`), [READ, { ...READ, id: 2 }], {
      "x-paceline-key": KEYS.bob,
    });
    expect(JSON.parse(batch.text)).toHaveLength(2);
    const dry = await ask("ops", "GET", "/chains/dev/explain?method=eth_gasPrice&consumer=bob");
    expect(dry.body).toMatchObject({
      provider: expect.stringMatching(/^[cd]$/u),
      pairing: { consumer: "bob", ids: ["c", "d"], left_out: ["a", "b"], served_by: "list" },
    });
  });

  it("fail over within their list, and get an error instead of a stranger's answer", async () => {
    chain.proxies["c"]?.set({ status: 500 });
    await eventually("bob is served by d", async () => (await serving("bob")).has("d"));
    expect([...(await serving("bob"))].every((one) => one === "c" || one === "d")).toBe(true);
    chain.proxies["d"]?.set({ status: 500 });
    const answers = await Promise.all(Array.from({ length: 30 }, () => read("bob")));
    for (const { text, headers } of answers) {
      expect(JSON.parse(text).result).toBeUndefined();
      expect(headers.get("x-paceline-provider") ?? "").not.toMatch(/^[ab]$/u);
    }
    expect((await read("alice")).status).toBe(200);
    for (const proxy of Object.values(chain.proxies)) proxy.heal();
    await eventually("bob is served again", async () => {
      return JSON.parse((await read("bob")).text).result !== undefined;
    });
  });

  it("have their policies and their lists again after the host was stopped", async () => {
    const before = await ask("ops", "GET", "/pairing/policies/bob");
    gateway.child.signal("SIGTERM");
    await gateway.child.exited;
    const again = keep(await Gateway.start({ config: config(), folder: gateway.folder }));
    gateway = again;
    await eventually("bob has his list again", async () => {
      return (await ask("ops", "GET", "/pairing/lists/bob")).status === 200;
    });
    expect((await ask("ops", "GET", "/pairing/policies/bob")).body).toEqual(before.body);
    await eventually("dev answers", async () => (await read("bob")).status === 200);
    const served = await serving("bob");
    expect([...served].every((one) => one === "c" || one === "d")).toBe(true);
  });
});
