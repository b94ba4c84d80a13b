/** Clients who lose their connection, or whose gateway is replaced, and go on without loss or doubles. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";
import { cleanupAfterAll, cleanupAfterEach } from "../support/cleanup.ts";
import { Gateway } from "../support/gateway.ts";
import { rpc, RpcSocket } from "../support/rpc.ts";

/** The function that docs/subscriptions.md gives to clients. */
const guide = readFileSync(join(import.meta.dirname, "../../docs/subscriptions.md"), "utf8");
const [, snippet = ""] = /```js\n([\s\S]*?)```/.exec(guide) ?? [];
const { cursorOf } = (await import(`data:text/javascript,${encodeURIComponent(snippet)}`)) as {
  cursorOf: (event: any) => string;
};

const keyOf = ({ hash, blockHash, logIndex, removed }: any): string =>
  logIndex === undefined ? hash : `${removed === true ? "-" : "+"}${blockHash}:${Number(logIndex)}`;

/** What a client holds after these events; fails when one is told twice, or taken back unsent. */
const held = (logs: readonly any[]): ReadonlySet<string> => {
  const set = new Set<string>();
  for (const log of logs) {
    const key = keyOf({ ...log, removed: false });
    expect(set.has(key), `${keyOf(log)} after ${cursorOf(log)}`).toBe(log.removed);
    if (log.removed === true) set.delete(key);
    else set.add(key);
  }
  return set;
};

/** The branch that these heads end with; fails when one has no parent here, or comes twice in a row. */
const branchOf = (heads: readonly any[]): ReadonlyMap<number, string> => {
  const [first, ...later] = heads;
  const known = new Set([first.hash]);
  const branch = new Map<number, string>([[Number(first.number), first.hash]]);
  for (const { hash, parentHash, number } of later) {
    expect(known.has(parentHash) || Number(number) <= Number(first.number)).toBe(true);
    expect(branch.get(Number(number))).not.toBe(hash);
    known.add(hash);
    branch.set(Number(number), hash);
    for (const above of branch.keys()) if (above > Number(number)) branch.delete(above);
  }
  return branch;
};

/** Blocks that no reorganisation of the chain reaches any more. */
const SETTLED_BLOCKS = 8;

describe("a client who comes back", () => {
  const keep = cleanupAfterAll();
  const use = cleanupAfterEach();
  let config: Record<string, unknown>;

  beforeAll(async () => {
    const startMs = Date.now();
    const chain = new FakeChain({ seed: 5, chainId: 77, blockTimeMs: 200, startMs });
    const servers = [];
    for (const id of ["p", "q"]) {
      const mind = new FakeProvider({ id, chain, faults: {}, seed: 1, startMs });
      servers.push({ id, server: keep(await startFakeServer(mind, Date.now)) });
    }
    const providers = servers.map(({ id, server: { url, wsUrl } }) => ({ id, url, ws_url: wsUrl }));
    config = { chains: { one: { chain_id: 77, block_time: "200ms", providers } } };
  });

  const connect = async (gateway: Gateway): Promise<RpcSocket> =>
    use(await RpcSocket.connect(`${gateway.wsUrl}/rpc/one`));

  const resume = async (socket: RpcSocket, id: string, last: any): Promise<any[]> => {
    expect(await socket.call("paceline_resume", [id, cursorOf(last)])).toBe(id);
    const events = socket.events.get(id) ?? [];
    socket.events.set(id, events);
    return events;
  };

  it("ends with what one who stayed has, however often its connection breaks", async () => {
    const gateway = use(await Gateway.start({ config }));
    const stays = await connect(gateway);
    const whole = [await stays.subscribe("newHeads"), await stays.subscribe("logs", {})];
    let socket = await connect(gateway);
    const parts = [await socket.subscribe("newHeads"), await socket.subscribe("logs", {})];
    const told = parts.map(({ events }) => events);
    const seen: any[][] = [[], []];
    for (let round = 0; round < 4; round++) {
      const before = told.map((events) => events.length);
      await socket.until(() => told.every((events, i) => events.length > (before[i] ?? 0) + 2));
      socket.close();
      const least = (whole[0]?.events.length ?? 0) + 3;
      await stays.until(() => (whole[0]?.events.length ?? 0) > least);
      for (const [i, events] of told.entries()) seen[i]?.push(...events);
      socket = await connect(gateway);
      for (const [i, { id }] of parts.entries()) {
        told[i] = await resume(socket, id, seen[i]?.at(-1));
      }
    }
    for (const [i, events] of told.entries()) seen[i]?.push(...events);
    const [mine, theirs] = [branchOf(seen[0] ?? []), branchOf(whole[0]?.events ?? [])];
    // Heads were subscribed to a little earlier than logs.
    const first = Math.max(Math.min(...mine.keys()), Number(seen[1]?.[0].blockNumber));
    const last = Math.min(Math.max(...mine.keys()), Math.max(...theirs.keys())) - SETTLED_BLOCKS;
    expect(last - first).toBeGreaterThan(10);
    const isInside = (number: number): boolean => number > first && number <= last;
    const inside = (branch: ReadonlyMap<number, string>): unknown =>
      [...branch].filter(([number]) => isInside(number));
    expect(inside(mine)).toEqual(inside(theirs));
    const ofInside = (logs: readonly any[]): unknown =>
      [...held(logs.filter(({ blockNumber }) => isInside(Number(blockNumber))))].sort();
    expect(ofInside(seen[1] ?? [])).toEqual(ofInside(whole[1]?.events ?? []));
  });

  it("misses nothing and is told nothing twice when the gateway is replaced", async () => {
    const first = await Gateway.start({ config });
    const before = await RpcSocket.connect(`${first.wsUrl}/rpc/one`);
    const heads = await before.subscribe("newHeads");
    const logs = await before.subscribe("logs", {});
    await before.until(() => heads.events.length > 5 && logs.events.length > 5);
    first.child.signal("SIGTERM");
    expect((await before.closed).code).toBe(1012);
    await first.stop();
    const second = use(await Gateway.start({ config }));
    const socket = await connect(second);
    const goOn = async (params: unknown[], last: any): Promise<any[]> => {
      const paceline = { resume: cursorOf(last) };
      const id = await socket.call("eth_subscribe", [...params, { paceline }]);
      const events = socket.events.get(id) ?? [];
      socket.events.set(id, events);
      return events;
    };
    const laterHeads = await goOn(["newHeads"], heads.events.at(-1));
    const laterLogs = await goOn(["logs", {}], logs.events.at(-1));
    await socket.until(() => laterHeads.length > 12 && laterLogs.length > 12, 20_000);
    const branch = branchOf([...heads.events, ...laterHeads]);
    const allLogs = [...logs.events, ...laterLogs];
    const kept = held(allLogs);
    // Each block between the first and the last that had logs has all of them.
    const numbers = allLogs.map(({ blockNumber }) => Number(blockNumber));
    const [from, to] = [Math.min(...numbers) + 1, Math.max(...numbers) - SETTLED_BLOCKS];
    for (const [number, blockHash] of branch) {
      if (number < from || number > to) continue;
      const truth = await rpc(`${second.url}/rpc/one`, "eth_getLogs", [{ blockHash }]);
      for (const log of truth) expect(kept.has(keyOf({ ...log, removed: false }))).toBe(true);
    }
  });
});
