/** Any process of the tree may be killed: it comes back, and its neighbours notice nothing. */
import { beforeAll, expect, it } from "vitest";
import { describeWithAnvil } from "../support/anvil.ts";
import { type AdminClient, flatten, type TreeNode } from "../support/admin.ts";
import { cleanupAfterAll } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import type { Gateway } from "../support/gateway.ts";
import { anew, rpc, RpcSocket } from "../support/rpc.ts";
import {
  chainConfig,
  type ProxiedChain,
  startGatewayFor,
  startLoad,
  startProxiedChain,
  streamsUp,
} from "../support/world.ts";

describeWithAnvil("killing processes through the admin socket", () => {
  const keep = cleanupAfterAll();
  let victim: ProxiedChain;
  let neighbour: ProxiedChain;
  let gateway: Gateway;

  beforeAll(async () => {
    [victim, neighbour] = await Promise.all([
      startProxiedChain(["a", "b"], 1_001),
      startProxiedChain(["a", "b"], 1_002),
    ]);
    keep(victim);
    keep(neighbour);
    gateway = keep(
      await startGatewayFor({ victim: chainConfig(victim), neighbour: chainConfig(neighbour) }),
    );
    await streamsUp([...Object.values(victim.proxies), ...Object.values(neighbour.proxies)]);
  });

  it("shows a tree of named processes with strategies, budgets and states", async () => {
    const nodes = flatten(await (await gateway.admin()).tree());
    expect(nodes.length).toBeGreaterThan(15);
    for (const node of nodes) {
      expect(node).toMatchObject({ name: expect.any(String), pid: expect.any(String) });
      expect(["supervisor", "worker"]).toContain(node.kind);
      expect(node.restarts).toMatchObject({ count: expect.any(Number) });
      if (node.kind === "supervisor") expect(node.strategy).toEqual(expect.any(String));
    }
    const names = nodes.map(({ name }) => name);
    expect(names.some((name) => name === "rpc/chain/victim/provider/a/ws-connection")).toBe(true);
    expect(new Set(names).size).toBe(names.length);
  });

  it("brings every process of a chain back within 500 ms, and no other chain notices", async () => {
    const admin = await gateway.admin();
    const socket = keep(await RpcSocket.connect(`${gateway.wsUrl}/rpc/neighbour`));
    const { events } = await socket.subscribe("newHeads");
    const load = startLoad(`${gateway.url}/rpc/neighbour`, 2);
    const before = pidsOf(await admin.tree(), "neighbour");
    const targets = flatten(await admin.tree()).filter(({ name }) => name.includes("victim"));
    expect(targets.length).toBeGreaterThan(8);
    const slow: string[] = [];
    for (const target of targets) {
      // A busy machine can only add time: the quickest of up to three restarts is judged.
      let tookMs = await killAndWait(admin, target);
      for (let i = 0; i < 2 && tookMs > 500; i++) {
        tookMs = Math.min(tookMs, await killAndWait(admin, target));
      }
      if (tookMs > 500) slow.push(`${target.name}: ${Math.round(tookMs)} ms`);
    }
    expect(slow).toEqual([]);
    await neighbour.node.mine(3);
    await socket.until(() => events.length === 3);
    expect((await load.finish()).failures).toEqual([]);
    expect(pidsOf(await admin.tree(), "neighbour")).toEqual(before);
    await eventually("the chain answers again", async () => {
      return (await rpc(anew(`${gateway.url}/rpc/victim`), "eth_gasPrice")) !== undefined;
    });
  }, 90_000);

  it("keeps a client's subscription alive over the death of every process that feeds it", async () => {
    const admin = await gateway.admin();
    const socket = keep(await RpcSocket.connect(`${gateway.wsUrl}/rpc/neighbour`));
    const { events } = await socket.subscribe("newHeads");
    const first = Number(await neighbour.node.rpc("eth_blockNumber")) + 1;
    const feeding = [
      "subscription-hub",
      "message-aggregator",
      "head-tracker",
      "provider-pool",
      "ws-connection",
    ];
    let mined = 0;
    for (const part of feeding) {
      const target = flatten(await admin.tree()).find(
        ({ name }) => name.includes("neighbour") && name.endsWith(part),
      );
      if (target === undefined) throw new Error(`no ${part} in the tree`);
      await neighbour.node.mine(2);
      await killAndWait(admin, target);
      await neighbour.node.mine(2);
      mined += 4;
      await socket.until(() => events.length >= mined, 15_000);
    }
    expect(events.map((head) => Number(head.number))).toEqual(
      Array.from({ length: mined }, (_, i) => first + i),
    );
  }, 60_000);

  it("survives the death of everything outside the chains, and of all chains at once", async () => {
    const url = anew(`${gateway.url}/rpc/neighbour`);
    const isOutside = ({ name }: TreeNode): boolean =>
      !/neighbour|victim/u.test(name) && name !== "application";
    const nodes = await gateway.processes();
    const targets = nodes.filter(isOutside);
    expect(targets.map(({ kind }) => kind)).toContain("supervisor");
    expect(targets.length).toBeGreaterThan(5);
    const socket = keep(await RpcSocket.connect(`${gateway.wsUrl}/rpc/neighbour`));
    const { events } = await socket.subscribe("newHeads");
    for (const target of targets) {
      // Each kill through its own connection: the admin socket's process is among the victims.
      const killer = await gateway.admin();
      await killer.raise();
      void killer
        .reply("exit", { target: target.name, reason: "kill" })
        .catch(() => undefined)
        .then(() => killer.close());
      await eventually(`${target.name} is back with all its children`, async () => {
        const now = await gateway.processes();
        const found = now.find(({ name }) => name === target.name);
        return found !== undefined && found.pid !== target.pid && now.length === nodes.length;
      });
      await eventually("requests are served", async () => {
        return (await rpc(url, "eth_gasPrice")) !== undefined;
      });
    }
    await streamsUp(Object.values(neighbour.proxies));
    const seen = events.length;
    await neighbour.node.mine(2);
    await socket.until(() => events.length === seen + 2);
  }, 60_000);
});

/** Kills a process and measures until it and everything below it is there again, ms. */
async function killAndWait(admin: AdminClient, target: TreeNode): Promise<number> {
  const below = flatten(target).map(({ name }) => name);
  const whole = async (): Promise<TreeNode | undefined> => {
    const nodes = new Map(flatten(await admin.tree()).map((node) => [node.name, node]));
    return below.every((name) => nodes.get(name)?.status === "running")
      ? nodes.get(target.name)
      : undefined;
  };
  const current = await eventually(`${target.name} is whole`, whole);
  const startedMs = performance.now();
  await admin.exit(target.name, "kill");
  await eventually(
    `${target.name} is back`,
    async () => {
      const found = await whole();
      return found !== undefined && found.pid !== current.pid;
    },
    5_000,
    5,
  );
  return performance.now() - startedMs;
}

function pidsOf(tree: TreeNode, chain: string): string[] {
  return flatten(tree)
    .filter(({ name }) => name.includes(chain))
    .map(({ name, pid }) => `${name} ${pid}`);
}
