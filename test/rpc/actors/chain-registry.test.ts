/** The registry of chains among deaths: of the keeper that it asks, and of its tables. */
import { describe, expect, it } from "vitest";
import { tableKeeper, tableKeeperKey } from "../../../actors/ops/table-keeper.ts";
import {
  chainRegistry,
  chainRegistryKey,
  chainsTable,
  chainTables,
  type ChainChange,
} from "../../../actors/rpc/chain-registry.ts";
import type { ChainConfig } from "../../../config/schema.ts";
import { child, createVirtualNode, supervisor, type VirtualNode } from "../../../src/otp/index.ts";
import type { ChainState } from "../../../src/rpc/chain-state.ts";
import { chainConfig, chainState } from "./kit.ts";

/** A tree with one chain without processes; `onOpen` runs whenever the registry asks for a table. */
const start = async (
  onOpen: (node: VirtualNode) => void,
  onSubtree: (state: ChainState) => void = () => {},
  onClose: (told: string) => void = () => {},
): Promise<VirtualNode> => {
  const node = createVirtualNode();
  const config = chainConfig();
  await node.start(
    supervisor("top", {
      intensity: 10,
      children: [
        child(
          tableKeeper,
          { tables: chainTables, heir: () => chainRegistryKey() },
          { register: tableKeeperKey() },
        ),
        supervisor("chains", { children: [] }),
        child(
          chainRegistry,
          {
            configured: () => [config],
            record: chainState,
            subtree: (state) => {
              onSubtree(state);
              return supervisor(`chain:${state.name}`, { children: [] });
            },
            supervisor: "chains",
            keeper: () => tableKeeperKey(),
            closeSubscribers: (chain, reason) => {
              onClose(`${chain}: ${reason}`);
              return 0;
            },
            openTable: async (name) => {
              onOpen(node);
              await node.via(tableKeeperKey()).call.open(name);
            },
          },
          { register: chainRegistryKey() },
        ),
      ],
    }),
  );
  return node;
};

const two = { ...chainConfig(), name: "two", chainId: 2 };

const startOf = (chains: readonly ChainConfig[]): ChainChange => ({
  chains,
  steps: [{ action: "start", chain: "two", keys: [] }],
});

/** That tree, with the records that its chains were started on and the clients it closed. */
const startCounted = async () => {
  const served: ChainState[] = [];
  const closed: string[] = [];
  const node = await start(
    () => {},
    (state) => served.push(state),
    (told) => closed.push(told),
  );
  const apply = (change: ChainChange) =>
    node.drive(node.via(chainRegistryKey()).call.apply(change));
  return { node, served, closed, apply };
};

describe("the chain registry", () => {
  it("outlives a keeper that dies while it opens a table, and keeps what it inherits", async () => {
    let deadly = false;
    const node = await start(({ inspector }) => {
      if (deadly) inspector.exit(tableKeeperKey().name, "kill");
      deadly = false;
    });
    deadly = true;
    const registry = node.inspector.resolve(chainRegistryKey().name);
    const rows = node.table(chainsTable);
    const change = {
      chains: [chainConfig(), { ...chainConfig(), name: "two" as never, chainId: 2 }],
      steps: [{ action: "start", chain: "two", keys: [] }],
    } as const;
    expect(await node.drive(node.via(chainRegistryKey()).call.apply(change))).toBe("ok");
    await node.advance(100);
    expect(deadly).toBe(false);
    expect(node.inspector.resolve(chainRegistryKey().name)).toBe(registry);
    expect(node.table(chainsTable)).toBe(rows);
    expect([...(rows?.entries() ?? [])].map(([name]) => name)).toEqual(["eth", "two"]);
    expect(node.supervisor("chain:two")).toBeDefined();
    await node.stop();
  });

  it("serves a chain from the record its processes run on, although its start is told twice", async () => {
    const { node, served, apply } = await startCounted();
    // The store dies before it hears that the first reload is done, and reads the file again.
    await apply(startOf([chainConfig(), two]));
    await apply(startOf([chainConfig(), two]));
    expect(served.map(({ name }) => name)).toEqual(["eth", "two"]);
    expect(node.table(chainsTable)?.get("two")).toBe(served[1]);
    // The file has changed in between: what runs already follows, as far as it must.
    const other = { ...two, chainId: 3 };
    await apply(startOf([chainConfig(), other]));
    expect(served).toHaveLength(3);
    expect(node.table(chainsTable)?.get("two")).toBe(served[2]);
    expect(served[2]?.chainId).toBe(3);
    await node.stop();
  });

  it("stops a chain that the store has never heard to run", async () => {
    const { node, served, apply } = await startCounted();
    await apply(startOf([chainConfig(), two]));
    await apply({ chains: [chainConfig()], steps: [] });
    expect(node.supervisor("chain:two")).toBeUndefined();
    expect([...(node.table(chainsTable)?.entries() ?? [])]).toEqual([["eth", served[0]]]);
    await node.stop();
  });

  it("ends on its return a chain of a reload that died with it, so that the next one starts it anew", async () => {
    const { node, served, closed, apply } = await startCounted();
    await apply(startOf([chainConfig(), two]));
    node.inspector.exit(chainRegistryKey().name, "kill");
    await node.advance(100);
    expect(node.supervisor("chain:two")).toBeUndefined();
    expect(node.table(chainsTable)?.get("two")).toBeUndefined();
    expect(closed).toEqual(["two: chain two was removed or replaced"]);
    await apply(startOf([chainConfig(), two]));
    expect(served).toHaveLength(3);
    expect(node.table(chainsTable)?.get("two")).toBe(served[2]);
    await node.stop();
  });

  it("has the clients of a removed chain closed although its hub is not there to do it", async () => {
    const told: string[] = [];
    const node = await start(
      () => {},
      () => {},
      (one) => told.push(one),
    );
    expect(told).toEqual([]);
    const removal = {
      chains: [],
      steps: [{ action: "stop", chain: "eth", keys: [] }],
    } as const;
    await node.drive(node.via(chainRegistryKey()).call.apply(removal));
    expect(told).toEqual(["eth: chain eth was removed or replaced"]);
    await node.stop();
  });

  it("starts chains anew whose records were lost together with their heir", async () => {
    const served: ChainState[] = [];
    const node = await start(
      () => {},
      (state) => served.push(state),
    );
    const { inspector } = node;
    // The heir dies holding the tables, after the new keeper has seen that they are there.
    await inspector.suspend(chainRegistryKey().name);
    inspector.exit(tableKeeperKey().name, "kill");
    await node.settle();
    inspector.exit(chainRegistryKey().name, "kill");
    await node.advance(100);
    // Who runs on a record that nobody finds serves nobody.
    expect(served.length).toBe(2);
    expect(node.table(chainsTable)?.get("eth")).toBe(served[1]);
    expect(node.supervisor("chain:eth")).toBeDefined();
    await node.stop();
  });
});
