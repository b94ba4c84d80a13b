/** The pairing interface of the product as a process: contract, keys, browsers, what survives its end. */
import { request } from "node:http";
import { describe, expect, it } from "vitest";
import { hashOfKey } from "../../src/lib/key-hash.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { Gateway, type ConfigDocument } from "../support/gateway.ts";

const use = cleanupAfterEach();
const CHAINS = { alpha: { chain_id: 1, providers: [{ id: "a", url: "http://127.0.0.1:9" }] } };
const start = async (more: ConfigDocument = {}) =>
  use(await Gateway.start({ config: { chains: CHAINS, ...more } }));

const M = "/api/v1/markets/lava";
const PROVIDERS = [
  { address: "one", stake: 30_000, location: "US-East-1", features: ["HTTP", "gRPC"] },
  { address: "two", stake: "9007199254740993", location: "EU-West-1", features: ["HTTP"] },
];

interface Call {
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

const call = (gateway: Gateway, method: string, path: string, { body, headers }: Call = {}) =>
  // Not fetch: it sends no body with GET.
  new Promise<{ status: number; headers: Readonly<Record<string, unknown>>; body: any }>(
    (resolve, reject) => {
      const text = body === undefined ? "" : JSON.stringify(body);
      const sizes = text === "" ? {} : { "content-length": String(Buffer.byteLength(text)) };
      const sent = request(
        `${gateway.url}${path}`,
        { method, headers: { ...sizes, ...headers } },
        (reply) => {
          const chunks: Buffer[] = [];
          reply.on("data", (chunk: Buffer) => chunks.push(chunk));
          reply.on("end", () => {
            const answer = Buffer.concat(chunks).toString();
            const parsed = answer === "" ? undefined : (JSON.parse(answer) as unknown);
            resolve({ status: reply.statusCode ?? 0, headers: reply.headers, body: parsed });
          });
        },
      );
      sent.on("error", reject);
      sent.end(text);
    },
  );

describe("the pairing interface over HTTP", () => {
  it("keeps its contract, and is described in /openapi.json", async () => {
    const gateway = await start();
    const put = await call(gateway, "PUT", `${M}/providers`, { body: PROVIDERS });
    expect(put).toMatchObject({ status: 200, body: { success: true, data: { accepted: 2 } } });
    const policy = { requiredLocation: "US-East-1", requiredFeatures: ["http"], minStake: 1 };
    const paired = await call(gateway, "POST", `${M}/pairings`, {
      body: { policy, top: 3, weights: { stake: 1 }, seed: 1, explain: true },
    });
    expect(paired.body).toMatchObject({
      success: true,
      data: {
        providers: [{ address: "one", score: expect.any(Number), components: { location: 1 } }],
        filtered: 1,
        ranked: 1,
        survivors: [{ filter: "location", count: 1 }, { filter: "features" }, { filter: "stake" }],
        version: expect.any(Number),
        cache: "off",
        processingTimeUs: expect.any(Number),
      },
    });
    const why = await call(gateway, "GET", `${M}/pairings/why?address=two`, { body: { policy } });
    expect(why.body.data.refusals).toMatchObject([{ filter: "location", have: "EU-West-1" }]);
    const bad = await call(gateway, "POST", `${M}/pairings`, {
      body: { policy: { minStake: -1 } },
    });
    expect(bad).toMatchObject({
      status: 400,
      body: { success: false, error: "policy.minStake: minimum stake cannot be negative" },
    });
    const missing = await call(gateway, "GET", "/api/v1/markets/none/providers");
    expect(missing).toMatchObject({ status: 404, body: { success: false } });
    const document = await call(gateway, "GET", "/openapi.json");
    expect(Object.keys(document.body.paths)).toEqual(
      expect.arrayContaining([
        "/api/v1/chains",
        "/api/v1/markets/{market}/providers",
        "/api/v1/markets/{market}/pairings/why",
      ]),
    );
    const metrics = await fetch(`${gateway.url}/metrics`).then((reply) => reply.text());
    expect(metrics).toContain('paceline_market_rows{market="lava"} 2');
  });

  it("has what it had after a restart, and after it was killed", async () => {
    const gateway = await start();
    await call(gateway, "PUT", `${M}/providers`, { body: PROVIDERS });
    gateway.child.signal("SIGTERM");
    await gateway.child.exited;
    const { folder } = gateway;
    const config = { chains: CHAINS };
    const second = use(await Gateway.start({ config, folder }));
    const page = await call(second, "GET", `${M}/providers`);
    expect(page.body.data.providers).toEqual(PROVIDERS);
    const added = { address: "three", stake: 1, location: "x", features: [] };
    await call(second, "POST", `${M}/providers`, { body: added });
    // The last moments are all that may be lost.
    await new Promise((resolve) => setTimeout(resolve, 500));
    await second.child.kill();
    const third = use(await Gateway.start({ config, folder }));
    expect((await call(third, "GET", `${M}/providers/three`)).body.data).toEqual(added);
    expect(third.traces()).not.toContain("ExperimentalWarning");
  });

  it("lets only keys of a market change it, as soon as there are keys", async () => {
    const key = (id: string, more: object) => ({ id, hash: hashOfKey(`${id}-secret`), ...more });
    const keys = [
      key("reader", {}),
      key("writer", { markets: ["lava"] }),
      key("owner", { markets: ["*"] }),
    ];
    const gateway = await start({ clients: { keys } });
    const as = (id: string) => ({ headers: { "x-paceline-key": `${id}-secret` } });
    const put = (path: string, who?: Call) =>
      call(gateway, "PUT", path, { body: PROVIDERS, ...who });
    expect(await put(`${M}/providers`)).toMatchObject({ status: 401, body: { success: false } });
    expect(await put(`${M}/providers`, as("nobody"))).toMatchObject({ status: 401 });
    expect(await put(`${M}/providers`, as("reader"))).toMatchObject({
      status: 403,
      body: { code: "PAIRING_FORBIDDEN" },
    });
    expect((await put("/api/v1/markets/other/providers", as("writer"))).status).toBe(403);
    expect((await put(`${M}/providers`, as("writer"))).status).toBe(200);
    const pairing = { body: { policy: {} }, ...as("reader") };
    expect((await call(gateway, "POST", `${M}/pairings`, pairing)).status).toBe(200);
    const reset = (who: string) =>
      call(gateway, "POST", "/api/v1/pairing/stats/reset", { body: {}, ...as(who) });
    const refused = await reset("writer");
    expect(refused).toMatchObject({ status: 403, body: { code: "PAIRING_FORBIDDEN" } });
    expect(refused.body.error).toContain("all markets");
    expect((await reset("owner")).status).toBe(200);
    expect(gateway.traces()).not.toContain("writer-secret");
  });

  it("lets no page of another origin write, and answers preflights of those that are named", async () => {
    const gateway = await start({ cors: { origins: ["https://app.example.org"] } });
    const from = (origin: string) => ({ headers: { origin } });
    const put = (origin: string) =>
      call(gateway, "PUT", `${M}/providers`, { body: PROVIDERS, ...from(origin) });
    expect((await put("https://evil.example.org")).status).toBe(403);
    const named = await put("https://app.example.org");
    expect(named.status).toBe(200);
    expect(named.headers["access-control-allow-origin"]).toBe("https://app.example.org");
    const preflight = await call(gateway, "OPTIONS", `${M}/providers`, {
      headers: {
        origin: "https://app.example.org",
        "access-control-request-method": "PUT",
        "access-control-request-headers": "content-type",
      },
    });
    expect(preflight.status).toBe(204);
    expect(preflight.headers["access-control-allow-methods"]).toContain("PUT");
  });

  it("refuses a body beyond the limit in its own words", async () => {
    const gateway = await start({ limits: { max_body: "64KiB" } });
    const body = Array.from({ length: 1_000 }, (_, i) => ({ ...PROVIDERS[0], address: `p${i}` }));
    expect(await call(gateway, "PUT", `${M}/providers`, { body })).toMatchObject({
      status: 413,
      body: { code: "PAIRING_BODY_TOO_LARGE", success: false },
    });
  });

  it("waits for room in the queue when it is asked to", async () => {
    const gateway = await start({ pairing: { workers: 1, queue: { capacity: 1 } } });
    await call(gateway, "PUT", `${M}/providers`, { body: PROVIDERS });
    const body = Array.from({ length: 8 }, (_, i) => ({ minStake: i }));
    const waited = await call(gateway, "POST", `${M}/pairings/queue?timeout=5s`, { body });
    // One worker, one place, and one that waits for it: the others find no room at all.
    expect(waited.body.data.accepted).toBeGreaterThanOrEqual(3);
    const sum: number = waited.body.data.accepted + waited.body.data.rejected.length;
    expect(sum).toBe(8);
    const wrong = await call(gateway, "POST", `${M}/pairings/queue?timeout=soon`, { body });
    expect(wrong).toMatchObject({ status: 400, body: { faults: [{ path: "timeout" }] } });
  });

  it("may be all that a host is there for", async () => {
    const gateway = await start({ chains: {}, pairing: { markets: { lava: {} } } });
    expect(await call(gateway, "GET", "/readyz")).toMatchObject({
      status: 200,
      body: {
        status: "ok",
        checks: expect.arrayContaining([expect.objectContaining({ name: "pairing", ok: true })]),
      },
    });
    const put = await call(gateway, "PUT", `${M}/providers`, { body: PROVIDERS });
    expect(put.body.data.accepted).toBe(2);
    expect((await call(gateway, "GET", "/api/v1/chains")).body.chains).toEqual([]);
  });

  it("can be switched off", async () => {
    const gateway = await start({ pairing: { on_demand: 0 } });
    expect((await call(gateway, "GET", "/api/v1/markets")).status).toBe(404);
    const document = await call(gateway, "GET", "/openapi.json");
    expect(Object.keys(document.body.paths)).not.toContain("/api/v1/markets");
  });
});
