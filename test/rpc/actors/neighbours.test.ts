/** The neighbours of one chain, by a port that tests turn. */
import { describe, expect, it } from "vitest";
import { headTracker, headTrackerKey } from "../../../actors/rpc/head-tracker.ts";
import { neighbours, neighboursKey } from "../../../actors/rpc/neighbours.ts";
import { byDistance, Distances } from "../../../src/cluster/help/distances.ts";
import { child, createVirtualNode, supervisor } from "../../../src/otp/index.ts";
import type { ChainState } from "../../../src/rpc/chain-state.ts";
import type { AttemptOutcome } from "../../../src/rpc/chain-view.ts";
import { helperId } from "../../../src/rpc/help/helping-regions.ts";
import type {
  HelperUpstream,
  Neighbour,
  NeighbourRow,
  NeighboursPort,
} from "../../../src/rpc/help/ports.ts";
import { buildSnapshot } from "../../../src/rpc/routing.ts";
import { ScriptedCall } from "../proxy/support.ts";
import { chainConfig, chainState } from "./kit.ts";

const key = neighboursKey("eth");

class FakeWay implements HelperUpstream {
  readonly transport = "http";
  readonly url: string;
  readonly calls: ScriptedCall[] = [];
  isClosed = false;
  answers = true;
  /** Calls wait for the test to answer them. */
  isSilent = false;

  constructor(url: string) {
    this.url = url;
  }

  send(...args: ConstructorParameters<typeof ScriptedCall>): ScriptedCall {
    const call = new ScriptedCall(...args);
    this.calls.push(call);
    if (this.isSilent) return call;
    queueMicrotask(() => {
      if (this.answers) call.result(call.request.method === "eth_blockNumber" ? '"0x64"' : '"x"');
      else call.fail("refused");
    });
    return call;
  }

  close(): void {
    this.isClosed = true;
  }

  asked(): readonly string[] {
    return this.calls.map(({ request }) => request.method);
  }
}

const neighbour = (region: string, isMeasured = true): Neighbour => ({
  region,
  url: `http://${region}.test`,
  isMeasured,
});
const US = neighbour("us");
const AP = neighbour("ap");
/** Regions far more than are kept ready. */
const CROWD = Array.from({ length: 12 }, (_, n) => `r${n}`);

const start = async ({
  extra = "    help: true",
  isForsaken = true,
  measure = (_region: string): void => undefined,
} = {}) => {
  const node = createVirtualNode({ seed: 1 });
  const state: ChainState = chainState(chainConfig(["a"], extra));
  const events: string[] = [];
  node.telemetry.attach("test", "*", ({ name, fields }) => {
    if (name.startsWith("cluster.help") || name.startsWith("circuit_breaker")) {
      const who = fields["remote"] ?? fields["provider"];
      events.push(typeof who === "string" ? `${name} ${who}` : name);
    }
  });
  const ways: FakeWay[] = [];
  const measured: string[] = [];
  const world = { helpers: [] as readonly Neighbour[], rows: [] as readonly NeighbourRow[] };
  const port: NeighboursPort = {
    maxInFlight: 3,
    helpers: () => world.helpers,
    rows: () => world.rows,
    open: (_, { url }) => {
      const way = new FakeWay(url);
      ways.push(way);
      return way;
    },
    measured: (region) => {
      measured.push(region);
      measure(region);
    },
  };
  const refresh = (isWell: boolean): void => {
    state.rows("a").http.isUsable = isWell;
    state.rows("a").ws.isUsable = isWell;
    state.snapshot = buildSnapshot(state, 1, node.nowMs());
  };
  refresh(!isForsaken);
  await node.start(
    supervisor("root", {
      children: [
        child(headTracker, { state }, { register: headTrackerKey("eth") }),
        child(neighbours, { state, port }, { register: key }),
      ],
    }),
  );
  return { node, state, events, ways, measured, world, refresh };
};

const outcome = (state: ChainState, errorClass: AttemptOutcome["errorClass"]): AttemptOutcome => {
  const row = state.rows(helperId("us")).http;
  return { row, generation: row.generation, method: "eth_call", errorClass, durationMs: 1 };
};

describe("the neighbours of a chain", () => {
  it("keep a way to each region that helps, nearest first, and close it when it helps no more", async () => {
    const { node, state, ways, world } = await start();
    world.helpers = [US, AP];
    await node.advance(1_000);
    const published = () => state.helpers?.candidates.map(({ view }) => view.provider);
    expect(published()).toEqual(["region:us", "region:ap"]);
    expect(state.helpers?.maxInFlight).toBe(3);
    expect(state.rows("region:us").http).toMatchObject({ isUsable: true, region: "us" });
    world.helpers = [AP];
    await node.advance(1_000);
    expect(published()).toEqual(["region:ap"]);
    expect(ways.map(({ url, isClosed }) => [url, isClosed])).toEqual([
      [US.url, true],
      [AP.url, false],
    ]);
    expect(state.upstream(state.rows("region:us").http)).toBeUndefined();
  });

  it("follow a region to another address", async () => {
    const { node, ways, world } = await start();
    world.helpers = [US];
    await node.advance(1_000);
    world.helpers = [{ ...US, url: "http://elsewhere.test" }];
    await node.advance(1_000);
    expect(ways.map(({ url, isClosed }) => [url, isClosed])).toEqual([
      [US.url, true],
      ["http://elsewhere.test", false],
    ]);
  });

  it("keep ways to the four nearest regions, and measure the others one at a time", async () => {
    const { node, ways, measured, world } = await start({ isForsaken: false });
    world.helpers = CROWD.map((region) => neighbour(region));
    for (let second = 0; second < 200; second++) {
      await node.advance(1_000);
      const open = ways.filter(({ isClosed }) => !isClosed).map(({ url }) => url);
      expect(open.slice(0, 4)).toEqual(world.helpers.slice(0, 4).map(({ url }) => url));
      expect(open).toHaveLength(5);
    }
    expect(new Set(measured)).toEqual(new Set(CROWD));
    // Each turn has its time: four are measured over and over, the other eight now and then.
    expect(ways.length).toBeLessThan(30);
  });

  it("find out that a region is near which came last by its name", async () => {
    const distances = new Distances({});
    const far = (region: string) => (region === "r9" ? 5 : 100);
    const measure = (region: string) => distances.measured(region, far(region));
    const { node, state, world } = await start({ isForsaken: false, measure });
    const nearest = () =>
      byDistance(
        CROWD.map((one) => neighbour(one)),
        (one) => distances.of(one),
      );
    for (let second = 0; second < 200; second++) {
      world.helpers = nearest();
      await node.advance(1_000);
    }
    expect(state.helpers?.candidates[0]?.view.provider).toBe("region:r9");
  });

  it("ask no region how far it is beyond the four nearest where the operator has said it", async () => {
    const { node, ways, world } = await start({ isForsaken: false });
    world.helpers = CROWD.map((region) => neighbour(region, false));
    await node.advance(60_000);
    expect(ways).toHaveLength(4);
  });

  it("do nothing for a chain whose help is off, until a reload turns it on", async () => {
    const { node, state, ways, world } = await start({ extra: "" });
    world.helpers = [US];
    await node.advance(5_000);
    expect([state.helpers, ways.length]).toEqual([undefined, 0]);
    state.config = { ...state.config, help: true };
    await node.advance(1_000);
    expect(ways).toHaveLength(1);
    state.config = { ...state.config, help: false };
    await node.advance(1_000);
    expect([state.helpers, ways[0]?.isClosed]).toEqual([undefined, true]);
  });

  it("measure how far a region is once its connection stands, and now and then", async () => {
    const { node, ways, measured, world } = await start({ isForsaken: false });
    world.helpers = [US];
    await node.advance(3_000);
    expect(ways[0]?.asked()).toEqual(["web3_clientVersion", "web3_clientVersion"]);
    expect(measured).toEqual(["us"]);
    await node.advance(60_000);
    expect(measured.length).toBeGreaterThanOrEqual(2);
    expect(measured.length).toBeLessThanOrEqual(4);
  });

  it("follow the chain's head by a region for as long as the chain depends on it", async () => {
    const { node, state, ways, world, refresh } = await start();
    world.helpers = [US];
    await node.advance(5_000);
    expect(state.head?.number).toBe(100);
    refresh(true);
    await node.advance(2_000);
    const asked = ways[0]?.calls.length ?? 0;
    await node.advance(20_000);
    expect((ways[0]?.calls.length ?? 0) - asked).toBeLessThanOrEqual(1);
  });

  it("tell when help begins, is missing, and ends, but not of a moment", async () => {
    const { node, events, world, refresh } = await start({ isForsaken: false });
    world.helpers = [US];
    await node.advance(3_000);
    refresh(false);
    await node.advance(1_500);
    refresh(true);
    await node.advance(2_000);
    expect(events).toEqual([]);
    refresh(false);
    await node.advance(5_000);
    world.helpers = [];
    await node.advance(2_000);
    refresh(true);
    await node.advance(2_000);
    expect(events).toEqual([
      "cluster.help.started us",
      "cluster.help.missing",
      "cluster.help.ended",
    ]);
  });

  it("leave a region that fails alone, and ask it themselves before a client's call does", async () => {
    const { node, state, events, ways, world } = await start({ isForsaken: false });
    world.helpers = [US];
    await node.advance(3_000);
    const [way] = ways;
    if (way !== undefined) way.answers = false;
    for (let n = 0; n < 5; n++) node.via(key).cast.outcome(outcome(state, "transport"));
    await node.settle();
    const { http } = state.rows("region:us");
    expect(http.state).toBe("open");
    await node.advance(30_000);
    expect(http.state).toBe("open");
    if (way !== undefined) way.answers = true;
    await node.advance(120_000);
    expect(http.state).toBe("closed");
    expect(events[0]).toBe("circuit_breaker.open region:us");
    expect(events.at(-1)).toBe("circuit_breaker.close region:us");
  });

  it("hold a region that fails to the rules of a reload", async () => {
    const { node, state, world } = await start({ isForsaken: false });
    world.helpers = [US];
    await node.advance(3_000);
    const { breaker } = state.config;
    state.config = { ...state.config, breaker: { ...breaker, failureThreshold: 1 } };
    await node.advance(1_000);
    node.via(key).cast.outcome(outcome(state, "transport"));
    await node.settle();
    expect(state.rows("region:us").http.state).toBe("open");
  });

  it("wait for the trial of a region that failed as long as the question lives", async () => {
    const extra = "    help: true\n    health_check: { timeout: 1s }";
    const { node, state, ways, world } = await start({ isForsaken: false, extra });
    world.helpers = [US];
    await node.advance(3_000);
    for (let n = 0; n < 5; n++) node.via(key).cast.outcome(outcome(state, "transport"));
    await node.settle();
    const { http } = state.rows("region:us");
    expect(http.state).toBe("open");
    const [way] = ways;
    if (way === undefined) throw new Error("no way");
    way.isSilent = true;
    let seen = way.calls.length;
    const answerAfter: number[] = [];
    for (let second = 0; second < 120; second++) {
      await node.advance(1_000);
      if (way.calls.length > seen) answerAfter.push(second + 3);
      seen = way.calls.length;
      if (answerAfter.includes(second)) way.calls.at(-1)?.result('"0x64"');
    }
    await node.settle();
    expect(answerAfter.length).toBeGreaterThanOrEqual(2);
    expect(http.state).toBe("closed");
  });

  it("let a region rest that is full", async () => {
    const { node, state, world } = await start({ isForsaken: false });
    world.helpers = [US];
    await node.advance(3_000);
    node.via(key).cast.outcome({ ...outcome(state, "rate_limit"), retryAfterMs: 4_000 });
    await node.settle();
    const { http } = state.rows("region:us");
    expect(http.cooldownUntilMs - node.nowMs()).toBe(4_000);
    expect(http.state).toBe("closed");
  });

  it("let a full region rest longer each time in a row, and a success ends the row", async () => {
    const { node, state, world } = await start({ isForsaken: false });
    world.helpers = [US];
    await node.advance(3_000);
    const { http } = state.rows("region:us");
    const restMs = async (): Promise<number> => {
      node.via(key).cast.outcome(outcome(state, "rate_limit"));
      await node.settle();
      const pauseMs = http.cooldownUntilMs - node.nowMs();
      await node.advance(pauseMs + 1);
      return pauseMs;
    };
    expect(Math.round((await restMs()) / 1_000)).toBe(1);
    expect(Math.round((await restMs()) / 2_000)).toBe(1);
    http.successes++;
    expect(await restMs()).toBeLessThan(1_101);
  });

  it("leave an open breaker open over their own death", async () => {
    const { node, state, ways, world } = await start({ isForsaken: false });
    world.helpers = [US];
    await node.advance(3_000);
    for (let n = 0; n < 5; n++) node.via(key).cast.outcome(outcome(state, "transport"));
    await node.settle();
    node.inspector.exit("rpc/chain/eth/neighbours", "kill");
    await node.advance(1_500);
    expect(state.rows("region:us").http.state).toBe("open");
    expect(state.helpers?.candidates).toHaveLength(1);
    expect(ways.map(({ isClosed }) => isClosed)).toEqual([true, false]);
  });

  it("bring what others say of the providers, where the chain asks for it", async () => {
    const rows: readonly NeighbourRow[] = [
      { region: "us", distanceMs: 10, provider: "a", subject: "newHeads", score: 0.9, weight: 50 },
    ];
    const off = await start();
    off.world.rows = rows;
    await off.node.advance(5_000);
    expect(off.state.priors).toBeUndefined();
    const on = await start({ extra: "    leaderboard: { prior: regions }" });
    on.world.rows = rows;
    await on.node.advance(5_000);
    expect(on.state.priors?.get("a")?.race).toEqual({ value: 0.9, samples: 10, regions: ["us"] });
    const [view] = buildSnapshot(on.state, 2, on.node.nowMs()).endpoints;
    expect(view?.prior?.race?.value).toBe(0.9);
  });
});
