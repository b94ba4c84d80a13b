/** A provider that lies, before a real gateway: clients, operators and rankings. */
import { beforeAll, describe, expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import type { FaultProfile } from "../../src/rpc/fake/faults.ts";
import { FakeProvider, LIE_PREFIX } from "../../src/rpc/fake/provider.ts";
import { cleanupAfterAll } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Gateway } from "../support/gateway.ts";
import { anew, post, rpc } from "../support/rpc.ts";

const WHO = `0x${"11".repeat(20)}`;
const CHAIN_ID = 78;

describe("a lying provider", () => {
  const keep = cleanupAfterAll();
  let gateway: Gateway;

  beforeAll(async () => {
    const startMs = Date.now() - 100_000;
    const chain = new FakeChain({
      seed: 3,
      chainId: CHAIN_ID,
      blockTimeMs: 1_000,
      startMs,
      reorgEpoch: 0,
    });
    const start = async (id: string, faults: FaultProfile, more: object = {}) => {
      const mind = new FakeProvider({ id, chain, faults, seed: 3, startMs });
      const { url } = keep(await startFakeServer(mind, Date.now));
      return { id, url, ...more };
    };
    const lies = { ratios: { lie: 1 } };
    const providers = [
      await start("liar", lies, { priority: 1 }),
      await start("b", {}, { priority: 2 }),
      await start("c", {}, { priority: 3 }),
      await start("watched", lies, { shadow: { sample: 1 } }),
    ];
    const common = {
      chain_id: CHAIN_ID,
      strategy: "priority",
      health_check: { interval: "500ms" },
      providers,
    };
    gateway = keep(
      await Gateway.start({
        config: {
          chains: { voted: { ...common, quorum: [{ methods: ["eth_getTransactionCount"] }] } },
        },
      }),
    );
    await eventually("three heads are known", async () => {
      const { chains } = await report();
      return (
        chains[0].providers.filter(({ head }: { head: number | null }) => head !== null).length >= 4
      );
    });
  });

  const report = async (): Promise<any> =>
    (await fetch(`${gateway.url}/api/v1/chains`)).json() as Promise<any>;

  it("reaches nobody through a quorum, is seen by operators, and loses its place", async () => {
    const url = `${gateway.url}/rpc/voted`;
    expect(await rpc(anew(url), "eth_getBalance", [WHO, "latest"])).toContain(LIE_PREFIX);
    for (let n = 0; n < 10; n++) {
      const count = await rpc(url, "eth_getTransactionCount", [WHO, "latest"]);
      expect(count).not.toContain(LIE_PREFIX);
    }
    await eventually("the liar sinks", async () => {
      const [voted] = (await report()).chains;
      const liar = voted.providers.find(({ id }: { id: string }) => id === "liar");
      return liar.misbehaviour >= 3 && liar.rank === 3;
    });
    expect(await rpc(anew(url), "eth_getBalance", [WHO, "latest"])).not.toContain(LIE_PREFIX);
    const metrics = await (await fetch(`${gateway.url}/metrics`)).text();
    expect(metrics).toMatch(
      /paceline_provider_misbehaviour_total\{chain="voted",provider="liar",kind="quorum"[^}]*\} \d/,
    );
    expect(metrics).toMatch(/paceline_quorum_disputes_total\{chain="voted"[^}]*\} \d/);
  });

  it("is found out as a shadow, which serves nobody", async () => {
    const url = `${gateway.url}/rpc/voted`;
    await rpc(url, "eth_getBalance", [WHO, "0x1"]).catch(() => undefined);
    await eventually("the shadow is caught", async () => {
      await rpc(url, "eth_getTransactionCount", [WHO, "latest"]);
      const [voted] = (await report()).chains;
      const shadow = voted.providers.find(({ id }: { id: string }) => id === "watched");
      return shadow.trial === "shadow" && shadow.misbehaviour > 0 && shadow.rank === null;
    });
  });

  it("is measured beside the others by a benchmark read", async () => {
    const { headers, text } = await post(`${gateway.url}/rpc/benchmark/voted`, {
      jsonrpc: "2.0",
      id: 5,
      method: "eth_gasPrice",
      params: [],
    });
    expect(JSON.parse(text).id).toBe(5);
    const attempts = headers.get("x-paceline-attempts");
    for (const id of ["liar", "b", "c"]) expect(attempts).toMatch(new RegExp(`${id}=part:ok:\\d+`));
    expect(attempts).not.toContain("watched");
  });
});
