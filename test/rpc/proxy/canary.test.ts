import { describe, expect, it } from "vitest";
import { seededRandom } from "../../../src/lib/random.ts";
import { world } from "./support.ts";

const READ = '{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice","params":[]}';

describe("a canary", () => {
  it("is asked first for its share of reads and last for all others", () => {
    const w = world({ random: seededRandom(7), views: { a: { canary: 0.2 } } });
    for (let n = 0; n < 500; n++) w.post(READ);
    const [a, b, c] = w.upstreams.map(({ calls }) => calls.length);
    expect(a).toBeGreaterThan(60);
    expect(a).toBeLessThan(140);
    expect((a ?? 0) + (b ?? 0)).toBe(500);
    expect(c).toBe(0);
  });

  it("shows in the explanation whether its turn had come", () => {
    const placeOf = (draw: number): readonly unknown[] => {
      const w = world({ random: () => draw, views: { a: { canary: 0.2 } } });
      const { paceline } = w.post(READ, "/rpc/ethereum?include_meta=body").json;
      const places = paceline.candidates.filter(({ spare }: { spare: boolean }) => !spare);
      return places.map(({ provider, canary }: Record<string, unknown>) => [provider, canary]);
    };
    expect(placeOf(0.1)).toEqual([
      ["a", "promoted"],
      ["b", null],
      ["c", null],
    ]);
    expect(placeOf(0.9)).toEqual([
      ["b", null],
      ["c", null],
      ["a", "demoted"],
    ]);
  });

  it("costs its client nothing when it fails, and serves when nobody else can", () => {
    const w = world({ random: () => 0, views: { a: { canary: 1 } } });
    const [a, b, c] = w.upstreams;
    if (a === undefined || b === undefined || c === undefined) throw new Error("no upstream");
    a.script = (call) => call.fail("refused");
    expect(w.post(READ).headers["x-paceline-attempts"]).toMatch(/^a=.*;b=failover:ok/);
    const last = world({ random: () => 0.99, views: { a: { canary: 0.1 } } });
    for (const row of last.rows.slice(1)) row.isUsable = false;
    for (const row of last.rows.slice(1)) row.state = "open";
    expect(last.post(READ).headers["x-paceline-provider"]).toBe("a");
  });
});

describe("a shadow", () => {
  it("is never chosen, not even by name", () => {
    const w = world({ providers: ["a", "b"], views: { a: { shadow: 0 } } });
    expect(w.post(READ).headers["x-paceline-provider"]).toBe("b");
    expect(w.post(READ, "/rpc/provider/a/ethereum").json.error.data.reason).toBe("no_provider");
    expect(w.upstreams[0]?.calls).toHaveLength(0);
  });
});
