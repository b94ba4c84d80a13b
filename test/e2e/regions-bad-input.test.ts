/** A Redis that cannot be shared over: what the operator is told, and that clients notice nothing. */
import { beforeAll, expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import { cleanupAfterAll } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Gateway } from "../support/gateway.ts";
import { startOldRedis } from "../support/old-redis.ts";
import { describeWithRedis, startRedis } from "../support/redis.ts";
import { anew, post } from "../support/rpc.ts";
import { TRUSTED } from "../support/tls.ts";

const PASSWORD = "CANARY-of-the-store";
const READ = { jsonrpc: "2.0", id: 1, method: "eth_gasPrice", params: [] };

interface Case {
  readonly redis: Readonly<Record<string, unknown>>;
  /** What its log says, at the link and at the listener where both are told. */
  readonly says: RegExp;
  /** Where the region stands. */
  readonly state: "apart" | "joined";
}

describeWithRedis("a region whose Redis is of no use", () => {
  const keep = cleanupAfterAll();
  const cases = new Map<string, Case & { readonly gateway: Gateway }>();

  beforeAll(async () => {
    const [plain, secure, replica, old] = await Promise.all([
      startRedis({ password: PASSWORD }),
      startRedis({ tls: true, password: PASSWORD }),
      startRedis({ args: ["--replicaof", "127.0.0.1 1"] }),
      startOldRedis("4.0.14"),
    ]);
    for (const server of [plain, secure, replica, old]) keep(server);
    const startMs = Date.now();
    const chain = new FakeChain({ seed: 1, chainId: 77, blockTimeMs: 500, startMs });
    const mind = new FakeProvider({ id: "a", chain, faults: {}, seed: 1, startMs });
    const { url } = keep(await startFakeServer(mind, Date.now));
    const all: Readonly<Record<string, Case>> = {
      "wants-tls": {
        redis: { url: plain.url.replace("redis:", "rediss:"), tls_ca: TRUSTED.cert },
        says: /no TLS handshake: if the server speaks no TLS there, let redis\.url begin with/,
        state: "apart",
      },
      "wants-none": {
        redis: { url: secure.url.replace("rediss:", "redis:") },
        says: /if the server wants TLS, let redis\.url begin with rediss/,
        state: "apart",
      },
      "finds-old": {
        redis: { url: old.url },
        says: /Redis 4\.0\.14 is too old: 5\.0 or newer is needed/,
        state: "apart",
      },
      copies: {
        redis: { url: replica.url },
        says: /READONLY the server copies another one/,
        state: "joined",
      },
    };
    // One by one: more at a time would only wait for each other's processor.
    for (const [region, one] of Object.entries(all)) {
      const cluster = { secret: "CANARY-secret-of-the-cluster", lease: "3s" };
      const chains = { one: { chain_id: 77, providers: [{ id: "a", url }] } };
      const config = { region, redis: one.redis, cluster, chains };
      cases.set(region, { ...one, gateway: keep(await Gateway.start({ config })) });
    }
  });

  it("says what is wrong and what to do about it, in its log and to whoever asks", async () => {
    for (const { gateway, says, state } of cases.values()) {
      const event = state === "apart" ? /redis\.down/ : /redis\.trouble/;
      await gateway.child.waitFor(says);
      await gateway.child.waitFor(event);
      if (state === "apart") await gateway.child.waitFor(/cluster\.link_lost/);
      await eventually(`it is ${state}`, async () => {
        const view = await (await fetch(`${gateway.url}/api/v1/regions`)).json();
        return (view as { readonly state: string }).state === state;
      });
    }
  });

  it("serves on, and shows no secret", async () => {
    for (const { gateway } of cases.values()) {
      for (let time = 0; time < 20; time++) {
        const { status, text } = await post(anew(`${gateway.url}/rpc/one`), READ);
        expect(status).toBe(200);
        expect(text).toContain("result");
      }
      expect(gateway.traces()).not.toContain("CANARY");
      expect(gateway.traces()).not.toContain("PRIVATE KEY");
    }
  });
});
