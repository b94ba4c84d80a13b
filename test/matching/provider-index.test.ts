import { describe, expect, it } from "vitest";
import { seededRandom } from "../../src/lib/random.ts";
import { ProviderIndex } from "../../src/matching/index/provider-index.ts";
import { compile } from "../../src/matching/compile.ts";
import { match } from "../../src/matching/match.ts";
import { defaultProfiles } from "../../src/matching/scorers/profiles.ts";
import { indexOf, schema } from "./worlds.ts";

const planOf = (profile: string) => {
  const compiled = compile({ profile }, defaultProfiles());
  if (!compiled.ok) throw new Error("faults");
  return compiled.plan;
};

describe("a market", () => {
  it("refuses what it cannot keep, and says why", () => {
    const index = new ProviderIndex({ name: "small", signals: ["load"], maxRows: 1 });
    const refusal = (provider: Parameters<ProviderIndex["put"]>[0]) => {
      const put = index.put(provider);
      return put.ok ? undefined : put.message;
    };
    expect(refusal({ id: " " })).toContain("needs an id");
    expect(refusal({ id: "a", stake: 2n ** 106n })).toContain("2^106");
    expect(refusal({ id: "a", features: ["x", " "] })).toContain("blank feature");
    expect(refusal({ id: "a", features: Array.from({ length: 257 }, String) })).toContain("257");
    expect(refusal({ id: "a", values: { speed: 1 } })).toContain("value speed, which small lacks");
    expect(refusal({ id: "a" })).toBeUndefined();
    expect(refusal({ id: "b" })).toContain("full: 1 providers");
    expect(refusal({ id: "a", stake: 4n })).toBeUndefined();
  });

  it("has room for 256 places, and uses again those that nobody is at any more", () => {
    const index = new ProviderIndex({ name: "wide" });
    for (let i = 0; i < 256; i++) index.put({ id: `p${i}`, location: `L${i}` });
    expect(index.put({ id: "more", location: "L256" })).toMatchObject({
      message: "no room for another location: L256",
    });
    index.remove("p7");
    expect(index.put({ id: "more", location: "L256" })).toMatchObject({ ok: true });
    const compiled = compile(
      { profile: "pairing", require: { location: "L7" } },
      defaultProfiles(),
    );
    if (!compiled.ok) throw new Error("faults");
    expect(match(compiled.plan, index).picks).toEqual([]);
  });

  it("gives back what was put, labels in their compared form", () => {
    const provider = {
      id: "a",
      owner: "ann",
      location: "US-East-1",
      features: ["http", "ssl"],
      stake: 2n ** 90n + 1n,
      states: ["open"],
      values: { load: 0.5, priority: 3 },
    };
    const index = indexOf([{ ...provider, features: ["HTTP", " Ssl "], states: ["Open"] }]);
    expect(index.providerAt(index.rowOf("a") as number)).toEqual(provider);
    index.put({ id: "a" });
    expect(index.providerAt(index.rowOf("a") as number)).toEqual({
      id: "a",
      location: "",
      features: [],
      stake: 0n,
      states: [],
      values: {},
    });
    expect([index.size, index.remove("a"), index.remove("a"), index.size]).toEqual([
      1,
      true,
      false,
      0,
    ]);
  });

  it("finds every id while thousands come and go", () => {
    const index = new ProviderIndex({ name: "churn" });
    for (let i = 0; i < 5_000; i++) {
      index.put({ id: `p${i}` });
      if (i >= 50) expect(index.remove(`p${i - 50}`)).toBe(true);
      if (i % 97 === 0) expect(index.remove(`p${i + 1}`)).toBe(false);
    }
    expect(index.size).toBe(50);
    expect(new Set(Array.from(index.rows(), (row) => index.ids[row]))).toEqual(
      new Set(Array.from({ length: 50 }, (_, i) => `p${4_950 + i}`)),
    );
    for (let i = 4_950; i < 5_000; i++) expect(index.ids[index.rowOf(`p${i}`) ?? -1]).toBe(`p${i}`);
  });

  it("makes a version of every fact and state, and none of signals", () => {
    const index = indexOf([{ id: "a" }]);
    const row = index.rowOf("a") as number;
    const versions = () => [index.version, index.signalVersion];
    const column = (name: string) => index.columns.get(name) ?? fail(name);
    expect(versions()).toEqual([1, 0]);
    index.setValue(row, column("load"), 0.5);
    index.setValue(row, column("load"), 0.5);
    expect(versions()).toEqual([1, 1]);
    index.setValue(row, column("priority"), 2);
    index.setStake(row, 0n);
    index.setStake(row, 7n);
    expect(index.setState(row, "open", true)).toBe(true);
    index.setState(row, "OPEN", true);
    index.setState(row, "never", false);
    expect(versions()).toEqual([4, 1]);
  });

  it("takes a column at once as it takes its values one by one, orders and boards included", () => {
    const list = Array.from({ length: 100 }, (_, i) => ({ id: `p${i}`, stake: BigInt(i) }));
    const [plan, other] = [planOf("balanced"), planOf("balanced")];
    const [one, all] = [indexOf(list), indexOf(list)];
    const rows = Array.from({ length: 50 }, (_, i) => i * 2);
    const column = (index: ProviderIndex) => {
      const found = index.columns.get("latencyMs");
      if (found === undefined) throw new Error("no column");
      return found;
    };
    for (let round = 0; round < 3; round++) {
      const values = rows.map((row) => ((row * 37 + round * 11) % 90) + 1);
      rows.forEach((row, i) => one.setValue(row, column(one), values[i] as number));
      all.setValues(column(all), rows, values);
      const [want, got] = [match(plan, one), match(other, all)];
      expect([got.path, got.picks]).toEqual(["bound", want.picks]);
    }
    const before = all.signalVersion;
    all.setValues(column(all), [0], [column(all).values[0] as number]);
    expect([before, all.signalVersion]).toEqual([3, 3]);
  });

  it("merges moved rows into a new order a slice at a time", () => {
    const index = indexOf(
      Array.from({ length: 3_000 }, (_, i) => ({ id: `p${i}`, stake: BigInt(i) })),
    );
    const plan = planOf("pairing");
    expect(match(plan, index).path).toBe("rank");
    const [order] = index.derived.orders;
    if (order === undefined) throw new Error("no order");
    const before = order.generation;
    let merging = 0;
    for (let i = 0; order.generation === before; i++) {
      index.setStake(i, BigInt(5_000 + i));
      if (order.isMerging) merging++;
      expect(order.moved.length).toBeLessThan(100);
      expect(match(plan, index).picks[0]?.id).toBe(`p${i}`);
    }
    expect(merging).toBeGreaterThan(5);
    expect(order.moved.length).toBeLessThan(merging + 2);
  });

  it("tells sums apart that its boards cannot", () => {
    const random = seededRandom(23);
    const plan = planOf("balanced");
    const edge = Math.fround(0.7) + 2 ** -25;
    for (let round = 0; round < 200; round++) {
      // Sums next to where floats are rounded up or down, and next to each other.
      const list = Array.from({ length: 64 }, (_, i) => {
        const stake = Math.floor(1e5 * (1 + random()));
        const rest = edge - 0.4 * (Math.log10(stake) / 7) + 1e-9 * random();
        const values = { reliability: rest / 0.3 - 0.5, latencyMs: 100 };
        return { id: `p${i}`, stake: BigInt(stake), values };
      });
      const index = indexOf(list);
      const { picks, path } = match(plan, index);
      expect([path, picks]).toEqual(["bound", match(plan, index, { scanUpTo: 100 }).picks]);
    }
  });

  it("finds the best again when all that led have fallen far", () => {
    const column = (index: ProviderIndex) =>
      index.columns.get("reliability") ?? fail("reliability");
    const index = indexOf(
      Array.from({ length: 100 }, (_, i) => ({ id: `p${i}`, values: { reliability: i / 100 } })),
    );
    const plan = planOf("balanced");
    for (let led = 99; led >= 20; led--) {
      expect(match(plan, index).picks.map(({ id }) => id)).toEqual(
        [0, 1, 2, 3, 4].map((i) => `p${led - i}`),
      );
      index.setValue(
        index.rowOf(`p${led}`) as number,
        column(index),
        led % 2 === 0 ? 0 : Number.NaN,
      );
      if (led % 2 !== 0) index.setValue(index.rowOf(`p${led}`) as number, column(index), -1);
    }
    for (let i = 0; i < 100; i++) index.setValue(i, column(index), 0.001 * ((i * 7) % 100));
    expect(match(plan, index).picks).toEqual(match(plan, index, { scanUpTo: 100 }).picks);
  });

  it("keeps a bounded number of orders and boards, and still ranks right beyond them", () => {
    const index = indexOf(
      Array.from({ length: 50 }, (_, i) => ({
        id: `p${i}`,
        values: { load: i / 50, latencyMs: i },
      })),
      schema,
    );
    const profiles = defaultProfiles();
    const compiled = compile({ profile: "balanced" }, profiles);
    if (!compiled.ok) throw new Error("faults");
    const composite = profiles.composites.get("balanced");
    const paths = Array.from({ length: 12 }, (_, i) => {
      composite?.setWeight("latency", 1 + i);
      const ranking = match(compiled.plan, index);
      expect(ranking.picks).toEqual(match(compiled.plan, index, { scanUpTo: 1_000 }).picks);
      return ranking.path;
    });
    expect([...new Set(paths)]).toEqual(["bound", "scan"]);
    // Those that no match has used for long make room.
    for (let i = 0; i < 1_100; i++) match(compiled.plan, index);
    composite?.setWeight("latency", 99);
    expect(match(compiled.plan, index).path).toBe("bound");
    index.derived.forget();
    expect(match(compiled.plan, index).path).toBe("bound");
  });
});

function fail(name: string): never {
  throw new Error(`no column ${name}`);
}
