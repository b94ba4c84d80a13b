/** The epoch clock under the virtual clock. */
import { describe, expect, it } from "vitest";
import { epochClockKey } from "../../../actors/pairing/epoch-clock.ts";
import { directoryKey } from "../../../actors/pairing/directory.ts";
import type { PairingList } from "../../../src/pairing/lists/list.ts";
import type { ConsumerWish } from "../../../src/pairing/lists/policy-book.ts";
import { MARKET, policy, provider, type Service, startService, value } from "../support.ts";

const EPOCH_MS = 300_000;
/** Wall-clock time at which a virtual node begins. */
const WALL_MS = 1_700_000_000_000;
const wish = (more: Partial<ConsumerWish> = {}): ConsumerWish => ({ policy: policy(), ...more });

const start = async (more: Parameters<typeof startService>[0] = {}) => {
  const service = await startService({ lists: {}, ...more });
  const { node, port, lists } = service;
  if (lists === undefined) throw new Error("the service has lists");
  await node.advance(1);
  const set = async (consumer: string, one = wish()) =>
    node.drive(lists.port.setPolicy(consumer, undefined, one));
  const load = async (count: number, mode: "replace" | "add" = "add") =>
    node.drive(
      port.load(
        MARKET,
        Array.from({ length: count }, (_, i) => provider(`p${i}`, 1_000 + i)),
        mode,
      ),
    );
  const remove = async (address: string) => node.drive(port.remove(MARKET, address));
  const listOf = (consumer: string): PairingList => {
    const list = lists.door.listOf(consumer, "eth");
    if (list === undefined) throw new Error(`${consumer} has no list`);
    return value(lists.port.lists(consumer, "eth", list.epoch))[0] as PairingList;
  };
  return { ...service, lists, set, load, remove, listOf };
};

const named = ({ events }: Service, name: string) =>
  events.filter((event) => event.name === `pairing.list.${name}`).map(({ fields }) => fields);

describe("the epoch clock", () => {
  it("makes a list when a policy is set, and another when an epoch begins", async () => {
    const { node, set, load, listOf } = await start();
    await load(8);
    const made = value(await set("acme"));
    expect(made.map(({ ids }) => ids)).toEqual([["p7", "p6", "p5", "p4", "p3"]]);
    const first = listOf("acme");
    expect(first).toMatchObject({ consumer: "acme", chain: "eth", market: MARKET, revision: 0 });
    expect(first.validUntilMs).toBe((first.epoch + 1) * EPOCH_MS);
    await node.advance(EPOCH_MS);
    expect(listOf("acme")).toMatchObject({ epoch: first.epoch + 1, ids: first.ids });
    await node.stop();
  });

  it("begins an epoch on time, not a tick later", async () => {
    const { node, set, load, listOf } = await start();
    await load(8);
    await set("acme");
    const { epoch, validUntilMs = 0 } = listOf("acme");
    await node.advance(validUntilMs - (WALL_MS + node.nowMs()) - 1);
    expect(listOf("acme").epoch).toBe(epoch);
    await node.advance(2);
    expect(listOf("acme").epoch).toBe(epoch + 1);
    await node.stop();
  });

  it("keeps lists valid while it is dead, and goes on where it was", async () => {
    const { node, set, load, listOf, lists } = await start({ lists: { mode: "weighted" } });
    await load(50);
    await set("acme");
    const before = listOf("acme");
    node.inspector.exit(epochClockKey().name, "kill");
    expect(lists.door.listOf("acme", "eth")).toBe(before);
    await node.settle();
    await node.advance(2_000);
    expect(listOf("acme")).toBe(before);
    await node.advance(EPOCH_MS);
    expect(listOf("acme").epoch).toBe(before.epoch + 1);
    await node.stop();
  });

  it("loses no list with the directory either", async () => {
    const { node, set, load, listOf } = await start();
    await load(8);
    await set("acme");
    const before = listOf("acme");
    node.inspector.exit(directoryKey().name, "kill");
    await node.advance(2_000);
    expect(listOf("acme").ids).toEqual(before.ids);
    await node.stop();
  });

  it("skips who has left the market, and draws anew when too few are left", async () => {
    const started = await start({ lists: { minLive: 2 } });
    const { node, set, load, remove, listOf } = started;
    await load(8);
    await set("acme", wish({ top: 3 }));
    await remove("p7");
    await node.advance(1_000);
    expect(listOf("acme").ids).toEqual(["p7", "p6", "p5"]);
    expect([...listOf("acme").members]).toEqual(["p6", "p5"]);
    expect(named(started, "repair")).toEqual([]);
    await remove("p6");
    await node.advance(1_000);
    expect(listOf("acme").ids).toEqual(["p5", "p4", "p3"]);
    const { epoch } = listOf("acme");
    expect(named(started, "repair")).toEqual([{ consumer: "acme", chain: "eth", epoch, count: 3 }]);
    await node.stop();
  });

  it("gives who comes back its place on the list of the epoch again", async () => {
    const { node, set, load, remove, listOf, port } = await start();
    await load(8);
    await set("acme", wish({ top: 3 }));
    await remove("p7");
    await node.advance(1_000);
    await node.drive(port.add(MARKET, provider("p7", 1)));
    await node.advance(1_000);
    expect([...listOf("acme").members]).toEqual(["p7", "p6", "p5"]);
    await node.stop();
  });

  it("says who keeps everybody away from an empty list, once, and fills it when it can", async () => {
    const started = await start();
    const { node, set, load, listOf, port } = started;
    await load(8);
    await set("acme", wish({ policy: policy({ minStake: 10_000n }) }));
    expect(listOf("acme")).toMatchObject({ ids: [], blockedBy: "stake" });
    const { epoch } = listOf("acme");
    await node.drive(port.add(MARKET, provider("poor", 5)));
    await node.advance(3_000);
    expect(listOf("acme").revision).toBe(0);
    expect(named(started, "empty")).toEqual([
      { consumer: "acme", chain: "eth", epoch, filter: "stake" },
    ]);
    await node.drive(port.add(MARKET, provider("rich", 20_000)));
    await node.advance(1_000);
    expect(listOf("acme").ids).toEqual(["rich"]);
    await node.stop();
  });

  it("remembers lists of the last epochs, and no more", async () => {
    const { node, set, load, lists, listOf } = await start({ lists: { mode: "weighted" } });
    await load(50);
    await set("acme");
    const { epoch } = listOf("acme");
    for (let i = 0; i < 10; i++) await node.advance(EPOCH_MS);
    const at = (number: number) => lists.port.lists("acme", "eth", number);
    expect(value(at(epoch + 2)).map((list) => list.epoch)).toEqual([epoch + 2]);
    expect(at(epoch + 1).ok).toBe(false);
    await node.stop();
  });

  it("forgets policy and list together", async () => {
    const { node, set, load, lists } = await start();
    await load(8);
    await set("acme");
    expect(value(await node.drive(lists.port.removePolicy("acme", "eth")))).toBe(1);
    expect(lists.door.listOf("acme", "eth")).toBeUndefined();
    expect(value(await node.drive(lists.port.removePolicy("acme", "eth")))).toBe(0);
    await node.advance(EPOCH_MS);
    expect(lists.door.listOf("acme", "eth")).toBeUndefined();
    await node.stop();
  });

  it("refuses more consumers than it may have, and a profile that is not there", async () => {
    const { node, set, load } = await start({ lists: { maxConsumers: 1 } });
    await load(8);
    expect((await set("acme")).ok).toBe(true);
    expect(await set("other")).toMatchObject({ refusal: { code: "PAIRING_TOO_MANY" } });
    expect(await set("acme", wish({ profile: "no such" }))).toMatchObject({
      refusal: { code: "PAIRING_BAD_INPUT" },
    });
    await node.stop();
  });

  it("makes the lists of policies that were kept, and tries again when they cannot be read", async () => {
    let tries = 0;
    const read = async () => {
      if (++tries === 1) throw new Error("database is away");
      return [{ consumer: "acme", market: MARKET, wish: wish({ top: 1 }) }];
    };
    const { node, load, listOf, set, events } = await start({ read });
    expect(await set("early")).toMatchObject({ refusal: { code: "PAIRING_UNAVAILABLE" } });
    await load(8);
    await node.advance(3_000);
    expect(listOf("acme").ids).toEqual(["p7"]);
    expect(events.map(({ name }) => name)).toContain("pairing.policies.failed");
    await node.stop();
  });

  it("counts blocks where it is told to, and does not go back with the chain", async () => {
    let head: number | undefined;
    const blocks = { chain: "eth", every: 10 };
    const { node, load, set, listOf, lists } = await start({ lists: { blocks }, head: () => head });
    await load(8);
    await set("acme");
    expect(lists.door.listOf("acme", "eth")).toBeUndefined();
    head = 25;
    await node.advance(1_000);
    expect(listOf("acme")).toMatchObject({
      epoch: 2,
      validUntilBlock: 30,
      validUntilMs: undefined,
    });
    head = 19;
    await node.advance(1_000);
    expect(listOf("acme").epoch).toBe(2);
    head = 31;
    await node.advance(1_000);
    expect(listOf("acme").epoch).toBe(3);
    await node.stop();
  });

  it("makes equal lists in two regions that never spoke", async () => {
    const regions = [await start(), await start()];
    for (const [i, { node, port, set }] of regions.entries()) {
      const all = Array.from({ length: 40 }, (_, at) => provider(`p${at}`, 10 ** (1 + (at % 5))));
      await node.drive(port.load(MARKET, i === 0 ? all : all.toReversed(), "add"));
      for (const consumer of i === 0 ? ["a", "b", "c"] : ["c", "a", "b"]) {
        await set(consumer, wish({ mode: "weighted" }));
      }
      await node.advance(3 * EPOCH_MS);
    }
    const [east, west] = regions.map(({ listOf }) =>
      ["a", "b", "c"].map((consumer) => {
        const { epoch, seed, ids, key } = listOf(consumer);
        return { epoch, seed, ids, key };
      }),
    );
    expect(west).toEqual(east);
    for (const { node } of regions) await node.stop();
  });
});
