/** A provider that invents and changes logs of real blocks, next to two honest ones, over real sockets. */
import { describe, expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Gateway } from "../support/gateway.ts";
import { LyingProvider } from "../support/lying-mind.ts";
import { rpc, RpcSocket } from "../support/rpc.ts";
import { liveOf } from "../support/live-logs.ts";

const BLOCK_MS = 400;
const BLOCKS_OF_LIES = 8;

describe("a provider that lies about the logs of real blocks", () => {
  const use = cleanupAfterEach();

  it("is found out: clients are left with exactly the true logs, and it alone is blamed", async () => {
    const startMs = Date.now();
    const chain = new FakeChain({
      seed: 3,
      chainId: 77,
      blockTimeMs: BLOCK_MS,
      startMs,
      reorgEpoch: 0,
    });
    const common = { chain, seed: 1, startMs };
    // It is the first to tell of every block.
    const faults = { headDelayMs: 60 };
    const liar = new LyingProvider({ ...common, id: "liar", faults: {} });
    const minds = [
      liar,
      new FakeProvider({ ...common, id: "a", faults }),
      new FakeProvider({ ...common, id: "b", faults }),
    ];
    const providers: { readonly id: string; readonly url: string; readonly ws_url: string }[] = [];
    for (const mind of minds) {
      const { url, wsUrl } = use(await startFakeServer(mind, Date.now));
      providers.push({ id: mind.id, url, ws_url: wsUrl });
    }
    const gateway = use(
      await Gateway.start({ config: { chains: { one: { chain_id: 77, providers } } } }),
    );
    const socket = use(await RpcSocket.connect(`${gateway.wsUrl}/rpc/one`));
    const heads = (await socket.subscribe("newHeads")).events;
    const logs = (await socket.subscribe("logs", {})).events;
    // Whoever has not listened for long is no witness.
    await socket.until(() => heads.length > 4_000 / BLOCK_MS);
    const first = heads.length;
    liar.isLying = true;
    await socket.until(() => heads.length >= first + BLOCKS_OF_LIES, 20_000);
    liar.isLying = false;
    const hashes: string[] = heads.slice(1).map(({ hash }) => hash);
    const truth = await Promise.all(
      hashes.map((blockHash) => rpc(providers[1]!.url, "eth_getLogs", [{ blockHash }])),
    );
    const wanted = truth.flat().map(nameOf);
    const account = () =>
      liveOf(logs, nameOf).filter((name) => hashes.some((hash) => name.includes(hash)));
    await eventually(
      "the client has the true logs",
      () => account().length === wanted.length && account().every((name) => wanted.includes(name)),
      20_000,
    );
    expect(account().toSorted()).toEqual(wanted.toSorted());

    const taken = logs.filter(({ removed }) => removed).map(nameOf);
    expect(taken.length).toBeGreaterThan(BLOCKS_OF_LIES);
    expect(new Set(taken).size).toBe(taken.length);
    const lies = liar.lies.map(nameOf);
    expect(taken.filter((name) => !lies.includes(name))).toEqual([]);

    const answer = (await (await fetch(`${gateway.url}/api/v1/chains`)).json()) as any;
    const blame = answer.chains[0].providers.map((one: any) => [one.id, one.misbehaviour > 0]);
    expect(Object.fromEntries(blame)).toEqual({ liar: true, a: false, b: false });
  }, 60_000);
});

function nameOf({ blockHash, logIndex, data }: any): string {
  return `${blockHash}:${Number(logIndex)}:${data}`;
}
