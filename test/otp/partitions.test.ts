/** Partition supervisors: routing by key, one process per partition. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  child,
  createVirtualNode,
  partitionOf,
  partitionSupervisor,
  type PartitionSpec,
} from "../../src/otp/index.ts";
import { must, probe, probeKey } from "./support.ts";

const shards = (partitions?: number): PartitionSpec<typeof probe> =>
  partitionSupervisor("shards", {
    ...(partitions === undefined ? {} : { partitions }),
    intensity: 10,
    child: (partition) => child(probe, { name: `p${partition}` }, { id: "shard" }),
  });

async function start(partitions: number) {
  const spec = shards(partitions);
  const node = createVirtualNode();
  const ref = await node.start(spec);
  return { spec, node, ref };
}

describe("a partition supervisor", () => {
  it("runs one child per partition, numbered from 0", async () => {
    const { ref } = await start(3);
    expect((await ref.whichChildren()).map(({ id }) => id)).toEqual([2, 1, 0]);
    expect(await ref.countChildren()).toEqual({
      specs: 3,
      active: 3,
      supervisors: 0,
      workers: 3,
    });
  });

  it("routes a key to the same partition always, restarts included", async () => {
    const { spec, node } = await start(4);
    const alice = node.via(spec.keyOf("alice"));
    alice.cast.set(7);
    expect(await node.via(spec.keyAt(partitionOf("alice", 4))).call.get()).toBe(7);
    const pid = alice.id;
    alice.cast.stop("boom");
    await node.settle();
    expect(alice.isAlive && alice.id !== pid).toBe(true);
    expect(await alice.call.get()).toBe(0);
  });

  it("restarts only the partition that died", async () => {
    const { spec, node } = await start(3);
    const pids = (): unknown[] => [0, 1, 2].map((n) => node.whereis(spec.keyAt(n))?.id);
    const before = pids();
    must(node.whereis(spec.keyAt(1))).cast.crash("x");
    await node.settle();
    expect(pids().map((pid, n) => pid === before[n])).toEqual([true, false, true]);
  });

  it("keeps a name that the child registers itself", async () => {
    const spec = partitionSupervisor("named", {
      partitions: 2,
      child: (n) => child(probe, { name: "x" }, { register: probeKey(`part${n}`) }),
    });
    const node = createVirtualNode();
    await node.start(spec);
    expect(spec.keyAt(1).name).toBe(probeKey("part1").name);
    expect(node.whereis(probeKey("part1"))?.isAlive).toBe(true);
  });

  it("has as many partitions as the host has cores unless told, and refuses what is no count", () => {
    expect(shards().partitions).toBeGreaterThan(0);
    for (const count of [0, -1, 1.5, 1025, Number.NaN]) {
      expect(() => shards(count)).toThrow("is no integer from 1 to 1024");
    }
    expect(() => shards(2).keyAt(2)).toThrow("no partition 2 of 2");
  });
});

describe("the partition of a key", () => {
  it("is its remainder for integers, signs aside", () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 1, max: 1024 }), (n, count) => {
        expect(partitionOf(n, count)).toBe(Math.abs(n) % count);
        expect(partitionOf(BigInt(n), count)).toBe(Math.abs(n) % count);
      }),
    );
  });

  it("is stable and in range for text, and spreads it", () => {
    // Recorded values: another hash would move every key of a running system.
    expect(["", "a", "alice", "0x1f"].map((key) => partitionOf(key, 16))).toEqual([5, 12, 7, 14]);
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 1024 }), (key, count) => {
        const partition = partitionOf(key, count);
        expect(Number.isInteger(partition) && partition >= 0 && partition < count).toBe(true);
      }),
    );
    const counts = Array.from({ length: 8 }, () => 0);
    for (let n = 0; n < 8_000; n += 1) {
      const at = partitionOf(`key-${n}`, 8);
      counts[at] = must(counts[at]) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(800);
  });
});
