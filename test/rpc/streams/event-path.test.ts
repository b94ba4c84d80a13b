import { describe, expect, it } from "vitest";
import { messageAggregatorKey } from "../../../actors/rpc/message-aggregator.ts";
import { wsConnectionKey } from "../../../actors/rpc/ws-connection.ts";
import { statsTable } from "../../../src/rpc/stream-stats.ts";
import { FakeClient, NO_LOGS, header, log, startChain } from "./chain-kit.ts";

type Chain = Awaited<ReturnType<typeof startChain>>;

const idOf = (answer: Awaited<ReturnType<Chain["subscribe"]>>): string => {
  if (!answer.ok) throw new Error(answer.message);
  return answer.id;
};

describe("the event path of a chain", () => {
  it("sends each head once, whoever of three providers brings it, and publishes the tip", async () => {
    const chain = await startChain(3);
    const client = new FakeClient(1);
    await chain.subscribe(client, "newHeads");
    for (const [i, name] of ["a1", "a2", "a3"].entries()) {
      for (const provider of ["p1", "p2", "p3"]) {
        chain.socketOf(provider).event("newHeads", header(name, i + 1, `a${i}`));
      }
      await chain.node.advance(1_000);
    }
    expect(client.seen()).toEqual(["a1", "a2", "a3"]);
    expect(chain.state.head?.number).toBe(3);
    expect(chain.state.rows("p2").ws.head).toBe(3);
    await chain.node.stop();
  });

  it("keeps one upstream subscription for many clients and gives it back a minute after the last", async () => {
    const chain = await startChain(2);
    const clients = Array.from({ length: 20 }, (_, i) => new FakeClient(i));
    const ids = [];
    for (const client of clients) ids.push(idOf(await chain.subscribe(client, "logs", {})));
    expect(new Set(ids).size).toBe(1);
    const { sent, subscriptions } = chain.socketOf("p1");
    const kinds = sent.flatMap(({ method, params }) =>
      method === "eth_subscribe" ? params[0] : [],
    );
    expect(kinds).toEqual(["newHeads", "logs"]);
    for (const client of clients) chain.hub().cast.drop(client.id);
    await chain.node.advance(59_000);
    expect([...subscriptions.keys()]).toEqual(["newHeads", "logs"]);
    await chain.node.advance(3_000);
    expect([...subscriptions.keys()]).toEqual(["newHeads"]);
    await chain.node.stop();
  });

  it("goes on without loss or doubles, ids unchanged, while providers die in turn", async () => {
    const chain = await startChain(3);
    const client = new FakeClient(1);
    const heads = idOf(await chain.subscribe(client, "newHeads"));
    const logs = idOf(await chain.subscribe(client, "logs"));
    await chain.node.advance(5_000);
    for (let n = 1; n <= 30; n++) {
      if (n % 7 === 0) chain.socketOf(`p${1 + (n % 3)}`).break();
      for (const provider of ["p1", "p2", "p3"]) {
        const socket = chain.socketOf(provider);
        if (!socket.isOpen) continue;
        socket.event("logs", log(`a${n}`, n, 0));
        socket.event("newHeads", header(`a${n}`, n, `a${n - 1}`));
        socket.event("logs", log(`a${n}`, n, 1));
      }
      await chain.node.advance(1_000);
    }
    const names = Array.from({ length: 30 }, (_, i) => `a${i + 1}`);
    const of = (id: string) =>
      client.seen().filter((_, i) => client.events[i]!.subscription === id);
    expect(of(heads)).toEqual(names);
    expect(of(logs)).toEqual(names.flatMap((name) => [`+${name}:0`, `+${name}:1`]));
    await chain.node.stop();
  });

  it("takes many events of one read, heads among the logs, whoever of three providers is ahead", async () => {
    const chain = await startChain(3, "", undefined, 1_000_000);
    const client = new FakeClient(1);
    await chain.subscribe(client, "logs");
    await chain.subscribe(client, "newHeads");
    await chain.node.advance(5_000);
    const first = { ...header("a0", 0, "z9"), logsBloom: `0x${"0".repeat(512)}` };
    for (const id of ["p1", "p2", "p3"]) chain.socketOf(id).event("newHeads", first);
    await chain.node.advance(1_000);
    const blocks = Array.from({ length: 12 }, (_, i) => {
      const [name, n] = [`a${i + 1}`, i + 1];
      return [
        ["newHeads", header(name, n, `a${i}`)],
        ...[0, 1, 2].map((index) => ["logs", log(name, n, index)]),
      ] as [string, unknown][];
    });
    for (let i = 0; i < blocks.length; i += 3) {
      const read = blocks.slice(i, i + 3).flat();
      const order = ["p1", "p2", "p3"].map((_, at) => `p${1 + ((at + i / 3) % 3)}`);
      for (const provider of order) chain.socketOf(provider).events(...read);
      await chain.node.advance(1_000);
    }
    expect(client.seen().slice(1)).toEqual(
      blocks.flatMap((_, i) =>
        [0, 1, 2, 3].map((at) => (at === 0 ? `a${i + 1}` : `+a${i + 1}:${at - 1}`)),
      ),
    );
    const stats = await chain.node.via(messageAggregatorKey("ethereum")).call.stats();
    expect(stats.byKind["logs"]).toEqual({ messages: 108, duplicates: 72 });
    expect(chain.asked.filter((question) => question.startsWith("eth_getLogs"))).toEqual([]);
    await chain.node.stop();
  });

  it("lets a socket rest while much of it was not looked at, and a new race begin with none", async () => {
    const chain = await startChain(1, "", undefined, 10_000_000);
    await chain.subscribe(new FakeClient(1), "logs");
    await chain.node.advance(5_000);
    const socket = chain.socketOf("p1");
    socket.event("newHeads", header("a1", 1, "a0"));
    socket.event("logs", log("a1", 1, 0));
    await chain.node.advance(100);
    const read = (n: number) =>
      Array.from({ length: 1_000 }, (_, i) => ["logs", log("a1", 1, n * 1_000 + i + 1)] as const);
    socket.events(...read(0));
    expect(socket.isResting).toBe(false);
    socket.events(...read(1));
    socket.events(...read(2));
    expect(socket.isResting).toBe(true);
    await chain.node.settle();
    expect(socket.isResting).toBe(false);
    for (let n = 3; n < 6; n++) socket.events(...read(n));
    expect(socket.isResting).toBe(true);
    chain.node.inspector.exit("rpc/chain/ethereum/message-aggregator", "kill");
    await chain.node.settle();
    expect(socket.isResting).toBe(false);
    await chain.node.stop();
  });

  it("fills what was missed while every provider was gone", async () => {
    const chain = await startChain(1);
    const client = new FakeClient(1);
    await chain.subscribe(client, "newHeads");
    await chain.subscribe(client, "logs");
    await chain.node.advance(5_000);
    const blocks = [1, 2, 3, 4].map((n) => header(`a${n}`, n, `a${n - 1}`));
    chain.knows(...blocks);
    for (const n of [1, 2, 3, 4]) chain.knowsLogs(`a${n}`, [log(`a${n}`, n, 0)]);
    chain.socketOf("p1").event("newHeads", blocks[0]);
    chain.socketOf("p1").event("logs", log("a1", 1, 0));
    await chain.node.advance(3_000);
    chain.socketOf("p1").break();
    await chain.node.advance(2_000);
    chain.socketOf("p1").event("newHeads", blocks[3]);
    await chain.node.advance(1_000);
    const seen = client.seen();
    expect(seen.filter((name) => !name.startsWith("+"))).toEqual(["a1", "a2", "a3", "a4"]);
    expect(seen.filter((name) => name.startsWith("+"))).toEqual([
      "+a1:0",
      "+a2:0",
      "+a3:0",
      "+a4:0",
    ]);
    await chain.node.stop();
  });

  it("keeps clients, ids and history when the hub or the aggregator is killed", async () => {
    const chain = await startChain(2);
    const client = new FakeClient(1);
    const id = idOf(await chain.subscribe(client, "newHeads"));
    await chain.subscribe(client, "logs");
    await chain.node.advance(5_000);
    const blocks = Array.from({ length: 12 }, (_, i) => header(`a${i}`, i, `a${i - 1}`));
    chain.knows(...blocks);
    for (let n = 1; n < 12; n++) {
      chain.knowsLogs(`a${n}`, [log(`a${n}`, n, 0), log(`a${n}`, n, 1)]);
      for (const provider of ["p1", "p2"]) {
        chain.socketOf(provider).event("logs", log(`a${n}`, n, 0));
        chain.socketOf(provider).event("newHeads", blocks[n]);
      }
      await chain.node.settle();
      if (n % 4 === 1) chain.node.inspector.exit("rpc/chain/ethereum/subscription-hub", "kill");
      if (n % 4 === 3) chain.node.inspector.exit("rpc/chain/ethereum/message-aggregator", "kill");
      for (const provider of ["p1", "p2"]) {
        chain.socketOf(provider).event("logs", log(`a${n}`, n, 1));
      }
      await chain.node.advance(1_000);
    }
    await chain.node.advance(10_000);
    const names = Array.from({ length: 11 }, (_, i) => `a${i + 1}`);
    const heads = client.seen().filter((_, i) => client.events[i]!.subscription === id);
    expect(heads).toEqual(names);
    const logs = client.seen().filter((name) => /^[+-]/.test(name));
    expect(logs.toSorted((a, b) => a.localeCompare(b))).toEqual(
      names.flatMap((name) => [`+${name}:0`, `+${name}:1`]).toSorted((a, b) => a.localeCompare(b)),
    );
    await chain.node.stop();
  });

  it("tells who asks for syncing whether heads come, at once and at each change", async () => {
    const chain = await startChain(1);
    const [early, late] = [new FakeClient(1), new FakeClient(2)];
    const told = (client: FakeClient) => client.events.map(({ result }) => result);
    chain.socketOf("p1").event("newHeads", header("a7", 7, "a6"));
    await chain.node.settle();
    await chain.subscribe(early, "syncing");
    await chain.node.advance(9_000);
    expect(told(early)).toEqual([false]);
    await chain.node.advance(3_000);
    const status = { startingBlock: "0x7", currentBlock: "0x7", highestBlock: "0x7" };
    const behind = { syncing: true, status };
    await chain.subscribe(late, "syncing");
    expect([told(early), told(late)]).toEqual([[false, behind], [behind]]);
    chain.socketOf("p1").event("newHeads", header("a8", 8, "a7"));
    await chain.node.advance(1_000);
    expect([told(early), told(late)]).toEqual([
      [false, behind, false],
      [behind, false],
    ]);
    await chain.node.stop();
  });

  it("takes back the logs of a replaced block, although no node says so", async () => {
    const chain = await startChain(1);
    const client = new FakeClient(1);
    await chain.subscribe(client, "logs");
    await chain.node.advance(5_000);
    const socket = chain.socketOf("p1");
    socket.event("newHeads", header("a1", 1, "a0", NO_LOGS));
    socket.event("newHeads", header("a2", 2, "a1"));
    socket.event("logs", log("a2", 2, 0));
    socket.event("logs", log("a2", 2, 1));
    socket.event("newHeads", header("b2", 2, "a1"));
    socket.event("logs", log("b2", 2, 0));
    await chain.node.settle();
    expect(client.seen()).toEqual(["+a2:0", "+a2:1", "-a2:1", "-a2:0", "+b2:0"]);
    await chain.node.stop();
  });

  it("closes a client that does not read, names the subscription, and delays nobody", async () => {
    const chain = await startChain(1);
    const stuck = new FakeClient(1);
    const well = new FakeClient(2);
    const id = idOf(await chain.subscribe(stuck, "newHeads"));
    await chain.subscribe(well, "newHeads");
    chain.socketOf("p1").event("newHeads", header("a1", 1, "a0"));
    await chain.node.settle();
    stuck.bufferedBytes = 2_000;
    chain.socketOf("p1").event("newHeads", header("a2", 2, "a1"));
    await chain.node.settle();
    // It goes on behind what it was sent, not behind what was on its way.
    expect(stuck.closed).toBe(`1013 slow consumer ${id} ${header("a1", 1, "a0").hash}`);
    expect(stuck.seen()).toEqual(["a1"]);
    expect(well.seen()).toEqual(["a1", "a2"]);
    const half = new FakeClient(3);
    await chain.subscribe(half, "newHeads");
    half.bufferedBytes = 10;
    await chain.node.advance(12_000);
    expect(half.closed).toMatch(/^1013 slow consumer/);
    await chain.node.stop();
  });

  it("reads missed logs no faster than its clients, but does not wait for one that reads nothing", async () => {
    const chain = await startChain(1);
    const client = new FakeClient(1);
    await chain.subscribe(client, "logs");
    await chain.node.advance(5_000);
    chain.socketOf("p1").event("newHeads", header("a1", 1, "a0"));
    chain.socketOf("p1").event("logs", log("a1", 1, 0));
    await chain.node.advance(3_000);
    const logsAsked = () => chain.asked.filter((one) => one.startsWith("eth_getLogs")).length;
    const all = (to: number) => Array.from({ length: to }, (_, at) => `+a${at + 1}:0`);
    const miss = async (from: number, to: number) => {
      chain.socketOf("p1").break();
      await chain.node.advance(5_000);
      for (let n = from; n <= to; n++) {
        chain.knows(header(`a${n}`, n, `a${n - 1}`));
        chain.knowsLogs(`a${n}`, [log(`a${n}`, n, 0)]);
      }
      client.bufferedBytes = 300;
      chain.socketOf("p1").event("newHeads", header(`a${to}`, to, `a${to - 1}`));
      await chain.node.advance(900);
    };
    await miss(2, 40);
    expect(logsAsked()).toBe(0);
    client.bufferedBytes = 0;
    await chain.node.advance(20);
    expect(logsAsked()).toBe(39);
    await chain.node.advance(500);
    expect(client.seen()).toEqual(all(40));
    await miss(41, 60);
    expect(client.seen()).toEqual(all(40));
    await chain.node.advance(700);
    expect(client.seen()).toEqual(all(60));
    expect(client.closed).toBeUndefined();
    await chain.node.stop();
  });

  it("refuses the subscription beyond the limit and a filter it cannot read", async () => {
    const chain = await startChain(1);
    const client = new FakeClient(1);
    const ids = [];
    for (let i = 0; i < 4; i++) ids.push(idOf(await chain.subscribe(client, "newHeads")));
    expect(new Set(ids).size).toBe(4);
    expect(await chain.subscribe(client, "newHeads")).toMatchObject({ ok: false, code: -32005 });
    const other = new FakeClient(2);
    expect(await chain.subscribe(other, "logs", { address: "0x1" })).toMatchObject({
      ok: false,
      code: -32602,
    });
    const gone = chain.hub().call.unsubscribe({ sinkId: 1, id: ids[0]! });
    const never = chain.hub().call.unsubscribe({ sinkId: 2, id: ids[0]! });
    await chain.node.settle();
    expect([await gone, await never]).toEqual([true, false]);
    await chain.node.stop();
  });

  it("polls where no provider pushes heads: the first is history, the gaps are filled", async () => {
    const chain = await startChain(0 + 1, "    connection: { reconnect_interval: 1h }");
    chain.socketOf("p1").break();
    const client = new FakeClient(1);
    await chain.subscribe(client, "newHeads");
    const blocks = [1, 2, 3].map((n) => header(`a${n}`, n, `a${n - 1}`));
    chain.knows(...blocks);
    for (const number of [1, 3]) {
      const block = blocks[number - 1];
      chain.hub().cast.polled({ provider: "p1", number, block });
      await chain.node.settle();
    }
    expect(client.seen()).toEqual(["a2", "a3"]);
    await chain.node.stop();
  });

  it("shows the one block that was made while every provider was gone, although none follows", async () => {
    const chain = await startChain(2);
    const client = new FakeClient(1);
    await chain.subscribe(client, "newHeads");
    const [a1, a2] = [header("a1", 1, "a0"), header("a2", 2, "a1")];
    chain.socketOf("p1").event("newHeads", a1);
    await chain.node.advance(1_000);
    for (const provider of ["p1", "p2"]) chain.socketOf(provider).break();
    chain.newest(a2);
    await chain.node.advance(2_000);
    expect(client.seen()).toEqual(["a1", "a2"]);
    await chain.node.stop();
  });

  it("shows the block whose head was on its way to a hub that was killed", async () => {
    const chain = await startChain(2);
    const client = new FakeClient(1);
    await chain.subscribe(client, "newHeads");
    const [a1, a2] = [header("a1", 1, "a0"), header("a2", 2, "a1")];
    chain.socketOf("p1").event("newHeads", a1);
    await chain.node.settle();
    chain.newest(a2);
    chain.node.inspector.exit("rpc/chain/ethereum/subscription-hub", "kill");
    await chain.node.advance(1_000);
    expect(client.seen()).toEqual(["a1", "a2"]);
    await chain.node.stop();
  });

  it("hears logs once more from others that were on their way to a hub that was killed", async () => {
    const chain = await startChain(2);
    const client = new FakeClient(1);
    await chain.subscribe(client, "logs");
    await chain.node.advance(5_000);
    for (const provider of ["p1", "p2"]) {
      chain.socketOf(provider).event("newHeads", header("a1", 1, "a0", NO_LOGS));
    }
    await chain.node.advance(3_000);
    const { inspector } = chain.node;
    await chain.node.drive(inspector.suspend("rpc/chain/ethereum/subscription-hub"));
    const told = () => [0, 1].map((index) => ["logs", log("a2", 2, index)] as const);
    chain.socketOf("p1").events(...told());
    await chain.node.settle();
    inspector.exit("rpc/chain/ethereum/subscription-hub", "kill");
    // Nobody answers a question about them.
    await chain.node.advance(5_000);
    const p2 = chain.socketOf("p2");
    p2.event("newHeads", header("a2", 2, "a1"));
    p2.events(...told());
    await chain.node.settle();
    expect(client.seen()).toEqual(["+a2:0", "+a2:1"]);
    await chain.node.stop();
  });

  it("looks up a block that a poll names and no stream brings", async () => {
    const chain = await startChain(2);
    const client = new FakeClient(1);
    await chain.subscribe(client, "newHeads");
    const [a1, a2] = [header("a1", 1, "a0"), header("a2", 2, "a1")];
    for (const provider of ["p1", "p2"]) chain.socketOf(provider).event("newHeads", a1);
    await chain.node.advance(1_000);
    chain.newest(a2);
    chain.hub().cast.polled({ provider: "p2", number: 2 });
    await chain.node.advance(500);
    expect(client.seen()).toEqual(["a1"]);
    await chain.node.advance(1_000);
    expect(client.seen()).toEqual(["a1", "a2"]);
    await chain.node.stop();
  });

  it("answers the first subscribe when it knows the head, so that the next block is not missed", async () => {
    const chain = await startChain(1);
    const [a7, a8] = [header("a7", 7, "a6"), header("a8", 8, "a7")];
    chain.newest(a7);
    const client = new FakeClient(1);
    await chain.subscribe(client, "newHeads");
    chain.newest(a8);
    chain.socketOf("p1").break();
    await chain.node.advance(2_000);
    expect(client.seen()).toEqual(["a8"]);
    await chain.node.stop();
  });

  it("takes heads and logs from polls where no provider has a WebSocket", async () => {
    const chain = await startChain(2, "    connection: { reconnect_interval: 1h }");
    for (const provider of ["p1", "p2"]) chain.socketOf(provider).break();
    const client = new FakeClient(1);
    const heads = idOf(await chain.subscribe(client, "newHeads"));
    await chain.subscribe(client, "logs");
    expect(chain.state.isWatched).toBe(true);
    const blocks = [1, 2, 3, 4].map((n) => header(`a${n}`, n, `a${n - 1}`));
    chain.knows(...blocks);
    for (const n of [1, 2, 3, 4]) chain.knowsLogs(`a${n}`, [log(`a${n}`, n, 0)]);
    for (const number of [1, 2, 4]) {
      for (const provider of ["p1", "p2"]) {
        chain.hub().cast.polled({ provider, number, block: blocks[number - 1] });
      }
      await chain.node.advance(1_000);
    }
    const of = (id: string) =>
      client.seen().filter((_, i) => client.events[i]!.subscription === id);
    expect(of(heads)).toEqual(["a2", "a3", "a4"]);
    expect(client.seen().filter((name) => name.startsWith("+"))).toEqual([
      "+a2:0",
      "+a3:0",
      "+a4:0",
    ]);
    await chain.node.stop();
  });

  it("holds it against a provider that tells of blocks which others contradict", async () => {
    const chain = await startChain(3);
    await chain.subscribe(new FakeClient(1), "newHeads");
    const all = ["p1", "p2", "p3"];
    for (const provider of all) {
      chain.socketOf(provider).event("newHeads", header("a1", 1, "a0"));
    }
    chain.socketOf("p3").event("newHeads", header("x2", 2, "a1"));
    for (let n = 2; n < 20; n++) {
      for (const provider of ["p1", "p2"]) {
        chain.socketOf(provider).event("newHeads", header(`a${n}`, n, `a${n - 1}`));
      }
      await chain.node.advance(1_000);
    }
    const told = chain.emitted.filter(({ name }) => name === "provider.misbehaviour");
    expect(told.map(({ fields }) => fields["provider"])).toEqual(["p3"]);
    expect(chain.accused).toEqual(["p3"]);
    await chain.node.stop();
  });

  it("streams logs from three of five providers, and from another when one of them dies or lies", async () => {
    const chain = await startChain(5, "    connection: { reconnect_interval: 1h }");
    await chain.subscribe(new FakeClient(1), "logs");
    await chain.node.settle();
    const all = ["p1", "p2", "p3", "p4", "p5"];
    const streaming = () =>
      all.filter((provider) => chain.socketOf(provider).subscriptions.has("logs"));
    expect(streaming()).toEqual(["p1", "p2", "p3"]);
    chain.socketOf("p2").break();
    chain.socketOf("p2").subscriptions.clear();
    await chain.node.advance(2_000);
    expect(streaming()).toEqual(["p1", "p3", "p4"]);
    chain.accused.push("p1", "p1", "p1");
    await chain.node.advance(2_000);
    expect(streaming()).toEqual(["p3", "p4", "p5"]);
    await chain.node.stop();
  });

  it("asks for pending transactions only while somebody wants them, and sends each once", async () => {
    const chain = await startChain(2);
    const client = new FakeClient(1);
    expect(chain.socketOf("p1").subscriptions.has("newPendingTransactions")).toBe(false);
    const hashes = [1, 2, 3].map((n) => `0x${String(n).padStart(64, "0")}`);
    await chain.subscribe(client, "newPendingTransactions");
    for (const provider of ["p1", "p2", "p1"]) {
      for (const hash of hashes) chain.socketOf(provider).event("newPendingTransactions", hash);
    }
    await chain.node.settle();
    expect(client.events.map(({ result }) => result)).toEqual(hashes);
    await chain.node.stop();
  });

  it("tells its clients when the chain is removed", async () => {
    const chain = await startChain(1);
    const client = new FakeClient(1);
    await chain.subscribe(client, "newHeads");
    const retired = chain.hub().call.retire("chain ethereum was removed");
    await chain.node.settle();
    expect(await retired).toBe("ok");
    expect(client.closed).toBe("1013 chain ethereum was removed");
    await chain.node.stop();
  });

  it("tells them also when the table of its subscriptions was lost with its keeper", async () => {
    const chain = await startChain(1);
    const client = new FakeClient(1);
    await chain.subscribe(client, "newHeads");
    const hub = chain.node.inspector.resolve("rpc/chain/ethereum/subscription-hub");
    chain.node.inspector.exit("ops/table-keeper", "kill");
    await chain.node.settle();
    const retired = chain.hub().call.retire("the records were lost");
    await chain.node.drive(retired);
    expect(client.closed).toBe("1013 the records were lost");
    expect(chain.node.inspector.resolve("rpc/chain/ethereum/subscription-hub")).toBe(hub);
    await chain.node.stop();
  });

  it("has clients closed whom it cannot know, only when their table was lost with its memory", async () => {
    const chain = await startChain(1);
    const lost = "ethereum: the subscriptions of chain ethereum were lost";
    // Nobody can have been there before the first one.
    expect(chain.disowned.splice(0)).toEqual([lost]);
    await chain.subscribe(new FakeClient(1), "newHeads");
    const { inspector } = chain.node;
    inspector.exit("rpc/chain/ethereum/subscription-hub", "kill");
    await chain.node.settle();
    expect(chain.disowned).toEqual([]);
    inspector.exit("ops/table-keeper", "kill");
    inspector.exit("rpc/chain/ethereum/subscription-hub", "kill");
    await chain.node.settle();
    expect(chain.disowned).toEqual([lost]);
    await chain.node.stop();
  });

  it("settles races into counters that metrics read", async () => {
    const chain = await startChain(2);
    await chain.node.advance(6_000);
    chain.socketOf("p1").event("newHeads", header("a1", 1, "a0"));
    await chain.node.settle();
    await chain.node.advance(3);
    chain.socketOf("p2").event("newHeads", header("a1", 1, "a0"));
    await chain.node.advance(4_000);
    const race = chain.emitted.find(({ name }) => name === "aggregation.race_settled");
    expect(race?.fields).toMatchObject({ kind: "newHeads", winner: "p1", missed: 0, marginMs: 3 });
    expect(chain.node.table(statsTable)?.get("ethereum/aggregation")).toMatchObject({
      byKind: { newHeads: { messages: 2, duplicates: 1 } },
      racesSettled: 1,
    });
    await chain.node.stop();
  });
});

describe("the connection to a provider", () => {
  it("refuses a provider on another chain and asks again later", async () => {
    const chain = await startChain(1);
    chain.latest.onConnect = (_provider, socket) => {
      socket.chainId = "0x2";
    };
    chain.socketOf("p1").break();
    await chain.node.advance(1_000);
    const wrong = chain.socketOf("p1");
    expect(wrong.isOpen).toBe(false);
    expect(wrong.subscriptions.size).toBe(0);
    expect(chain.outcomes.at(-1)?.errorClass).toBe("wrong_chain");
    const before = chain.sockets.get("p1")!.length;
    chain.latest.onConnect = () => {};
    await chain.node.advance(31_000);
    expect(chain.sockets.get("p1")!.length).toBe(before + 1);
    expect(chain.socketOf("p1").subscriptions.has("newHeads")).toBe(true);
    await chain.node.stop();
  });

  it("notices within five seconds that a silent socket is dead", async () => {
    const chain = await startChain(1);
    chain.socketOf("p1").isMute = true;
    await chain.node.advance(5_000);
    expect(chain.emitted.some(({ name }) => name === "websocket.suspect")).toBe(true);
    await chain.node.advance(4_000);
    expect(chain.sockets.get("p1")!.length).toBeGreaterThan(1);
    await chain.node.stop();
  });

  it("holds exactly the wanted upstream subscriptions after 500 reconnects", async () => {
    const chain = await startChain(2);
    const client = new FakeClient(1);
    await chain.subscribe(client, "logs");
    for (let i = 0; i < 500; i++) {
      const socket = chain.socketOf(i % 2 === 0 ? "p1" : "p2");
      if (socket.isOpen) socket.break();
      await chain.node.advance(i % 10 === 9 ? 40_000 : 100);
    }
    await chain.node.advance(60_000);
    for (const provider of ["p1", "p2"]) {
      expect([...chain.socketOf(provider).subscriptions.keys()]).toEqual(["newHeads", "logs"]);
      const open = chain.sockets.get(provider)!.filter((socket) => socket.isOpen);
      expect(open).toHaveLength(1);
    }
    await chain.node.stop();
  });

  it("leaves no socket behind when it is killed, and fails the calls on it", async () => {
    const chain = await startChain(1);
    const first = chain.socketOf("p1");
    const { ws } = chain.state.rows("p1");
    let failure = "";
    chain.state.upstream(ws)?.send(Buffer.from("{}"), 100_000_001, {
      onHead: () => {},
      onData: () => true,
      onEnd: () => {},
      onFailure: ({ kind }) => (failure = kind),
    });
    chain.node.inspector.exit("rpc/chain/ethereum/provider/p1/ws-connection", "kill");
    await chain.node.advance(500);
    expect(first.isOpen).toBe(false);
    expect(failure).toBe("closed");
    expect(chain.socketOf("p1")).not.toBe(first);
    expect(chain.state.upstream(ws)).toBeDefined();
    await chain.node.stop();
  });

  it("masks what a provider says about itself", async () => {
    const chain = await startChain(1);
    chain
      .socketOf("p1")
      .handlers.onClose({ code: 1008, reason: "bad key canary", status: undefined });
    await chain.node.settle();
    expect(JSON.stringify(chain.emitted)).not.toContain("canary");
    expect(JSON.stringify(chain.outcomes.map(({ detail }) => detail))).toContain("bad key ***");
    await chain.node.stop();
  });

  it("is found under its documented names", () => {
    expect(wsConnectionKey("ethereum", "alchemy").name).toBe(
      "rpc/chain/ethereum/provider/alchemy/ws-connection",
    );
    expect(messageAggregatorKey("ethereum").name).toBe("rpc/chain/ethereum/message-aggregator");
  });
});
