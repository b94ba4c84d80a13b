/** A host whose memory is nearly used up, by its own measure. */
import { expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { Gateway } from "../support/gateway.ts";
import { post, RpcSocket } from "../support/rpc.ts";

const use = cleanupAfterEach();
const READ = { jsonrpc: "2.0", id: 1, method: "eth_getBlockByNumber", params: ["0x1", false] };

it("keeps nothing and takes no subscription while it serves on", async () => {
  const startMs = Date.now();
  const chain = new FakeChain({ seed: 1, chainId: 77, blockTimeMs: 200, startMs });
  const mind = new FakeProvider({ id: "a", chain, faults: {}, seed: 1, startMs });
  const server = use(await startFakeServer(mind, Date.now));
  const gateway = use(
    await Gateway.start({
      config: {
        // The program alone is a quarter of this heap and more.
        limits: { memory_high: 0.01 },
        chains: { one: { chain_id: 77, providers: [{ id: "a", url: server.url }] } },
      },
      env: { NODE_OPTIONS: "--max-old-space-size=96 --max-semi-space-size=4" },
    }),
  );
  await gateway.child.waitFor(/rpc\.memory\.relief/);
  const url = `${gateway.url}/rpc/one`;
  for (let i = 0; i < 2; i++) {
    const { headers, text } = await post(url, READ);
    expect(JSON.parse(text).result.number).toBe("0x1");
    expect(headers.get("x-paceline-cache")).not.toBe("HIT");
  }
  const socket = use(await RpcSocket.connect(`${gateway.wsUrl}/rpc/one`));
  const { error } = await socket.answer("eth_subscribe", ["newHeads"]);
  expect(error).toMatchObject({ code: -32_002, data: { reason: "overloaded" } });
});
