/** A link over real sockets to a provider that keeps books; only its timers run on a virtual clock. */
import { afterEach, describe, expect, it } from "vitest";
import { connectWs } from "../../../src/io/ws-client.ts";
import { seededRandom } from "../../../src/lib/random.ts";
import { Secret } from "../../../src/lib/secret.ts";
import { cleanupAfterEach } from "../../support/cleanup.ts";
import { StubUpstream, type StubConnection } from "../../support/stub-upstream.ts";
import { FakeClient, header, startChain } from "../streams/chain-kit.ts";

type Chain = Awaited<ReturnType<typeof startChain>>;

const NAME = "rpc/chain/ethereum/provider/p1/ws-connection";
const MAX_PAYLOAD_BYTES = 100_000;
const MAX_TURNS = 20_000;

describe("a link over real sockets", () => {
  const use = cleanupAfterEach();
  let chain: Chain | undefined;

  afterEach(async () => {
    await chain?.node.stop();
    chain = undefined;
  });

  const start = async (): Promise<{ chain: Chain; stub: StubUpstream }> => {
    const stub = use(await StubUpstream.start());
    chain = await startChain(1, "", (handlers) =>
      connectWs(
        {
          url: new Secret(stub.wsUrl),
          headers: {},
          handshakeTimeoutMs: 5_000,
          maxPayloadBytes: MAX_PAYLOAD_BYTES,
        },
        handlers,
      ),
    );
    return { chain, stub };
  };

  const inspect = () => chain?.node.inspector.info(NAME)?.state as Readonly<Record<string, any>>;

  /** Lets the sockets work, at no virtual time, until it is so. */
  const until = async (what: string, isSo: () => boolean): Promise<void> => {
    for (let turn = 0; turn < MAX_TURNS; turn++) {
      await chain?.node.settle();
      if (isSo()) return;
      await new Promise((resolve) => {
        setImmediate(resolve);
      });
    }
    throw new Error(`${what}: ${JSON.stringify(inspect())}`);
  };

  /** Lets virtual time pass until the next connection is live. */
  const back = async (stub: StubUpstream, connections: number): Promise<StubConnection> => {
    await until("it is down", () => inspect()["state"] !== "live");
    await chain?.node.advance(40_000);
    await until("it is back", () => inspect()["state"] === "live");
    expect(stub.connections).toHaveLength(connections);
    return stub.only;
  };

  it("holds exactly what is wanted after each of 500 reconnects, and gives back what is not", async () => {
    const { chain, stub } = await start();
    const random = seededRandom(11);
    const clients = { logs: new FakeClient(1), newPendingTransactions: new FakeClient(2) };
    const wanted = new Set<string>(["newHeads"]);
    await until("it is up", () => inspect()["state"] === "live");
    for (let round = 1; round <= 500; round++) {
      // Clients come and go, most of the time while the link is up.
      const kind = random() < 0.5 ? "logs" : "newPendingTransactions";
      if (!wanted.has(kind)) {
        const answer = await chain.subscribe(clients[kind], kind);
        expect(answer.ok).toBe(true);
        wanted.add(kind);
      } else if (random() < 0.3) {
        chain.hub().cast.drop(clients[kind].id);
        wanted.delete(kind);
        await chain.node.advance(62_000);
      }
      const balanced = [...wanted].toSorted().join();
      await until("in balance", () => stub.live[0]?.kinds.join() === balanced);
      const ending = stub.only;
      if (random() < 0.5) ending.socket.terminate();
      else ending.socket.close(random() < 0.5 ? 1001 : 1012, "restart");
      await back(stub, round + 1);
    }
    const balanced = [...wanted].toSorted();
    await until("in balance", () => stub.live[0]?.kinds.join() === balanced.join());
    expect(stub.live).toHaveLength(1);
    expect(inspect()).toMatchObject({ reconnects: 500, ending: 0, orphans: 0, mismatches: 0 });
    for (const { subscribed, unsubscribed, unknown, closed } of stub.connections.slice(0, -1)) {
      expect(closed).toBeDefined();
      expect(unknown).toBe(0);
      expect(subscribed - unsubscribed).toBeGreaterThan(0);
      // Heads and two kinds, each of them ended and begun anew at most once between two reconnects.
      expect(subscribed).toBeLessThanOrEqual(4);
    }
    const told = chain.emitted.filter(({ name }) => name === "subs.ledger_mismatch");
    expect(told).toEqual([]);
  }, 120_000);

  it("survives an answer to a subscribe that comes late, and one that comes after the end", async () => {
    const { chain, stub } = await start();
    await until("it is up", () => inspect()["state"] === "live");
    stub.heldMethods.add("eth_subscribe");
    await chain.subscribe(new FakeClient(1), "logs");
    await until("it is asked", () => stub.only.held.length === 1);
    // Given up after 10 s, asked again after 30 s more; then both answers come.
    await chain.node.advance(45_000);
    await until("it is asked again", () => stub.only.held.length === 2);
    stub.only.release();
    await until("one is kept", () => stub.only.kinds.join() === "logs,newHeads");
    await until("one is given back", () => inspect()["ending"] === 0);
    expect(inspect()).toMatchObject({ open: ["newHeads", "logs"], mismatches: 1, orphans: 0 });
    stub.heldMethods.clear();
    stub.only.socket.close(1012, "restart");
    const fresh = await back(stub, 2);
    await until("in balance", () => fresh.kinds.join() === "logs,newHeads");
  });

  it("ends a connection that sends a message over the limit, and says so", async () => {
    const { stub } = await start();
    await until("it is up", () => inspect()["state"] === "live");
    const first = stub.only;
    first.socket.send("x".repeat(MAX_PAYLOAD_BYTES + 1));
    await back(stub, 2);
    expect(inspect()).toMatchObject({
      reconnects: 1,
      lastClose: { code: 1009, reason: `1009 message over ${MAX_PAYLOAD_BYTES} bytes` },
    });
    await until("the provider knows why", () => first.closed !== undefined);
  });

  it.each([1, 2])(
    "tells the size to the call whose answer is over the limit, if %i waits",
    async (count) => {
      const { chain, stub } = await start();
      await until("it is up", () => inspect()["state"] === "live");
      const failures = chain.outcomes.filter(({ errorClass }) => errorClass !== "ok").length;
      stub.heldMethods.add("eth_getLogs");
      const sizes: number[] = [];
      const ends: string[] = [];
      const upstream = chain.state.upstream(chain.state.rows("p1").ws)!;
      for (let i = 0; i < count; i++) {
        const id = 100_000_001 + i;
        const body = JSON.stringify({ jsonrpc: "2.0", id, method: "eth_getLogs", params: [{}] });
        const call = upstream.send(Buffer.from(body), id, {
          onHead: ({ sizeBytes }) => {
            sizes.push(sizeBytes);
            call.abort();
          },
          onData: () => true,
          onEnd: () => ends.push("end"),
          onFailure: ({ kind }) => ends.push(kind),
        });
      }
      await until("it is asked", () => stub.only.held.length === count);
      stub.only.socket.send("x".repeat(MAX_PAYLOAD_BYTES + 1));
      await back(stub, 2);
      // Of several nobody can tell which it was: all fail over, and the connection takes the blame.
      expect(sizes).toEqual(count === 1 ? [MAX_PAYLOAD_BYTES + 1] : []);
      expect(ends).toEqual(count === 1 ? [] : ["closed", "closed"]);
      const failed = chain.outcomes.filter(({ errorClass }) => errorClass !== "ok").length;
      expect(failed - failures).toBe(count === 1 ? 0 : 1);
    },
  );

  it("reads an event in a binary frame, and takes binary noise for noise", async () => {
    const { chain, stub } = await start();
    await until("it is up", () => inspect()["state"] === "live");
    stub.only.socket.send(Buffer.from([0, 1, 2, 255]), { binary: true });
    stub.only.event("newHeads", header("a1", 1, "a0"), true);
    await until("a head", () => chain.state.head?.number === 1);
    expect(inspect()).toMatchObject({ state: "live", unread: 1, reconnects: 0 });
  });

  it("never subscribes on a wrong chain, and tries again", async () => {
    const { chain, stub } = await start();
    await until("it is up", () => inspect()["state"] === "live");
    stub.chainId = "0x2";
    stub.only.socket.terminate();
    await until("it is down", () => inspect()["state"] === "backing_off");
    await chain.node.advance(1_000);
    await until("it is quarantined", () => inspect()["state"] === "quarantined");
    expect(stub.connections[1]?.calls).toEqual(["eth_chainId"]);
    expect(inspect()["lastError"]).toBe("wrong chain: 2 instead of 1");
    stub.chainId = "0x1";
    await chain.node.advance(31_000);
    await until("it is up", () => inspect()["state"] === "live");
    expect(stub.only.kinds).toEqual(["newHeads"]);
  });

  it.each([
    [1001, "moving"],
    [1012, "deploying"],
    [1013, "busy"],
    [4_001, "bye"],
  ])("comes back after a close with %i, and shows the provider's words", async (code, reason) => {
    const { stub } = await start();
    await until("it is up", () => inspect()["state"] === "live");
    stub.only.socket.close(code, reason);
    await back(stub, 2);
    expect(inspect()["lastClose"]).toMatchObject({ code, reason: `${code} ${reason}` });
  });
});
