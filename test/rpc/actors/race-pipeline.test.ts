/** From events as connections hand them over to evidence and topics, through the processes between. */
import { describe, expect, it } from "vitest";
import { messageAggregator, messageAggregatorKey } from "../../../actors/rpc/message-aggregator.ts";
import { eventTopics } from "../../../src/main/topics.ts";
import { child, createVirtualNode, defineActor, supervisor } from "../../../src/otp/index.ts";
import type { SettledRace } from "../../../src/rpc/race/settled-race.ts";
import {
  readSubscriptionFrame,
  type SubscriptionFrame,
} from "../../../src/rpc/subscription-frame.ts";
import {
  aggregatedTopic,
  eventsTopic,
  racesTopic,
  rawTopic,
  roomOf,
} from "../../../src/rpc/topics.ts";
import { frameOf, hash, headOf } from "../race/events.ts";
import { chainConfig, chainState } from "./kit.ts";

const start = async () => {
  const node = createVirtualNode({ seed: 1 });
  const state = chainState(chainConfig(["a", "b", "c"]));
  const heard: { readonly topic: string; readonly payload: unknown }[] = [];
  const reader = (topic: string) =>
    defineActor({
      name: "test/reader",
      init: (_: undefined, ctx) => {
        ctx.subscribe(topic);
        return 0;
      },
      on: (count, info) => {
        if (info.type === "info") heard.push({ topic, payload: info.payload });
        return count + 1;
      },
    });
  const evicted: unknown[] = [];
  node.telemetry.attach("evicted", ["aggregation.evicted"], ({ fields }) => {
    evicted.push(fields);
  });
  const topics = [rawTopic("eth"), aggregatedTopic("eth"), racesTopic("eth")];
  const circuits = eventsTopic("eth", "circuits");
  await node.start(
    supervisor("root", {
      intensity: 9,
      children: [
        child(messageAggregator, { state }, { register: messageAggregatorKey("eth") }),
        ...[...topics, circuits].map((topic) => child(reader(topic), undefined, { id: topic })),
      ],
    }),
  );
  const aggregator = node.via(messageAggregatorKey("eth"));
  const seqs = new Map<string, number>();
  const live = (): void => {
    for (const provider of ["a", "b", "c"]) {
      const seq = seqs.get(provider) ?? 0;
      aggregator.cast.stream({ provider, event: "newHeads", isLive: true, seq });
    }
  };
  const frame = (n: number): SubscriptionFrame => {
    const read = readSubscriptionFrame(frameOf(headOf(n)));
    if (read === undefined) throw new Error("the test's frame cannot be read");
    return read;
  };
  const head = (provider: string, n: number, atMs: number): void => {
    const seq = (seqs.get(provider) ?? 0) + 1;
    seqs.set(provider, seq);
    const atNs = Math.round(atMs * 1e6);
    aggregator.cast.event({ provider, event: "newHeads", frame: frame(n), atNs, seq });
  };
  live();
  await node.advance(6_000);
  return {
    node,
    state,
    live,
    head,
    evicted,
    on: (topic: string) => heard.flatMap((one) => (one.topic === topic ? [one.payload] : [])),
  };
};

describe("the pipeline of races", () => {
  it("makes of one head one record per provider, with the margin of the sockets' stamps", async () => {
    const { node, state, head } = await start();
    const t = node.nowMs();
    head("b", 1, t);
    head("a", 1, t + 20.001234);
    await node.advance(3_000);
    const rows = state.evidence.raceRows({ fromMs: 0, toMs: 1e9 });
    expect(rows.map(({ provider, result }) => `${provider} ${result}`)).toEqual([
      "b win",
      "a loss",
      "c missed",
    ]);
    // A nanosecond stamp; rows keep single precision.
    expect(rows[1]?.marginMs).toBeCloseTo(20.001234, 5);
    expect(state.evidence.raceSummary("a", node.nowMs()).avgMarginMs).toBeCloseTo(20.001234, 6);
    await node.stop();
  });

  it("publishes every arrival, every event once, and every result", async () => {
    const { node, head, on } = await start();
    const t = node.nowMs();
    head("a", 1, t);
    head("b", 1, t + 5);
    await node.advance(3_000);
    expect(on(rawTopic("eth"))).toMatchObject([
      { provider: "a", event: "newHeads", key: hash(1), arrival: "first" },
      { provider: "b", key: hash(1), arrival: "duplicate" },
    ]);
    expect(on(aggregatedTopic("eth"))).toMatchObject([{ provider: "a", key: hash(1) }]);
    const [race] = on(racesTopic("eth")) as readonly SettledRace[];
    expect(race).toMatchObject({ winner: "a", losers: [{ provider: "b" }], missed: ["c"] });
    await node.stop();
  });

  it("loses nothing that is settled when the aggregator is killed", async () => {
    const { node, state, head, live } = await start();
    for (let n = 1; n <= 5; n++) {
      head("a", n, node.nowMs());
      head("b", n, node.nowMs() + 1);
      await node.advance(100);
    }
    await node.advance(3_000);
    node.inspector.exit(messageAggregatorKey("eth").name, "kill");
    await node.advance(100);
    expect(state.evidence.raceSummary("a", node.nowMs())).toMatchObject({ wins: 5, races: 5 });
    // And goes on with what connections announce anew.
    live();
    await node.advance(6_000);
    head("a", 6, node.nowMs());
    head("b", 6, node.nowMs() + 1);
    await node.advance(3_000);
    expect(state.evidence.raceSummary("a", node.nowMs())).toMatchObject({ wins: 6, races: 6 });
    await node.stop();
  });
});

describe("races whose aggregator dies", () => {
  it("count as far as they have come, and whoever was still to come is not judged", async () => {
    const { node, state, head, live } = await start();
    head("b", 1, node.nowMs());
    head("a", 1, node.nowMs() + 20);
    head("c", 2, node.nowMs() + 30);
    await node.settle();
    node.inspector.exit(messageAggregatorKey("eth").name, "kill");
    await node.advance(100);
    const results = () =>
      state.evidence
        .raceRows({ fromMs: 0, toMs: 1e9 })
        .map(({ provider, result }) => `${provider} ${result}`);
    const interrupted = ["b win", "a loss", "c neutral", "c neutral", "a neutral", "b neutral"];
    expect(results()).toEqual(interrupted);
    // A copy that comes after the restart is no race of its own: nobody knows who was first.
    live();
    head("c", 1, node.nowMs());
    head("a", 2, node.nowMs());
    await node.advance(3_000);
    expect(results()).toEqual(interrupted);
    await node.stop();
  });
});

describe("a reset of the aggregator", () => {
  it("clears keys, races and all counters together, and tells of evictions anew", async () => {
    const { node, head, evicted } = await start();
    const aggregator = node.via(messageAggregatorKey("eth"));
    const flood = async (from: number): Promise<void> => {
      for (let n = from; n < from + 1_100; n++) head("a", n, node.nowMs());
      await node.advance(1_100);
    };
    await flood(1);
    expect(evicted).toHaveLength(1);
    aggregator.cast.reset();
    const stats = await node.drive(aggregator.call.stats());
    expect(stats).toEqual({
      byKind: {
        newHeads: { messages: 0, duplicates: 0 },
        logs: { messages: 0, duplicates: 0 },
        newPendingTransactions: { messages: 0, duplicates: 0 },
      },
      racesSettled: 0,
      missed: 0,
      processingMs: 0,
      cache: { hits: 0, misses: 0, evictions: 0, entries: 0, limit: stats.cache.limit },
    });
    // As many again, before the counters could be looked at: a count kept from before would hide it.
    await flood(5_000);
    expect(evicted).toHaveLength(2);
    await node.stop();
  });
});

describe("the topics of decisions", () => {
  it("tell routing, circuits and providers apart, and nothing of the rest", () => {
    expect(roomOf("rpc.selection.switch")).toBe("routing");
    expect(roomOf("rpc.failover.triggered")).toBe("routing");
    expect(roomOf("circuit_breaker.open")).toBe("circuits");
    expect(roomOf("provider.cooldown.start")).toBe("providers");
    expect(roomOf("rpc.request.stop")).toBeUndefined();
  });

  it("tell the subscribers of the event's chain, with the event's name", async () => {
    const { node, on } = await start();
    const listener = eventTopics("eu", (topic, payload) => node.broadcast(topic, payload));
    node.telemetry.attach(listener.id, listener.names(), listener.handle);
    node.emit("circuit_breaker.open", { chain: "eth", provider: "a" });
    node.emit("circuit_breaker.open", { chain: "other", provider: "a" });
    node.emit("rpc.request.stop", { chain: "eth" });
    await node.settle();
    expect(on(eventsTopic("eth", "circuits"))).toEqual([
      { event: "circuit_breaker.open", region: "eu", chain: "eth", provider: "a" },
    ]);
    await node.stop();
  });
});
