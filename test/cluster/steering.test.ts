/** Commands and streams between regions, as processes under virtual clocks. */
import { afterEach, describe, expect, it } from "vitest";
import type { Answer, Watcher } from "../../src/cluster/steering/asking.ts";
import type { StreamDoor } from "../../src/cluster/steering/serving.ts";
import { MAX_WAITING_CHARS, WINDOW } from "../../src/cluster/steering/serving.ts";
import { addressed, MAX_PARTS, PART_CHARS } from "../../src/cluster/steering/wire.ts";
import { Broker, Region, TIMES } from "./regions-support.ts";

const brokers: Broker[] = [];
afterEach(async () => {
  for (const broker of brokers.splice(0)) {
    for (const region of broker.regions.slice()) await region.leave();
  }
});

const threeRegions = async () => {
  const broker = new Broker();
  brokers.push(broker);
  const [eu, us, ap] = (await Promise.all(
    ["eu", "us", "ap"].map((name) => Region.start(broker, name)),
  )) as [Region, Region, Region];
  await broker.run(3_000);
  return { broker, eu, us, ap };
};

const errorOf = ([answer]: readonly Answer[]) => (answer?.ok === false ? answer.error : undefined);

/** Keeps what was ordered, and answers when told to. */
const recorder = (region: Region) => {
  const orders: string[] = [];
  const settles: (() => void)[] = [];
  region.carryOut = ({ cmd, role, from }, _door, settle) => {
    orders.push(`${cmd} ${role} ${from}`);
    settles.push(() => settle({ ok: cmd }));
  };
  return { orders, settles };
};

describe("a command to another region", () => {
  it("is carried out there and nowhere else, once, with the role of who asks", async () => {
    const { broker, eu, us, ap } = await threeRegions();
    const there = recorder(us);
    const elsewhere = recorder(ap);
    const answers = eu.ask("us", { cmd: "restart", args: { target: "#1" }, role: "operator" });
    await broker.run(500);
    there.settles[0]?.();
    await broker.run(500);
    expect(there.orders).toEqual(["restart operator eu"]);
    expect(elsewhere.orders).toEqual([]);
    expect(answers).toEqual([{ ok: true, reply: "restart", feed: undefined }]);
    expect([eu.steering.counts, us.steering.counts]).toEqual([
      { asked: 0, watched: 0, running: 0, streams: 0 },
      { asked: 0, watched: 0, running: 0, streams: 0 },
    ]);
  });

  it("is not carried out again when everything said so far is said again", async () => {
    const { broker, eu, us } = await threeRegions();
    const { orders } = recorder(us);
    eu.ask("us", { cmd: "exit" });
    await broker.run(500);
    for (const bytes of broker.recorded.slice()) us.hear(bytes);
    await broker.run(500);
    expect(orders).toHaveLength(1);
    expect(us.cluster.view(us.node.nowMs()).refused.replayed).toBeGreaterThan(0);
  });

  it("is not carried out for a sender that nobody knows, or that has another secret", async () => {
    const { broker, us } = await threeRegions();
    const { orders } = recorder(us);
    const order = { form: "run", id: 1, cmd: "exit", args: {}, role: "admin" } as const;
    const payload = addressed(us.cluster.membership.self, order);
    const ghost = new Region(broker, "ghost");
    const stranger = new Region(broker, "eu", "another secret of another cluster");
    for (const { cluster } of [ghost, stranger]) us.hear(cluster.say("order", payload, 0));
    await us.node.settle();
    expect(orders).toEqual([]);
    expect(us.cluster.view(us.node.nowMs()).refused).toMatchObject({ unknown: 1, unsigned: 1 });
  });

  it("that makes no sense is counted, and told of", async () => {
    const { broker, eu, us } = await threeRegions();
    const { instance } = us.cluster.membership.self;
    for (const payload of [
      { form: "run", id: 1 },
      { to: ["us", instance, 1], form: "sing" },
    ]) {
      us.hear(eu.cluster.say("order", payload, eu.node.nowMs()));
    }
    await broker.run(250);
    expect(us.cluster.view(us.node.nowMs()).refused.malformed).toBe(2);
    expect(us.heard).toContainEqual({
      name: "cluster.message_refused",
      fields: { kind: "malformed", reason: "order of eu" },
    });
  });

  it("is not carried out when it comes later than a lease, and who asked hears that it is lost", async () => {
    const { broker, eu, us } = await threeRegions();
    const { orders } = recorder(us);
    broker.weather.isFrozen = true;
    const answers = eu.ask("us", { cmd: "exit" });
    await broker.run(TIMES.leaseMs + 2_000);
    expect(errorOf(answers)).toMatchObject({ code: "OPS_REGION_LOST" });
    broker.weather.isFrozen = false;
    await broker.run(5_000);
    expect(orders).toEqual([]);
    expect(us.cluster.view(us.node.nowMs()).refused.expired).toBeGreaterThan(0);
  });

  it("is refused at once for a region that is unknown, lost or left, and says which there are", async () => {
    const { broker, eu, us, ap } = await threeRegions();
    expect(errorOf(eu.ask("mars"))).toEqual({
      code: "OPS_NO_REGION",
      message: 'no region "mars"',
      hint: "regions: ap, eu, us",
    });
    await us.crash();
    await ap.leave();
    await broker.run(TIMES.leaseMs + 1_000);
    expect(errorOf(eu.ask("us"))?.message).toBe("us is lost: it was silent for its lease");
    expect(errorOf(eu.ask("ap"))?.message).toBe("ap has left the cluster");
  });

  it("fails when the region is killed, or has another life, before it answers", async () => {
    const { broker, eu, us, ap } = await threeRegions();
    recorder(us);
    recorder(ap);
    const lost = eu.ask("us");
    const replaced = eu.ask("ap", { limitMs: 60_000 });
    await broker.run(500);
    await us.crash();
    await ap.crash();
    await Region.start(broker, "ap");
    await broker.run(2_000);
    expect(errorOf(replaced)).toMatchObject({
      code: "OPS_REGION_LOST",
      message: "ap was restarted before it answered tree",
    });
    expect(lost).toEqual([]);
    await broker.run(TIMES.leaseMs);
    expect(errorOf(lost)?.message).toBe("us was lost before it answered tree");
  });

  it("fails when the region lives but does not answer within a lease and the command's own time", async () => {
    const { broker, eu, us } = await threeRegions();
    const { settles } = recorder(us);
    const answers = eu.ask("us", { limitMs: 5_000 });
    await broker.run(TIMES.leaseMs + 4_500);
    expect(answers).toEqual([]);
    await broker.run(1_000);
    expect(errorOf(answers)).toMatchObject({ code: "OPS_TIMEOUT" });
    settles[0]?.();
    await broker.run(1_000);
    expect(answers).toHaveLength(1);
  });

  it("is not kept for later while this region cannot speak", async () => {
    const { broker, eu, us } = await threeRegions();
    const { orders } = recorder(us);
    eu.isMute = true;
    const answers = eu.ask("us");
    await broker.run(250);
    expect(errorOf(answers)).toMatchObject({ code: "OPS_REGION_LOST" });
    eu.isMute = false;
    await broker.run(2_000);
    expect(orders).toEqual([]);
  });

  it("brings long answers in parts, and refuses one that is too long", async () => {
    const { broker, eu, us } = await threeRegions();
    const text = 'é"\\ud800\u{1F600}'.repeat((PART_CHARS * 5) / 8);
    us.carryOut = ({ cmd }, _door, settle) =>
      settle({ ok: cmd === "tree" ? text : "x".repeat(PART_CHARS * MAX_PARTS) });
    const [long, tooLong] = [eu.ask("us"), eu.ask("us", { cmd: "dump" })];
    await broker.run(3_000);
    expect(long).toEqual([{ ok: true, reply: text, feed: undefined }]);
    expect(errorOf(tooLong)).toMatchObject({ code: "OPS_LIMIT" });
  });

  it("fails at once when a part of its answer was lost", async () => {
    const { broker, eu, us } = await threeRegions();
    us.carryOut = (_order, _door, settle) => settle({ ok: "x".repeat(PART_CHARS * 3) });
    const answers = eu.ask("us");
    broker.lose(({ payload }) => (payload as { part?: number } | null)?.part === 1);
    await broker.run(1_000);
    expect(errorOf(answers)?.message).toBe("a part of the answer of us to tree was lost");
  });

  it("goes on when the process between the regions is killed on both sides", async () => {
    const { broker, eu, us } = await threeRegions();
    const { settles } = recorder(us);
    const answers = eu.ask("us");
    await broker.run(500);
    for (const { node } of [eu, us]) node.inspector.exit("cluster/region-commands", "kill");
    await broker.run(1_000);
    settles[0]?.();
    await broker.run(1_000);
    expect(answers).toEqual([{ ok: true, reply: "tree", feed: undefined }]);
  });

  it("keeps the process between the regions busy until it is answered, and no longer", async () => {
    const { broker, eu, us } = await threeRegions();
    const { settles } = recorder(us);
    const ticks = { eu: 0, us: 0 };
    for (const region of [eu, us]) {
      const { steering, name } = region;
      const tick = steering.tick.bind(steering);
      steering.tick = (nowMs) => {
        ticks[name as "eu" | "us"]++;
        tick(nowMs);
      };
    }
    await broker.run(5_000);
    expect(ticks).toEqual({ eu: 0, us: 0 });
    const answers = eu.ask("us");
    await broker.run(1_000);
    expect(ticks.eu).toBeGreaterThan(5);
    settles[0]?.();
    await broker.run(1_000);
    expect(answers).toHaveLength(1);
    const before = { ...ticks };
    await broker.run(5_000);
    expect(ticks).toEqual(before);
  });

  it("is refused when as many run already", async () => {
    const { broker, eu, us } = await threeRegions();
    recorder(us);
    const all = Array.from({ length: 17 }, () => eu.ask("us"));
    await broker.run(500);
    expect(all.filter((answers) => errorOf(answers)?.code === "OPS_BUSY")).toHaveLength(1);
    for (let at = 17; at <= 65; at++) all.push(eu.ask("us"));
    expect(errorOf(eu.ask("us"))?.message).toContain("64 commands wait");
  });
});

describe("a stream of another region", () => {
  /** A stream from `us` to `eu`, what feeds it and what came of it. */
  const watched = async () => {
    const made = await threeRegions();
    const { broker, eu, us } = made;
    const feeds: StreamDoor[] = [];
    const stats = { stopped: 0 };
    us.carryOut = (_order, door, settle) => {
      const sub = door.open((stream) => {
        feeds.push(stream);
        return () => void stats.stopped++;
      });
      settle(
        sub === undefined ? { error: { code: "OPS_LIMIT", message: "full" } } : { ok: { sub } },
      );
    };
    const came = { events: [] as unknown[], dropped: 0, ends: [] as unknown[] };
    const watcher: Watcher = {
      push: (event) => void came.events.push(event),
      drop: (count) => {
        came.dropped += count;
      },
      end: (reason, facts) => void came.ends.push([reason, facts]),
    };
    const answers = eu.ask("us", { cmd: "subscribe" });
    await broker.run(500);
    const [answer] = answers;
    if (answer?.ok !== true || answer.feed === undefined) throw new Error("no stream");
    answer.feed.watch(watcher);
    return { ...made, came, stats, feed: answer.feed, source: feeds[0] as StreamDoor };
  };

  it("brings events in order, then its end with what it says", async () => {
    const { broker, came, source, eu, us } = await watched();
    for (let n = 0; n < 5; n++) source.push({ n });
    await broker.run(500);
    source.push({ n: 5 });
    source.end("count", { traced: 6 });
    await broker.run(500);
    expect(came.events).toEqual(Array.from({ length: 6 }, (_, n) => ({ n })));
    expect([came.dropped, came.ends]).toEqual([0, [["count", { traced: 6 }]]]);
    expect([eu.steering.counts.watched, us.steering.counts.streams]).toEqual([0, 0]);
  });

  it("lives as long as it is watched, and ends on both sides when it no longer is", async () => {
    const { broker, came, source, feed, stats, us } = await watched();
    await broker.run(3 * TIMES.leaseMs);
    source.push({ still: true });
    await broker.run(500);
    expect(came.events).toEqual([{ still: true }]);
    feed.stop();
    await broker.run(500);
    expect([stats.stopped, us.steering.counts.streams, came.ends]).toEqual([1, 0, []]);
  });

  it("ends when its watcher's region is killed, or leaves", async () => {
    for (const end of ["crash", "leave"] as const) {
      const { broker, eu, us, stats } = await watched();
      await eu[end]();
      await broker.run(end === "leave" ? 500 : TIMES.leaseMs + 500);
      expect([end, stats.stopped, us.steering.counts.streams]).toEqual([end, 1, 0]);
    }
  });

  it("ends for its watcher when its region is killed, or starts anew", async () => {
    const killed = await watched();
    await killed.us.crash();
    await killed.broker.run(TIMES.leaseMs + 500);
    expect(killed.came.ends).toEqual([["region lost", undefined]]);
    const restarted = await watched();
    await restarted.us.crash();
    await Region.start(restarted.broker, "us");
    await restarted.broker.run(2_000);
    expect(restarted.came.ends).toEqual([["region replaced", undefined]]);
  });

  it("runs out when nobody is heard to keep it, and its watcher is told when it asks", async () => {
    const { broker, came, stats, us } = await watched();
    broker.lose(({ kind }) => kind === "order");
    await broker.run(TIMES.leaseMs + 1_000);
    expect([stats.stopped, us.steering.counts.streams, came.ends]).toEqual([1, 0, []]);
    broker.lose();
    await broker.run(TIMES.leaseMs / 4 + 500);
    expect(came.ends).toEqual([["no such stream", {}]]);
  });

  it("stops a source whose watcher's word that it is gone was lost", async () => {
    const { broker, feed, source, stats } = await watched();
    broker.lose(({ kind }) => kind === "order");
    feed.stop();
    await broker.run(500);
    broker.lose();
    expect(stats.stopped).toBe(0);
    source.push({ n: 1 });
    await broker.run(500);
    expect(stats.stopped).toBe(1);
  });

  it("drops and counts what is too much, and what was lost on the way", async () => {
    const { broker, came, source } = await watched();
    const event = { text: "x".repeat(1_000) };
    for (let n = 0; n < 100; n++) source.push(event);
    await broker.run(250);
    const fits = Math.floor(MAX_WAITING_CHARS / JSON.stringify(event).length);
    expect(came.events).toHaveLength(fits);
    broker.lose(({ kind }) => kind === "reply");
    source.push(event);
    await broker.run(250);
    broker.lose();
    source.push(event);
    await broker.run(250);
    expect(came.events).toHaveLength(fits + 1);
    expect(came.dropped).toBe(100 - fits + 1);
  });

  it("waits for its watcher: no more than a window of batches is under way", async () => {
    const { broker, source } = await watched();
    const batches = (): number =>
      broker
        .opened()
        .filter(({ payload }) => (payload as { form?: string } | null)?.form === "events").length;
    broker.lose(({ kind }) => kind === "order");
    for (let n = 0; n < 3 * WINDOW; n++) {
      source.push({ n });
      await broker.run(125);
    }
    expect(batches()).toBe(WINDOW);
    broker.lose();
    await broker.run(TIMES.leaseMs / 4 + 500);
    expect(batches()).toBeGreaterThan(WINDOW);
  });

  it("is refused when a region streams as often as it may", async () => {
    const { broker, eu } = await watched();
    const more = Array.from({ length: 8 }, () => eu.ask("us"));
    await broker.run(500);
    expect(more.flatMap((answers) => errorOf(answers)?.code ?? [])).toEqual(["OPS_LIMIT"]);
  });
});
