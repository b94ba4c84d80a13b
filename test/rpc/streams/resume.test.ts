/** Clients who come back: with a cursor, or with the id of a subscription that they had. */
import { describe, expect, it } from "vitest";
import { FakeClient, header, log, startChain } from "./chain-kit.ts";

type Chain = Awaited<ReturnType<typeof startChain>>;

const ROOMY_BYTES = 1_000_000;
const hashOf = (name: string): string => header(name, 1, "").hash;
const at = (name: string, index?: number): string =>
  index === undefined ? hashOf(name) : `${hashOf(name)}:${index}`;
const blocks = Array.from({ length: 200 }, (_, n) => header(`a${n}`, n, `a${n - 1}`));

/** The chain announces block `n` of branch `name` with `logs` logs. */
const grow = async (chain: Chain, n: number, logs = 0, name = "a", parent = "a"): Promise<void> => {
  const socket = chain.socketOf("p1");
  const head = header(`${name}${n}`, n, `${parent}${n - 1}`);
  chain.knows(head);
  chain.knowsLogs(
    `${name}${n}`,
    Array.from({ length: logs }, (_, i) => log(`${name}${n}`, n, i)),
  );
  socket.event("newHeads", head);
  for (let i = 0; i < logs; i++) socket.event("logs", log(`${name}${n}`, n, i));
  await chain.node.settle();
};

const idOf = (answer: Awaited<ReturnType<Chain["subscribe"]>>): string => {
  if (!answer.ok) throw new Error(answer.message);
  return answer.id;
};

/** A chain that has announced blocks 1 to `n` with two logs each while somebody listened. */
const started = async (n: number, maxBufferedBytes = ROOMY_BYTES) => {
  const chain = await startChain(1, "", undefined, maxBufferedBytes);
  chain.knows(...blocks);
  for (const [number] of blocks.entries()) chain.knowsLogs(`a${number}`, []);
  await grow(chain, 0);
  const first = new FakeClient(1);
  const heads = idOf(await chain.subscribe(first, "newHeads"));
  const logs = idOf(await chain.subscribe(first, "logs", {}));
  await chain.node.advance(5_000);
  for (let i = 1; i <= n; i++) await grow(chain, i, 2);
  return { chain, first, heads, logs };
};

describe("a client who comes back", () => {
  it("is sent every head since its cursor, then what is new, each once", async () => {
    const { chain } = await started(6);
    const client = new FakeClient(2);
    await chain.subscribe(client, "newHeads", undefined, at("a3"));
    expect(client.seen()).toEqual(["a4", "a5", "a6"]);
    await grow(chain, 7);
    expect(client.seen()).toEqual(["a4", "a5", "a6", "a7"]);
    await chain.node.stop();
  });

  it("is sent every log since its cursor that its filter takes, and no other", async () => {
    const { chain } = await started(3);
    const client = new FakeClient(2);
    const other = new FakeClient(3);
    await chain.subscribe(client, "logs", { address: `0x${"A".repeat(40)}` }, at("a2", 0));
    await chain.subscribe(other, "logs", { address: `0x${"b".repeat(40)}` }, at("a2", 0));
    await grow(chain, 4, 1);
    expect(client.seen()).toEqual(["+a2:1", "+a3:0", "+a3:1", "+a4:0"]);
    expect(other.seen()).toEqual([]);
    await chain.node.stop();
  });

  it("has the logs taken back that it saw of a branch that was replaced meanwhile", async () => {
    const { chain } = await started(3);
    await grow(chain, 3, 1, "b");
    await grow(chain, 4, 1, "b", "b");
    const heads = new FakeClient(2);
    const logs = new FakeClient(3);
    await chain.subscribe(heads, "newHeads", undefined, at("a3"));
    await chain.subscribe(logs, "logs", {}, at("a3", 0));
    expect(heads.seen()).toEqual(["b3", "b4"]);
    expect(logs.seen()).toEqual(["-a3:0", "+b3:0", "+b4:0"]);
    await chain.node.stop();
  });

  it("has logs taken back later that it saw before it left", async () => {
    const { chain } = await started(3);
    const client = new FakeClient(2);
    await chain.subscribe(client, "logs", {}, at("a3", 1));
    await grow(chain, 3, 1, "b");
    await grow(chain, 4, 0, "b", "b");
    expect(client.seen()).toEqual(["-a3:1", "-a3:0", "+b3:0"]);
    await chain.node.stop();
  });

  it("goes on under its id, also after the hub has been killed", async () => {
    const { chain, heads, logs } = await started(3);
    chain.hub().cast.drop(1);
    await chain.node.settle();
    chain.node.inspector.exit("rpc/chain/ethereum/subscription-hub", "kill");
    await chain.node.settle();
    await grow(chain, 4, 1);
    const client = new FakeClient(2);
    expect(idOf(await chain.resume(client, heads, at("a3")))).toBe(heads);
    expect(idOf(await chain.resume(client, logs, at("a3", 1)))).toBe(logs);
    await grow(chain, 5, 1);
    await chain.node.advance(2_000);
    const of = (id: string) =>
      client.seen().filter((_, i) => client.events[i]!.subscription === id);
    expect(of(heads)).toEqual(["a4", "a5"]);
    expect(of(logs)).toEqual(["+a4:0", "+a5:0"]);
    expect(await chain.resume(client, heads, at("a3"))).toMatchObject({
      code: -32602,
      message: `${heads} is open on this connection`,
    });
    await chain.node.stop();
  });

  it("goes on under its id while its former connection is not known to be dead", async () => {
    const { chain, first, heads } = await started(2);
    const client = new FakeClient(2);
    expect(idOf(await chain.resume(client, heads, at("a1")))).toBe(heads);
    await grow(chain, 3);
    expect(client.seen()).toEqual(["a2", "a3"]);
    expect(first.seen().filter((name) => !name.startsWith("+"))).toEqual(["a1", "a2", "a3"]);
    await chain.node.stop();
  });

  it("is sent logs of blocks that nobody else could want, and that were not asked for", async () => {
    const chain = await startChain(1, "", undefined, ROOMY_BYTES);
    chain.knows(...blocks);
    await grow(chain, 0);
    const other = new FakeClient(1);
    await chain.subscribe(other, "logs", { address: `0x${"b".repeat(40)}` });
    await chain.node.advance(5_000);
    await grow(chain, 1, 1);
    chain.knowsLogs("a2", [log("a2", 2, 0)]);
    chain.socketOf("p1").event("newHeads", blocks[2]);
    await chain.node.advance(5_000);
    expect(chain.asked.filter((question) => question.startsWith("eth_getLogs"))).toEqual([]);
    const client = new FakeClient(2);
    idOf(await chain.subscribe(client, "logs", {}, at("a1", 0)));
    expect(client.seen()).toEqual(["+a2:0"]);
    expect(other.seen()).toEqual([]);
    await chain.node.stop();
  });

  it("is told when its id is not remembered, and what it unsubscribed is not", async () => {
    const { chain, heads } = await started(1);
    const gone = chain.hub().call.unsubscribe({ sinkId: 1, id: heads });
    await chain.node.settle();
    expect(await gone).toBe(true);
    expect(await chain.resume(new FakeClient(2), heads, at("a1"))).toMatchObject({
      ok: false,
      code: -32000,
      message: "subscription not found",
      data: { reason: "subscription_not_found" },
    });
    await chain.node.stop();
  });
});

describe("a client who comes back to a program that was not there", () => {
  /** A program that has just started at block `n`. */
  const anew = async (n: number, logs: (block: number) => number = () => 2) => {
    const chain = await startChain(1, "", undefined, ROOMY_BYTES);
    chain.knows(...blocks);
    for (const [number] of blocks.entries()) {
      chain.knowsLogs(
        `a${number}`,
        Array.from({ length: logs(number) }, (_, i) => log(`a${number}`, number, i)),
      );
    }
    await chain.node.advance(5_000);
    chain.socketOf("p1").event("newHeads", blocks[n]);
    await chain.node.settle();
    return chain;
  };

  it("is sent the heads that it missed, asked of the providers", async () => {
    const chain = await anew(60);
    const client = new FakeClient(1);
    await chain.subscribe(client, "newHeads", undefined, at("a50"));
    await grow(chain, 61);
    expect(client.seen()).toEqual(Array.from({ length: 11 }, (_, i) => `a${51 + i}`));
    await chain.node.stop();
  });

  it("is sent the logs that it missed, in order and once, though new ones come meanwhile", async () => {
    const chain = await anew(60, (n) => (n > 60 ? 1 : 2));
    const client = new FakeClient(1);
    const subscribed = chain.subscribe(client, "logs", {}, at("a57", 0));
    await grow(chain, 61, 1);
    idOf(await subscribed);
    await grow(chain, 62, 1);
    await chain.node.advance(5_000);
    expect(client.seen()).toEqual([
      "+a57:1",
      ...[58, 59, 60].flatMap((n) => [`+a${n}:0`, `+a${n}:1`]),
      "+a61:0",
      "+a62:0",
    ]);
    await chain.node.stop();
  });

  it("has logs of before taken back when a reorganisation reaches them", async () => {
    const chain = await anew(60);
    const client = new FakeClient(1);
    const fresh = new FakeClient(2);
    await chain.subscribe(client, "logs", {}, at("a59", 0));
    await chain.subscribe(fresh, "logs", {});
    expect(client.seen()).toEqual(["+a59:1", "+a60:0", "+a60:1"]);
    await grow(chain, 59, 1, "b");
    await grow(chain, 60, 0, "b", "b");
    await grow(chain, 61, 0, "b", "b");
    await chain.node.advance(5_000);
    expect(client.seen().slice(3)).toEqual(["-a60:1", "-a60:0", "-a59:1", "-a59:0", "+b59:0"]);
    // Who never was sent them is told nothing of them.
    expect(fresh.seen()).toEqual(["+b59:0"]);
    await chain.node.stop();
  });

  it("has logs taken back that it saw of a branch that this program never had", async () => {
    const chain = await anew(60);
    const orphan = header("o59", 59, "a58");
    chain.knows(orphan);
    chain.knows(blocks[59]!);
    chain.knowsLogs("o59", [log("o59", 59, 0), log("o59", 59, 1), log("o59", 59, 2)]);
    const client = new FakeClient(1);
    await chain.subscribe(client, "logs", {}, at("o59", 1));
    expect(client.seen()).toEqual(["-o59:1", "-o59:0", "+a59:0", "+a59:1", "+a60:0", "+a60:1"]);
    await chain.node.stop();
  });

  it("waits for the chain when it has seen more of it than the program", async () => {
    const chain = await anew(60);
    const client = new FakeClient(1);
    const subscribed = chain.subscribe(client, "newHeads", undefined, at("a62"));
    for (const n of [61, 62]) await grow(chain, n);
    idOf(await subscribed);
    await grow(chain, 63);
    expect(client.seen()).toEqual(["a63"]);
    await chain.node.stop();
  });

  it("comes back beside those whose cursors nobody knows, however many they are", async () => {
    const chain = await anew(60);
    chain.knows(header("o59", 59, "a58"));
    const clients: FakeClient[] = [];
    const refused: unknown[] = [];
    const flood = (count: number): void => {
      for (let i = 0; i < count; i++) {
        const client = new FakeClient(100 + clients.length);
        clients.push(client);
        for (let n = 0; n < 20; n++) {
          const resume = at(`${client.id}x${n}`);
          const request = { sink: client, kind: "newHeads", filter: undefined, resume } as const;
          chain
            .hub()
            .call.subscribe(request, { timeoutMs: 60_000 })
            .then(
              (reply) => refused.push(reply),
              () => undefined,
            );
        }
      }
    };
    flood(15);
    await chain.node.settle();
    const [asked, known] = [new FakeClient(1), new FakeClient(2)];
    idOf(await chain.subscribe(asked, "newHeads", undefined, at("o59")));
    expect(asked.seen()).toEqual(["a59", "a60"]);
    // Once there is no room for more questions, what is remembered needs none.
    flood(40);
    await chain.node.settle();
    expect(refused[0]).toMatchObject({ data: { reason: "overloaded" } });
    idOf(await chain.subscribe(known, "newHeads", undefined, at("a60")));
    // What nobody waits for is not asked any more.
    for (const client of clients) client.isOpen = false;
    await chain.node.advance(1_000);
    const before = chain.asked.length;
    const last = chain.subscribe(new FakeClient(3), "newHeads", undefined, at("y"));
    await chain.node.advance(3_000);
    expect(new Set(chain.asked.slice(before)).size).toBe(1);
    expect(await last).toMatchObject({ data: { reason: "cursor_unknown" } });
    await chain.node.stop();
  });

  it("comes back together with many others for the price of one", async () => {
    const chain = await anew(60);
    const clients = Array.from({ length: 50 }, (_, i) => new FakeClient(i));
    await Promise.all(clients.map((client) => chain.subscribe(client, "logs", {}, at("a50", 1))));
    expect(chain.asked.length).toBe(new Set(chain.asked).size);
    for (const client of clients) expect(client.seen()).toHaveLength(20);
    await chain.node.stop();
  });
});

describe("a cursor", () => {
  it.each([
    ["that is none", "0x12", -32602, /^not a cursor: blockHash, blockHash:logIndex/],
    ["that is null", null, -32602, /^not a cursor/],
    ["of a block that nobody knows", at("never"), -32002, /within 10 s; subscribe anew/],
  ])("%s is refused with a reason", async (_name, cursor, code, message) => {
    const { chain } = await started(1);
    const reply = await chain.subscribe(new FakeClient(2), "newHeads", undefined, cursor);
    expect(reply).toMatchObject({ ok: false, code, message: expect.stringMatching(message) });
    await chain.node.stop();
  });

  it("is refused for kinds that have no history", async () => {
    const { chain } = await started(1);
    const client = new FakeClient(2);
    for (const kind of ["newPendingTransactions", "syncing"] as const) {
      expect(await chain.subscribe(client, kind, undefined, at("a1"))).toMatchObject({
        code: -32602,
        message: `${kind} cannot be resumed`,
      });
    }
    await chain.node.stop();
  });

  it("is too old beyond what is remembered", async () => {
    const { chain } = await started(140);
    // More may come of blocks that are younger than two seconds.
    await chain.node.advance(3_000);
    await grow(chain, 141, 1);
    const reply = await chain.subscribe(new FakeClient(2), "logs", {}, at("a5", 0));
    expect(reply).toMatchObject({
      ok: false,
      code: -32002,
      message:
        "the cursor is too old: logs go on within 128 blocks; subscribe anew and read what is missing",
      data: { reason: "cursor_too_old" },
    });
    await chain.node.stop();
  });

  it("is too old when too much has happened since", async () => {
    const { chain } = await started(4, 1_000);
    const reply = await chain.subscribe(new FakeClient(2), "logs", {}, at("a1", 0));
    expect(reply).toMatchObject({ ok: false, data: { reason: "cursor_too_old" } });
    expect(reply).toMatchObject({ message: expect.stringContaining("7 events since") });
    await chain.node.stop();
  });

  it("comes with the close of a slow client, and leads on from there", async () => {
    const { chain, first, heads, logs } = await started(2);
    first.bufferedBytes = ROOMY_BYTES + 1;
    await grow(chain, 3, 1);
    const [code, ...words] = (first.closed ?? "").split(" ");
    expect([code, words.slice(0, 2)]).toEqual(["1013", ["slow", "consumer"]]);
    expect((first.closed ?? "").length - "1013 ".length).toBeLessThanOrEqual(123);
    const cursor = words.at(-1);
    await grow(chain, 4, 1);
    const client = new FakeClient(2);
    idOf(await chain.resume(client, heads, cursor));
    idOf(await chain.resume(client, logs, cursor));
    await grow(chain, 5, 1);
    const all = [...first.seen(), ...client.seen()];
    const isLog = (name: string): boolean => name.startsWith("+");
    expect(all.filter(isLog)).toEqual([
      "+a1:0",
      "+a1:1",
      "+a2:0",
      "+a2:1",
      "+a3:0",
      "+a4:0",
      "+a5:0",
    ]);
    expect(all.filter((name) => !isLog(name))).toEqual(["a1", "a2", "a3", "a4", "a5"]);
    await chain.node.stop();
  });

  it("is of the last event that a slow client was sent, not of the one that was too much", async () => {
    const { chain, first, logs } = await started(1);
    const socket = chain.socketOf("p1");
    socket.event("newHeads", blocks[2]);
    await chain.node.settle();
    first.bufferedBytes = ROOMY_BYTES + 1;
    socket.event("logs", log("a2", 2, 0));
    socket.event("logs", log("a2", 2, 1));
    await chain.node.settle();
    expect(first.closed).toBe(`1013 slow consumer ${logs} ${at("a2")}`);
    const client = new FakeClient(2);
    idOf(await chain.resume(client, logs, at("a2")));
    expect(client.seen()).toEqual(["+a2:0", "+a2:1"]);
    await chain.node.stop();
  });
});
