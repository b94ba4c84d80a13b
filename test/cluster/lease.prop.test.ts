import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ACQUIRE_SCRIPT, Fence, holdsUntilMs, type Token } from "../../src/cluster/lease.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { describeWithRedis, linkTo, startRedis } from "../support/redis.ts";

const LEASE_MS = 10;
const HOLDERS = ["1", "2", "3"] as const;

/** The script's rule, for a store that may forget everything. */
class Store {
  #held: { readonly token: Token; readonly untilMs: number } | undefined;
  #counter = 0;

  acquire(holder: string, nowMs: number, seen: number): Token | undefined {
    if (this.#held !== undefined && this.#held.untilMs > nowMs) {
      if (this.#held.token.holder !== holder) return undefined;
      this.#held = { token: this.#held.token, untilMs: nowMs + LEASE_MS };
      return this.#held.token;
    }
    this.#counter = Math.max(this.#counter, seen) + 1;
    const token = { number: this.#counter, holder };
    this.#held = { token, untilMs: nowMs + LEASE_MS };
    return token;
  }

  forget(): void {
    this.#held = undefined;
    this.#counter = 0;
  }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("acquire" as const), who: fc.nat(2) }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant("order" as const), who: fc.nat(2) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("wait" as const), who: fc.nat(15) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("forget" as const), who: fc.constant(0) }) },
);

describe("a lease with a fencing token", () => {
  it("never has two holders whose orders are both taken, in any order of events", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const store = new Store();
        const fence = new Fence();
        const tokens: (Token | undefined)[] = [];
        const taken: Token[] = [];
        let nowMs = 0;
        for (const { do: what, who } of steps) {
          if (what === "wait") nowMs += who;
          else if (what === "forget") store.forget();
          else if (what === "acquire") {
            const holder = HOLDERS[who] as string;
            // A holder that was frozen keeps its token, and acts on it as soon as it wakes.
            // The third knows nothing of the others', so it may be given a number that was there before.
            const seen = who === 2 ? 0 : fence.highest;
            tokens[who] = store.acquire(holder, nowMs, seen) ?? tokens[who];
          } else {
            const token = tokens[who];
            if (token !== undefined && fence.accepts(token)) taken.push(token);
          }
        }
        const holderOf = new Map<number, string>();
        for (const [at, token] of taken.entries()) {
          expect(token.number).toBeGreaterThanOrEqual(taken[at - 1]?.number ?? 0);
          expect(holderOf.get(token.number) ?? token.holder).toBe(token.holder);
          holderOf.set(token.number, token.holder);
        }
      }),
      { numRuns: 2_000 },
    );
  });

  it("is taken for over by its holder before the store takes it for over", () => {
    expect(holdsUntilMs(1_000, 10_000)).toBeLessThan(11_000);
    expect(holdsUntilMs(1_000, 10_000)).toBeGreaterThan(1_000);
  });
});

describeWithRedis("the lease in a real store", () => {
  const use = cleanupAfterEach();

  it("has one holder, renews it, and goes on above what was seen when the store was emptied", async () => {
    const server = use(await startRedis());
    const link = await linkTo(server);
    use({ stop: () => link.close() });
    const ask = (holder: number, seen: number, leaseMs = 60_000) =>
      new Promise((resolve) => {
        link.run(ACQUIRE_SCRIPT, ["lease", "token"], [holder, leaseMs, seen], resolve);
      });
    expect(await ask(1, 0)).toEqual([1, 1]);
    expect(await ask(2, 0)).toEqual([1, 0]);
    expect(await ask(1, 0, 1)).toEqual([1, 1]);
    await eventually("the lease has run out", async () => {
      const [token, isHolder] = (await ask(2, 0)) as [number, number];
      return isHolder === 1 && token === 2;
    });
    await server.client().flushall();
    expect(await ask(3, 2)).toEqual([3, 1]);
    expect(await server.client().get("test:lease")).toBe("3:3");
  });
});
