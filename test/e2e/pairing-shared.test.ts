/** Two hosts as processes that share rankings over Redis. */
import { expect, it } from "vitest";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Gateway } from "../support/gateway.ts";
import { describeWithRedis, startRedis } from "../support/redis.ts";

const CHAINS = { alpha: { chain_id: 1, providers: [{ id: "a", url: "http://127.0.0.1:9" }] } };
const SECRET = "0123456789abcdef0123456789abcdef";
const M = "/api/v1/markets/lava";
const PROVIDERS = ["one", "two", "three"].map((address, i) => ({
  address,
  stake: 10_000 * (i + 1),
  location: "US-East-1",
  features: ["HTTP"],
}));

describeWithRedis("hosts that share rankings", () => {
  const use = cleanupAfterEach();

  it("answer from one another's, as long as they have the same providers", async () => {
    const redis = use(await startRedis());
    const host = async (region: string) => {
      const config = {
        region,
        chains: CHAINS,
        redis: { url: redis.url },
        cluster: { secret: SECRET },
        pairing: { cache: { shared: true, shared_from: 0 } },
      };
      const gateway = use(await Gateway.start({ config }));
      const send = async (method: string, path: string, body?: unknown) => {
        const text = body === undefined ? {} : { body: JSON.stringify(body) };
        return fetch(`${gateway.url}${path}`, { method, ...text });
      };
      const metric = async (result: string) => {
        const lines = await (await send("GET", "/metrics")).text();
        const line = new RegExp(
          `ranking_cache_shared_total\\{result="${result}",region="${region}"\\} (\\d+)`,
          "u",
        );
        return Number(line.exec(lines)?.[1] ?? -1);
      };
      const pair = async (policy: object) =>
        (
          (await (await send("POST", `${M}/pairings`, { policy })).json()) as {
            readonly data: { readonly cache: string; readonly providers: readonly object[] };
          }
        ).data;
      await eventually("Redis is there", async () =>
        (await (await send("GET", "/metrics")).text()).includes(
          `paceline_redis_up{region="${region}"} 1`,
        ),
      );
      return { gateway, send, metric, pair };
    };
    const [eu, us] = await Promise.all([host("eu"), host("us")]);
    await eu.send("PUT", `${M}/providers`, PROVIDERS);
    await us.send("PUT", `${M}/providers`, PROVIDERS.toReversed());
    const made = await eu.pair({ minStake: 1 });
    expect(made).toMatchObject({ cache: "miss", providers: [{ address: "three" }, {}, {}] });
    await eventually("it is written", async () => (await eu.metric("written")) === 1);
    const heard = await us.pair({ minStake: 1 });
    expect(heard).toMatchObject({ cache: "hit", providers: made.providers });
    // Figures are drawn anew once in a while.
    await eventually("it is counted", async () => (await us.metric("hit")) === 1);
    await us.send("DELETE", `${M}/providers/three`);
    expect((await us.pair({ minStake: 1 })).providers).toMatchObject([{ address: "two" }, {}]);
    await eventually("it was not there", async () => (await us.metric("miss")) === 1);
    expect(await us.metric("hit")).toBe(1);
    for (const { gateway } of [eu, us]) expect(gateway.traces()).not.toContain(SECRET);
  });
});
