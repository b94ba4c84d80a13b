import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { RedisLink, type RedisChange } from "../../src/io/redis/link.ts";
import type { RedisState } from "../../src/io/redis/link.machine.ts";
import { RedisPending, type PendingCommand } from "../../src/io/redis/pending.ts";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { describeWithRedis, placeOf, startRedis, type RedisServer } from "../support/redis.ts";

const PASSWORD = "correct-horse-battery";

describeWithRedis("the link to Redis", () => {
  const use = cleanupAfterEach();
  const links: RedisLink[] = [];
  afterEach(() => {
    for (const link of links.splice(0)) link.close();
  });

  /** A link whose clock may be pushed on by hand. */
  const linkTo = (url: string, timeoutMs = 200) => {
    const clock = { skewMs: 0 };
    const changes: RedisChange[] = [];
    const link = new RedisLink({
      place: placeOf(url),
      keyPrefix: "test:",
      timeoutMs,
      now: () => performance.now() + clock.skewMs,
      random: () => 0.1,
    });
    links.push(link);
    link.adopt({ changed: (change) => changes.push(change) });
    link.open();
    return { link, clock, changes };
  };

  const until = (link: RedisLink, state: RedisState) =>
    eventually(`the link is ${state}, not ${link.state}`, () => link.state === state);

  const get = (link: RedisLink, key: string) =>
    new Promise<Buffer | undefined>((resolve) => {
      link.get(key, resolve);
    });

  const connected = async (options = {}) => {
    const server: RedisServer = use(await startRedis(options));
    const made = linkTo(server.url);
    await until(made.link, "up");
    return { server, ...made };
  };

  it("keeps bytes under its prefix for as long as asked", async () => {
    const { server, link } = await connected();
    const bytes = Buffer.from([0, 255, 10, 13, 128]);
    link.set("k", bytes, 60_000);
    expect(await get(link, "k")).toEqual(bytes);
    const beside = server.client();
    expect(await beside.pttl("test:k")).toBeGreaterThan(30_000);
    expect(await get(link, "absent")).toBeUndefined();
    expect(link.counters).toMatchObject({ failed: 0, timeout: 0, refused: 0 });
  });

  it("runs a script with prefixed keys and takes integers only", async () => {
    const { link } = await connected();
    const run = (script: string, keys: readonly string[] = []) =>
      new Promise((resolve) => {
        link.run(script, keys, [7, "x"], resolve);
      });
    expect(await run("return {tonumber(ARGV[1]), #KEYS[1]}", ["ab"])).toEqual([7, 7]);
    expect(await run("return {1, 'text'}")).toBeUndefined();
    expect(await run("return 1")).toBeUndefined();
    expect(await run("this is no lua")).toBeUndefined();
    expect(link.isUp).toBe(true);
  });

  it("hears what is published on its channel, also after the server came back", async () => {
    const { server, link } = await connected();
    const heard: Buffer[] = [];
    const listener = new RedisLink({
      place: placeOf(server.url),
      keyPrefix: "test:",
      timeoutMs: 200,
      now: () => performance.now(),
      random: () => 0.1,
      listensTo: "news",
    });
    links.push(listener);
    listener.adopt({ heard: (message) => heard.push(message) });
    listener.open();
    await until(listener, "up");
    const bytes = Buffer.from([0, 255, 10, 13, 128]);
    const listeners = new Promise((resolve) => {
      link.publish("news", bytes, resolve);
    });
    expect(await listeners).toBe(1);
    link.publish("other", Buffer.from("not for it"));
    listener.ping();
    await eventually("the message is heard", () => heard.length > 0);
    expect(heard).toEqual([bytes]);
    await eventually("the ping is answered", () => listener.counters.ok === 1);
    await server.restart();
    await until(link, "up");
    await until(listener, "up");
    link.publish("news", Buffer.from("again"));
    await eventually("the next message is heard", () => heard.length === 2);
    expect(listener.counters.failed).toBe(0);
  });

  it("takes a value of another type, and a flush, for nothing there", async () => {
    const { server, link } = await connected();
    const beside = server.client();
    await beside.rpush("test:list", "a");
    expect(await get(link, "list")).toBeUndefined();
    expect(link.counters.failed).toBe(1);
    link.set("k", Buffer.from("v"), 60_000);
    expect(String(await get(link, "k"))).toBe("v");
    await beside.flushall();
    expect(await get(link, "k")).toBeUndefined();
    expect(link.isUp).toBe(true);
  });

  it("answers whoever waits when the server is killed, and comes back with it", async () => {
    const { server, link, changes } = await connected();
    server.child.signal("SIGSTOP");
    const waiting = [get(link, "a"), get(link, "b")];
    await server.child.kill();
    expect(await Promise.all(waiting)).toEqual([undefined, undefined]);
    await eventually("the loss is noticed", () => changes.some(({ to }) => to === "down"));
    expect(await get(link, "c")).toBeUndefined();
    await server.restart();
    await until(link, "up");
    link.set("k", Buffer.from("v"), 60_000);
    expect(String(await get(link, "k"))).toBe("v");
  });

  it("sends nothing to a server that has stopped, and goes on when it answers again", async () => {
    const { server, link, clock, changes } = await connected();
    server.child.signal("SIGSTOP");
    const late = get(link, "a");
    clock.skewMs += 2_000;
    expect(await late).toBeUndefined();
    await until(link, "stalled");
    const { refused } = link.counters;
    let isTold = false;
    link.get("b", (value) => {
      expect(value).toBeUndefined();
      isTold = true;
    });
    expect(isTold, "refused within the call").toBe(true);
    expect(link.counters.refused).toBe(refused + 1);
    server.child.signal("SIGCONT");
    await until(link, "up");
    expect(changes.map(({ to }) => to)).toEqual(["connecting", "up", "stalled", "up"]);
    link.set("k", Buffer.from("v"), 60_000);
    expect(String(await get(link, "k"))).toBe("v");
  });

  it("gives a connection up that is dead for 30 s, and finds the server afterwards", async () => {
    const { server, link, clock, changes } = await connected();
    server.child.signal("SIGSTOP");
    const late = get(link, "a");
    clock.skewMs += 30_000;
    expect(await late).toBeUndefined();
    await eventually("given up", () => changes.some(({ to }) => to === "down"));
    expect(link.pending).toBe(0);
    server.child.signal("SIGCONT");
    await until(link, "up");
  });

  it("holds a bounded number of commands and answers each of them once", async () => {
    const { server, link } = await connected();
    server.child.signal("SIGSTOP");
    const told: number[] = [];
    for (let at = 0; at < 1_500; at++) {
      link.get(`k${at}`, (value) => {
        expect(value).toBeUndefined();
        told[at] = (told[at] ?? 0) + 1;
      });
    }
    expect(link.pending).toBe(1_000);
    expect(link.counters.refused).toBe(500);
    await eventually("all are told", () => told.filter((times) => times > 0).length === 1_500);
    server.child.signal("SIGCONT");
    await eventually("Redis has answered all", () => link.pending === 0);
    expect(told.every((times) => times === 1)).toBe(true);
  });

  it("stays down with a wrong password, and does not repeat it", async () => {
    const server = use(await startRedis({ password: PASSWORD }));
    const { link, changes } = linkTo(`redis://:wrong-${PASSWORD}@127.0.0.1:${server.port}`);
    await eventually("refused twice", () => changes.filter(({ to }) => to === "down").length > 1);
    expect(await get(link, "k")).toBeUndefined();
    const reasons = changes.map(({ reason }) => reason ?? "").join(" ");
    expect(reasons).toMatch(/WRONGPASS|NOAUTH/);
    expect(reasons).not.toContain(PASSWORD);
  });

  it("signs in with the right password", async () => {
    const { link } = await connected({ password: PASSWORD });
    link.set("k", Buffer.from("v"), 1_000);
    expect(String(await get(link, "k"))).toBe("v");
  });

  it("says nothing more after it was closed, and opens again", async () => {
    const { link, changes } = await connected();
    const late = get(link, "k");
    link.close();
    expect(await late).toBeUndefined();
    expect(changes.at(-1)?.to).toBe("closed");
    link.open();
    await until(link, "up");
  });
});

describe("a link to nobody", () => {
  it("tries again with growing pauses and refuses in the meantime", async () => {
    const changes: RedisChange[] = [];
    const link = new RedisLink({
      place: placeOf("redis://127.0.0.1:1"),
      keyPrefix: "",
      timeoutMs: 20,
      now: () => performance.now(),
      random: () => 0.05,
    });
    link.adopt({ changed: (change) => changes.push(change) });
    link.open();
    const pauses = () => changes.flatMap(({ retryMs }) => retryMs ?? []);
    await eventually("four tries", () => pauses().length >= 4);
    link.close();
    expect(pauses().slice(0, 4)).toEqual([13, 25, 50, 100]);
    expect(changes.find(({ to }) => to === "down")?.reason).toContain("ECONNREFUSED");
  });
});

describe("commands on their way", () => {
  it("tell each taker exactly once, in whatever order replies, deadlines and the end come", () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant("send" as const) }),
      fc.record({ kind: fc.constant("reply" as const), pick: fc.nat(20) }),
      fc.record({ kind: fc.constant("wait" as const), ms: fc.nat(15) }),
      fc.record({ kind: fc.constant("drop" as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const pending = new RedisPending(50);
        const sent: PendingCommand[] = [];
        const told: number[] = [];
        let nowMs = 0;
        for (const todo of steps) {
          if (todo.kind === "send" && !pending.isFull) {
            const at = told.push(0) - 1;
            sent.push(pending.add(() => told[at]!++, nowMs));
          } else if (todo.kind === "reply" && sent.length > 0) {
            pending.reply(sent[todo.pick % sent.length] as PendingCommand, "x");
          } else if (todo.kind === "wait") {
            nowMs += todo.ms;
            pending.expire(nowMs, 20);
          } else if (todo.kind === "drop") pending.drop();
          expect(pending.size).toBe(sent.filter(({ isAnswered }) => !isAnswered).length);
          const oldest = sent.find(({ isAnswered }) => !isAnswered);
          expect(pending.ageMs(nowMs)).toBe(oldest === undefined ? 0 : nowMs - oldest.sentAtMs);
          expect(told.every((times) => times <= 1)).toBe(true);
        }
        nowMs += 20;
        pending.expire(nowMs, 20);
        expect(told.every((times) => times === 1)).toBe(true);
      }),
    );
  });
});
