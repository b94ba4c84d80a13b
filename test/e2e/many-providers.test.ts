/** A thousand providers of one chain: the program starts, chooses, streams and reports as with five. */
import { expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Gateway } from "../support/gateway.ts";
import { anew, post, RpcSocket } from "../support/rpc.ts";

const PROVIDERS = 1_000;
const STREAMING = 20;
/** A busy machine with two cores asks a thousand providers for their chain for ten seconds and more. */
const BUSY_MS = 45_000;
const use = cleanupAfterEach();

it("starts, serves, streams and lists them", async () => {
  const startMs = Date.now();
  const chain = new FakeChain({ seed: 1, chainId: 77, blockTimeMs: 1_000, startMs });
  const mind = new FakeProvider({ id: "p", chain, faults: {}, seed: 1, startMs });
  const server = use(await startFakeServer(mind, Date.now));
  const providers = Array.from({ length: PROVIDERS }, (_, i) => ({
    id: `p${i}`,
    url: `${server.url}/${i}`,
    ...(i < STREAMING ? { ws_url: `${server.wsUrl}/${i}` } : {}),
  }));
  const gateway = use(
    await Gateway.start({ config: { chains: { one: { chain_id: 77, providers } } } }),
  );
  const read = { jsonrpc: "2.0", id: 1, method: "eth_gasPrice", params: [] };
  // It is ready before the last of them has said which chain it is on.
  await eventually(
    "a provider answers",
    async () => {
      const { text, headers } = await post(anew(`${gateway.url}/rpc/one`), read);
      return /^p\d+$/u.test(headers.get("x-paceline-provider") ?? "") && text.includes('"result"');
    },
    BUSY_MS,
  );
  const socket = use(await RpcSocket.connect(`${gateway.wsUrl}/rpc/one`));
  const { events } = await socket.subscribe("newHeads");
  await socket.until(() => events.length >= 2, BUSY_MS);
  const listed = async (what: string): Promise<any> =>
    (await fetch(`${gateway.url}/api/v1/chains/one/${what}?limit=1000`)).json();
  const { total, providers: rows } = await listed("providers");
  expect([total, rows.length]).toEqual([PROVIDERS, PROVIDERS]);
  const { leaderboard } = await listed("leaderboard");
  expect(new Set(leaderboard.map(({ provider }: any) => provider)).size).toBe(PROVIDERS);
}, 150_000);
