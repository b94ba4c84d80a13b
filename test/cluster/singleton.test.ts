/** One process in three regions, over a store that is lost, emptied and late; regions are frozen too. */
import { afterEach, describe, expect, it } from "vitest";
import { Fence, leasesIn, type LeaseStore, type Token } from "../../src/cluster/lease.ts";
import { seededRandom } from "../../src/lib/random.ts";
import {
  child,
  createVirtualNode,
  defineActor,
  supervisor,
  type VirtualNode,
} from "../../src/otp/index.ts";
import { singletons } from "../../supervisors/cluster.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { describeWithRedis, linkTo, startRedis } from "../support/redis.ts";

const LEASE_MS = 10_000;
const STEP_MS = 250;

interface LeaderArgs {
  readonly region: Region;
  readonly token: Token;
}

const leader = defineActor({
  name: "test/leader",
  trapExit: true,
  init: ({ region, token }: LeaderArgs): LeaderArgs => {
    region.token = token;
    return { region, token };
  },
  terminate: ({ region }) => {
    region.token = undefined;
  },
});

/** What all regions ask; time is its own. */
class Store {
  nowMs = 0;
  isGone = false;
  lateMs = 0;
  #held: { readonly holder: string; readonly number: number; untilMs: number } | undefined;
  #counter = 0;
  #late: { readonly dueMs: number; readonly tell: () => void }[] = [];

  of(holder: string): LeaseStore {
    return {
      holder,
      acquire: (_name, leaseMs, seen, done) => {
        if (this.isGone) return done(undefined);
        if (this.#held === undefined || this.#held.untilMs <= this.nowMs) {
          this.#counter = Math.max(this.#counter, seen) + 1;
          this.#held = { holder, number: this.#counter, untilMs: 0 };
        }
        const isOurs = this.#held.holder === holder;
        if (isOurs) this.#held.untilMs = this.nowMs + leaseMs;
        const answer = { number: this.#held.number, isOurs };
        this.#late.push({ dueMs: this.nowMs + this.lateMs, tell: () => done(answer) });
        return undefined;
      },
      release: (_name, token) => {
        if (this.#held?.holder === holder && this.#held.number === token) this.#held = undefined;
      },
    };
  }

  empty(): void {
    this.#held = undefined;
    this.#counter = 0;
  }

  pass(ms: number): void {
    this.nowMs += ms;
    const due = this.#late.filter(({ dueMs }) => dueMs <= this.nowMs);
    this.#late = this.#late.filter(({ dueMs }) => dueMs > this.nowMs);
    for (const { tell } of due) tell();
  }
}

/** One region, with or without the process. */
class Region {
  readonly node: VirtualNode = createVirtualNode({ seed: 1 });
  readonly leases: LeaseStore;
  token: Token | undefined;
  isFrozen = false;
  readonly events: string[] = [];

  constructor(leases: LeaseStore) {
    this.leases = leases;
    this.node.telemetry.attach("test", "*", ({ name }) => {
      if (name.startsWith("cluster.singleton")) this.events.push(name);
    });
  }

  async start(): Promise<this> {
    const one = {
      name: "market",
      leases: this.leases,
      leaseMs: LEASE_MS,
      child: (token: Token) => child(leader, { region: this, token }, { id: "leader" }),
    };
    await this.node.start(supervisor("root", { children: [singletons([one])] }));
    return this;
  }
}

const regions: Region[] = [];
afterEach(async () => {
  for (const region of regions.splice(0)) await region.node.stop();
});

const threeRegions = async () => {
  const store = new Store();
  for (const holder of ["1", "2", "3"]) {
    regions.push(await new Region(store.of(holder)).start());
  }
  const run = async (ms: number, each: () => void = () => undefined): Promise<void> => {
    for (let passed = 0; passed < ms; passed += STEP_MS) {
      store.pass(STEP_MS);
      for (const { isFrozen, node } of regions) if (!isFrozen) await node.advance(STEP_MS);
      each();
    }
  };
  const holders = () => regions.filter(({ token }) => token !== undefined);
  return { store, run, holders };
};

describe("a singleton of the cluster", () => {
  it("runs in one region, under a token, and stays there", async () => {
    const { run, holders } = await threeRegions();
    await run(60_000, () => expect(holders().length).toBeLessThanOrEqual(1));
    expect(holders()).toHaveLength(1);
    expect(holders()[0]?.token).toEqual({ number: 1, holder: "1" });
  });

  it("goes on elsewhere at once when its region stops, and under a higher token", async () => {
    const { run, holders } = await threeRegions();
    await run(1_000);
    const [first] = holders();
    await first?.node.stop();
    regions.splice(regions.indexOf(first as Region), 1);
    expect(first?.token).toBeUndefined();
    await run(2_000 + STEP_MS);
    expect(holders()).toHaveLength(1);
    expect(holders()[0]?.token?.number).toBe(2);
  });

  it("runs nowhere while the store is gone, and is ended before the lease is", async () => {
    const { store, run, holders } = await threeRegions();
    await run(1_000);
    store.isGone = true;
    await run(LEASE_MS);
    expect(holders()).toEqual([]);
    expect(regions[0]?.events).toEqual(["cluster.singleton_held", "cluster.singleton_lost"]);
    store.isGone = false;
    store.empty();
    await run(3_000);
    expect(holders()).toHaveLength(1);
    expect(holders()[0]?.token?.number).toBeGreaterThan(1);
  });

  it("comes back where it was when its keeper is killed", async () => {
    const { run, holders } = await threeRegions();
    await run(1_000);
    const [first] = holders();
    first?.node.inspector.exit("cluster/id/market/singleton", "kill");
    await run(1_000);
    expect(holders()).toEqual([first]);
    expect(first?.token).toEqual({ number: 1, holder: "1" });
  });

  it("takes an answer that came too late for none", async () => {
    const { store, run, holders } = await threeRegions();
    store.lateMs = 0.95 * LEASE_MS;
    await run(60_000);
    expect(holders()).toEqual([]);
  });
});

const SEEDS = Number(process.env["CLUSTER_SEEDS"] ?? 200);

describe("orders of a singleton", () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`are never taken of two holders (seed ${seed})`, async () => {
      const random = seededRandom(seed);
      const draw = (below: number) => Math.floor(random() * below);
      const { store, run, holders } = await threeRegions();
      const fence = new Fence();
      const holderOf = new Map<number, string>();
      let highest = 0;
      let taken = 0;
      const order = (): void => {
        for (const { token } of regions) {
          if (token === undefined || !fence.accepts(token)) continue;
          taken++;
          expect(token.number).toBeGreaterThanOrEqual(highest);
          highest = token.number;
          expect(holderOf.get(token.number) ?? token.holder).toBe(token.holder);
          holderOf.set(token.number, token.holder);
        }
      };
      for (let fault = 0; fault < 6; fault++) {
        const what = draw(4);
        store.isGone = what === 0;
        store.lateMs = what === 1 ? draw(LEASE_MS) : draw(200);
        if (what === 2) store.empty();
        const region = regions[draw(regions.length)] as Region;
        // Its clock stands still: its process still believes in its token when others have the lease.
        region.isFrozen = what === 3;
        await run(1_000 + draw(2 * LEASE_MS), order);
        region.isFrozen = false;
      }
      store.isGone = false;
      store.lateMs = 0;
      await run(2 * LEASE_MS, order);
      expect(holders()).toHaveLength(1);
      expect(taken).toBeGreaterThan(0);
    });
  }
});

describeWithRedis("leases in a real Redis", () => {
  const use = cleanupAfterEach();

  it("have one holder, and are free at once when it gives them back", async () => {
    const server = use(await startRedis());
    const link = await linkTo(server);
    use({ stop: () => link.close() });
    const [one, two] = [leasesIn(link, () => 0.25), leasesIn(link, () => 0.999_999_999)];
    const ask = ({ acquire }: LeaseStore, seen = 0) =>
      new Promise((resolve) => {
        acquire("market", 60_000, seen, resolve);
      });
    expect(await ask(one)).toEqual({ number: 1, isOurs: true });
    expect(await ask(two)).toEqual({ number: 1, isOurs: false });
    two.release("market", 1);
    expect(await ask(one)).toEqual({ number: 1, isOurs: true });
    one.release("market", 1);
    expect(await ask(two)).toEqual({ number: 2, isOurs: true });
    await server.client().flushall();
    expect(await ask(one, 2)).toEqual({ number: 3, isOurs: true });
    link.close();
    expect(await ask(one)).toBeUndefined();
  });
});
