/** Processes on both sides of a bridge keep the semantics of processes of one node (otp.md 1.11, 1.12, 4.6). */
import { describe, expect, it } from "vitest";
import {
  child,
  createVirtualNode,
  type Ctx,
  defineActor,
  dynamicSupervisor,
  ExitError,
  type Info,
  keyFor,
  type Monitor,
  next,
  type Ref,
  reply,
  supervisor,
  type VirtualNode,
} from "../../../src/otp/index.ts";
import { countItems } from "../../../src/lib/few.ts";
import { transfer } from "../../../src/otp/isolate/transfer.ts";
import { must, probe, probeKey, trapper, trapperKey } from "../support.ts";
import { connect, joined, kernelOf, type Pair, settleAll } from "./support.ts";

const probeChild = (n: string) => child(probe, { name: n }, { register: probeKey(n) });
const trapperChild = (n: string) => child(trapper, { name: n }, { register: trapperKey(n) });

/** Holds data only, so that everything it is asked crosses. */
const store = defineActor({
  name: "test/store",
  init: (_args: undefined) => ({ value: 0 as unknown, seen: [] as unknown[] }),
  calls: {
    get: (state) => reply(state, state.value),
    echo: (state, value: unknown) => reply(state, value),
    seen: (state) => reply(state, state.seen),
    odd: (state) => reply(state, () => {}),
    tell: async (state, to: unknown) => {
      const ref = to as Ref<typeof probe>;
      return reply(state, await ref.call.get());
    },
  },
  casts: {
    set: (state, value: unknown) => ({ ...state, value }),
    note: (state, value: unknown) => ({ ...state, seen: [...state.seen, value] }),
  },
  on: (state, info) => next({ ...state, seen: [...state.seen, info] }),
});
const storeKey = keyFor(store, "n");
const storeChild = (n: string) => child(store, undefined, { register: storeKey(n) });

const get = (node: VirtualNode, n: string): Ref<typeof probe> => must(node.whereis(probeKey(n)));
const getStore = (node: VirtualNode, n: string): Ref<typeof store> =>
  must(node.whereis(storeKey(n)));
const getTrapper = (node: VirtualNode, n: string): Ref<typeof trapper> =>
  must(node.whereis(trapperKey(n)));

/** What a probe or trapper has got besides calls and casts. */
const infosOf = async (pair: Pair, node: VirtualNode, key: string): Promise<readonly Info[]> => {
  await pair.settle();
  return (await node.inspector.getState(key).then((state) => state as { infos: Info[] })).infos;
};

/** Probe "o" and trapper "ot" outside, probe "i", trapper "it" and store "is" inside. */
const both = (): Promise<Pair> =>
  joined(
    [probeChild("o"), trapperChild("ot"), storeChild("os")],
    [probeChild("i"), trapperChild("it"), storeChild("is")],
  );

/* Each claim holds from outside in and from inside out. */
const ways = [
  {
    way: "from outside in",
    here: (pair: Pair) => pair.outer,
    there: (pair: Pair) => pair.inner,
    mine: ["o", "ot", "os"] as const,
    theirs: ["i", "it", "is"] as const,
    prefix: "#w1.",
  },
  {
    way: "from inside out",
    here: (pair: Pair) => pair.inner,
    there: (pair: Pair) => pair.outer,
    mine: ["i", "it", "is"] as const,
    theirs: ["o", "ot", "os"] as const,
    prefix: "#main.",
  },
];

describe.each(ways)("a call $way", ({ here, there, mine, theirs, prefix }) => {
  it("is answered by the process that holds the key over there", async () => {
    const pair = await both();
    const ref = getStore(here(pair), theirs[2]);
    expect(ref.id).toBe(`${prefix}${must(there(pair).inspector.resolve(ref.name)).slice(1)}`);
    ref.cast.set({ deep: [1, 2n, new Map([["a", new Uint8Array([7])]])] });
    expect(await ref.call.get()).toEqual({ deep: [1, 2n, new Map([["a", new Uint8Array([7])]])] });
    expect(await ref.try.echo("x")).toEqual({ ok: true, value: "x" });
  });

  it("may be answered in a later turn", async () => {
    const pair = await both();
    const ref = get(here(pair), theirs[0]);
    const answer = ref.call.never();
    await pair.settle();
    await there(pair).inspector.replaceState(ref.name, (state) => {
      const held = state as { waiting: { reply(value: string): void; caller: string }[] };
      must(held.waiting[0]).reply(`late, to ${must(held.waiting[0]).caller}`);
      return state;
    });
    await pair.settle();
    expect(await answer).toBe("late, to outside");
  });

  it("fails at its deadline here, and the late answer never arrives", async () => {
    const pair = await both();
    const ref = get(here(pair), theirs[0]);
    let outcome: unknown;
    ref.call.never(undefined, { timeoutMs: 100 }).catch((error: unknown) => (outcome = error));
    await pair.advance(99);
    expect(outcome).toBeUndefined();
    await pair.advance(1);
    expect(outcome).toBeInstanceOf(ExitError);
    expect(outcome).toMatchObject({ code: "OTP_TIMEOUT", request: "never", target: ref.name });
    const before = outcome;
    await there(pair).inspector.replaceState(ref.name, (state) => {
      for (const from of (state as { waiting: { reply(value: string): void }[] }).waiting) {
        from.reply("late");
      }
      return state;
    });
    await pair.settle();
    expect(outcome).toBe(before);
  });

  it("fails with the callee's reason when it dies first, and with noproc when it was dead", async () => {
    const pair = await both();
    const ref = get(here(pair), theirs[0]);
    const first = ref.try.never();
    await pair.settle();
    ref.cast.crash("boom");
    await pair.settle();
    const outcome = await first;
    expect(outcome).toMatchObject({ ok: false, reason: { error: { message: "boom" } } });
    const { error } = (outcome as { reason: { error: Error } }).reason;
    expect(error).toBeInstanceOf(Error);
    expect(error.stack).toContain("crash");
    expect(await ref.try.get()).toEqual({ ok: false, reason: "noproc" });
  });

  it("that was under way when the callee ended meets nobody", async () => {
    const pair = await both();
    const ref = get(here(pair), theirs[0]);
    ref.cast.stop("gone");
    const outcome = ref.try.never();
    await pair.settle();
    expect(await outcome).toMatchObject({ ok: false });
    expect(ref.isAlive).toBe(false);
  });

  it("that nobody knows gives bad_call and leaves the callee alone", async () => {
    const pair = await both();
    const ref = get(here(pair), theirs[0]);
    const odd = ref as unknown as Ref<typeof store>;
    expect(await odd.try.echo(1)).toEqual({ ok: false, reason: "bad_call" });
    await pair.settle();
    expect(ref.isAlive).toBe(true);
  });

  it("with what does not clone fails by value, naming where it lies", async () => {
    const pair = await both();
    const ref = getStore(here(pair), theirs[2]);
    const good = ref.call.echo("good");
    const bad = ref.call.echo({ list: [1, { run: () => 1 }] });
    await expect(bad).rejects.toMatchObject({
      code: "OTP_NOT_CLONEABLE",
      reason: ["not_cloneable", "arg.list[1].run (function)"],
    });
    expect(await good).toBe("good");
  });

  it("whose answer does not clone fails by value, and the callee lives", async () => {
    const pair = await both();
    const ref = getStore(here(pair), theirs[2]);
    expect(await ref.try.odd()).toEqual({
      ok: false,
      reason: ["not_cloneable", "arg (function)"],
    });
    expect(await ref.call.get()).toBe(0);
  });

  it("carries refs: the receiver sends back over the bridge", async () => {
    const pair = await both();
    get(here(pair), mine[0]).cast.set(42);
    const ref = getStore(here(pair), theirs[2]);
    const own = get(here(pair), mine[0]);
    expect(await ref.call.tell(own)).toBe(42);
    expect(await ref.call.tell(here(pair).via(probeKey(mine[0])))).toBe(42);
    const echoed = (await ref.call.echo({ who: own })) as { who: Ref<typeof probe> };
    expect(echoed.who).toBe(own);
    const theirOwn = get(here(pair), theirs[0]);
    theirOwn.cast.set(7);
    expect(await ref.call.tell(theirOwn)).toBe(7);
  });
});

describe.each(ways)("messages $way", ({ here, there, mine, theirs }) => {
  it("keep their order, whatever their kind", async () => {
    const pair = await both();
    const ref = getStore(here(pair), theirs[2]);
    for (let i = 0; i < 600; i += 1) {
      if (i % 3 === 0) ref.send(i);
      else ref.cast.note(i);
    }
    const seen = (await ref.call.seen()).map((item) =>
      typeof item === "number" ? item : (item as { payload: number }).payload,
    );
    expect(seen).toEqual(Array.from({ length: 600 }, (_, i) => i));
  });

  it("that do not clone are dropped, counted and told, and the sender goes on", async () => {
    const pair = await both();
    const told: unknown[] = [];
    here(pair).telemetry.attach("drop", "otp.worker.dropped", (event) => told.push(event.fields));
    const ref = getStore(here(pair), theirs[2]);
    ref.cast.set(() => 1);
    ref.cast.set(5);
    expect(await ref.call.get()).toBe(5);
    expect(told).toMatchObject([{ type: "set", reason: ["not_cloneable", "arg (function)"] }]);
    expect(here(pair).inspector.counters()["dropped"]).toBe(1);
  });

  it("move buffers that are marked, and copy others", async () => {
    const pair = await both();
    const ref = getStore(here(pair), theirs[2]);
    const [moved, kept] = [new Uint8Array([1, 2, 3]), new Uint8Array([4])];
    ref.cast.set(transfer(moved));
    expect(await ref.call.get()).toEqual(new Uint8Array([1, 2, 3]));
    expect(await ref.call.echo(kept)).toEqual(kept);
    expect([moved.length, kept.length]).toEqual([0, 1]);
  });

  it("beyond the port's bound are refused like those of a full mailbox", async () => {
    const pair = await joined(
      [storeChild("os"), probeChild("o")],
      [storeChild("is"), probeChild("i")],
      { maxInFlight: 3 },
    );
    const port = here(pair) === pair.outer ? pair.innerPort : pair.outerPort;
    port.isHeld = true;
    const ref = getStore(here(pair), theirs[2]);
    for (let i = 0; i < 5; i += 1) ref.cast.note(i);
    expect(await ref.try.get()).toEqual({ ok: false, reason: "overloaded" });
    port.release();
    await pair.settle();
    const state = (await there(pair).inspector.getState(ref.name)) as { seen: unknown[] };
    expect(state.seen).toEqual([0, 1, 2]);
    expect(here(pair).inspector.counters()["dropped"]).toBe(2);
    expect(mine).toHaveLength(3);
  });
});

describe.each(ways)("a monitor $way", ({ here, there, mine, theirs }) => {
  const watch = async (pair: Pair): Promise<Monitor> =>
    (await get(here(pair), mine[0]).call.run((ctx: Ctx) =>
      ctx.monitor(must(ctx.whereis(probeKey(theirs[0])))),
    )) as Monitor;

  it("gets one DOWN with the reason, after the name is free", async () => {
    const pair = await both();
    const monitor = await watch(pair);
    const ref = get(here(pair), theirs[0]);
    const names: unknown[] = [];
    here(pair).registry.listen((change, name) => names.push(`${change} ${name}`));
    ref.cast.stop(["boom", 1]);
    const infos = await infosOf(pair, here(pair), get(here(pair), mine[0]).name);
    expect(infos).toEqual([{ type: "down", monitor, reason: ["boom", 1] }]);
    expect(names).toEqual([`unregister ${ref.name}`, `register ${ref.name}`]);
    expect(get(here(pair), theirs[0]).id).not.toBe(ref.id);
  });

  it("tells noproc of a process that is dead already", async () => {
    const pair = await both();
    const ref = get(here(pair), theirs[0]);
    ref.cast.stop("boom");
    await pair.settle();
    await get(here(pair), mine[0]).call.run((ctx: Ctx) => void ctx.monitor(ref));
    const infos = await infosOf(pair, here(pair), get(here(pair), mine[0]).name);
    expect(infos).toMatchObject([{ type: "down", reason: "noproc" }]);
  });

  it("is silent after demonitor", async () => {
    const pair = await both();
    const monitor = await watch(pair);
    await get(here(pair), mine[0]).call.run((ctx: Ctx) => ctx.demonitor(monitor));
    get(here(pair), theirs[0]).cast.stop("boom");
    expect(await infosOf(pair, here(pair), get(here(pair), mine[0]).name)).toEqual([]);
    expect(get(there(pair), theirs[0]).isAlive).toBe(true);
  });
});

describe.each(ways)("a link $way", ({ here, there, mine, theirs }) => {
  const link = (pair: Pair): Promise<unknown> =>
    get(here(pair), mine[0]).call.run((ctx: Ctx) => ctx.link(probeKey(theirs[0])));

  it("takes this side down with that one", async () => {
    const pair = await both();
    const own = get(here(pair), mine[0]);
    await link(pair);
    get(here(pair), theirs[0]).cast.crash("boom");
    await pair.settle();
    expect(own.isAlive).toBe(false);
    expect(here(pair).inspector.tree()?.children[0]?.last_exit).toBe("Error: boom");
  });

  it("takes that side down with this one", async () => {
    const pair = await both();
    const other = get(there(pair), theirs[0]);
    await link(pair);
    get(here(pair), mine[0]).cast.stop(["boom"]);
    await pair.settle();
    expect(other.isAlive).toBe(false);
    expect(there(pair).inspector.tree()?.children[0]?.last_exit).toBe('["boom"]');
  });

  it("is nobody's end after unlink, from either side", async () => {
    const pair = await both();
    const [own, other] = [get(here(pair), mine[0]), get(there(pair), theirs[0])];
    await link(pair);
    await pair.settle();
    await other.call.run((ctx: Ctx) => ctx.unlink(probeKey(mine[0])));
    await pair.settle();
    own.cast.stop("boom");
    await pair.settle();
    expect(other.isAlive).toBe(true);
    const again = get(here(pair), mine[0]);
    await link(pair);
    await again.call.run((ctx: Ctx) => ctx.unlink(probeKey(theirs[0])));
    other.cast.stop("boom");
    await pair.settle();
    expect(again.isAlive).toBe(true);
  });

  it("ends nobody when the other ends normally", async () => {
    const pair = await both();
    const own = get(here(pair), mine[0]);
    await link(pair);
    get(here(pair), theirs[0]).cast.stop("normal");
    await pair.settle();
    expect(own.isAlive).toBe(true);
  });

  it("to a trapping process becomes a message, with the pid as it reads there", async () => {
    const pair = await both();
    const own = get(here(pair), mine[0]);
    await own.call.run((ctx: Ctx) => ctx.link(trapperKey(theirs[1])));
    const { id } = get(there(pair), mine[0]);
    own.cast.stop("boom");
    const infos = await infosOf(pair, there(pair), getTrapper(there(pair), theirs[1]).name);
    expect(infos).toEqual([{ type: "exit", from: id, reason: "boom" }]);
  });

  it("brings what was sent before the end before the end", async () => {
    const pair = await both();
    const own = get(here(pair), mine[0]);
    const to = getTrapper(here(pair), theirs[1]);
    await own.call.run((ctx: Ctx) => ctx.link(to));
    own.cast.act(() => {
      to.send("one");
      to.send("two");
    });
    own.cast.stop("boom");
    const infos = await infosOf(pair, there(pair), to.name);
    expect(infos.map((info) => (info.type === "info" ? info.payload : info.type))).toEqual([
      "one",
      "two",
      "exit",
    ]);
  });

  it("to a process that is dead over there is its noproc exit", async () => {
    const pair = await both();
    const dead = get(here(pair), theirs[0]);
    dead.cast.stop("boom");
    await pair.settle();
    const own = get(here(pair), mine[0]);
    own.cast.act((ctx: Ctx) => ctx.link(dead));
    await pair.settle();
    expect(own.isAlive).toBe(false);
    expect(here(pair).inspector.tree()?.children[0]?.last_exit).toBe("noproc");
  });
});

describe.each(ways)("an exit signal $way", ({ here, there, mine, theirs }) => {
  const exit = (pair: Pair, n: string, reason: string): Promise<unknown> =>
    get(here(pair), mine[0]).call.run((ctx: Ctx) =>
      ctx.exit(n === theirs[1] ? trapperKey(n) : probeKey(n), reason),
    );

  it("ends a process that does not trap, and only that", async () => {
    const pair = await both();
    const ref = get(there(pair), theirs[0]);
    await exit(pair, theirs[0], "boom");
    await pair.settle();
    expect(ref.isAlive).toBe(false);
    expect(there(pair).inspector.tree()?.children[0]?.last_exit).toBe("boom");
    expect(get(here(pair), mine[0]).isAlive).toBe(true);
  });

  it("kills a trapping process, which then died of killed", async () => {
    const pair = await both();
    const ref = getTrapper(there(pair), theirs[1]);
    await exit(pair, theirs[1], "kill");
    await pair.settle();
    expect(ref.isAlive).toBe(false);
    expect(there(pair).inspector.tree()?.children[1]?.last_exit).toBe("killed");
  });

  it("of normal ends nobody, and is a message to one that traps", async () => {
    const pair = await both();
    await exit(pair, theirs[0], "normal");
    await exit(pair, theirs[1], "normal");
    const infos = await infosOf(pair, there(pair), getTrapper(there(pair), theirs[1]).name);
    expect(infos).toMatchObject([{ type: "exit", reason: "normal" }]);
    expect(get(there(pair), theirs[0]).isAlive).toBe(true);
  });
});

describe("names", () => {
  it("that are taken outside refuse a start inside, naming the holder", async () => {
    const pair = await joined([probeChild("same")], [probeChild("i")]);
    const holder = get(pair.outer, "same");
    const started = await pair.inner.drive(
      must(pair.inner.supervisor("inside")).startChild(
        child(probe, { name: "x" }, { id: "x", register: probeKey("same") }),
      ),
    );
    expect(started).toMatchObject({
      ok: false,
      reason: ["already_started", `#main.${holder.id.slice(1)}`],
    });
  });

  it("that are taken inside refuse a start outside", async () => {
    const pair = await joined([probeChild("o")], [probeChild("same")]);
    const holder = get(pair.inner, "same");
    const started = await pair.outer.drive(
      must(pair.outer.supervisor("top")).startChild(probeChild("same")),
    );
    expect(started).toMatchObject({
      ok: false,
      reason: ["already_started", `#w1.${holder.id.slice(1)}`],
    });
  });

  it("taken on both sides at once stay outside; the inner holder ends with name_conflict", async () => {
    const pair = await joined([probeChild("o")], [probeChild("i")]);
    const ends: unknown[] = [];
    pair.inner.telemetry.attach("end", "otp.exit", (event) => ends.push(event.fields["reason"]));
    const [outside, inside] = [get(pair.outer, "o"), get(pair.inner, "i")];
    outside.cast.act((ctx: Ctx) => void ctx.register(probeKey("both")));
    inside.cast.act((ctx: Ctx) => void ctx.register(probeKey("both")));
    await pair.settle();
    expect(ends).toEqual([["name_conflict", "test/n/both/probe"]]);
    expect(get(pair.outer, "both").id).toBe(outside.id);
    expect(get(pair.inner, "both").id).toBe(`#main.${outside.id.slice(1)}`);
  });

  it("move on when their holder is restarted: a key resolves at every send", async () => {
    const pair = await both();
    const via = pair.outer.via(probeKey("i"));
    via.cast.set(3);
    expect(await via.call.get()).toBe(3);
    via.cast.crash("boom");
    await pair.settle();
    expect(await via.call.get()).toBe(0);
    expect(pair.outer.inspector.names("test/n/i/").map(({ pid }) => pid)).toEqual([via.id]);
  });

  it("are told to listeners on the other side, each change once", async () => {
    const pair = await both();
    const changes: string[] = [];
    pair.outer.registry.listen((change, name, pid) => changes.push(`${change} ${name} ${pid}`));
    await get(pair.inner, "i").call.run((ctx: Ctx) => ctx.register(probeKey("new")));
    await get(pair.inner, "i").call.run((ctx: Ctx) => ctx.unregister(probeKey("new")));
    await pair.settle();
    const pid = get(pair.outer, "i").id;
    expect(changes).toEqual([
      `register test/n/new/probe ${pid}`,
      `unregister test/n/new/probe ${pid}`,
    ]);
  });
});

describe("a bridge that closes", () => {
  it("ends every stand-in: links, monitors and calls hear of it, names are free", async () => {
    const pair = await both();
    const own = get(pair.outer, "o");
    const linked = await own.call.run((ctx: Ctx) => ctx.monitor(probeKey("i")));
    const waiting = get(pair.outer, "i").try.never();
    await pair.settle();
    pair.outerBridge.close(["worker_exit", 7]);
    await pair.settle();
    expect(await waiting).toEqual({ ok: false, reason: "noconnection" });
    expect(await infosOf(pair, pair.outer, own.name)).toEqual([
      { type: "down", monitor: linked, reason: ["worker_exit", 7] },
    ]);
    expect(pair.outer.whereis(probeKey("i"))).toBeUndefined();
    expect(pair.outer.inspector.names("test/n/i/")).toEqual([]);
  });

  it("leaves no monitor behind on those it watched", async () => {
    const pair = await both();
    const own = kernelOf(pair.outer).registry.local("test/n/o/probe");
    await get(pair.inner, "i").call.run((ctx: Ctx) => void ctx.monitor(probeKey("o")));
    await pair.settle();
    expect(own?.watchers).toBeDefined();
    pair.outerBridge.close("shutdown");
    expect(own?.watchers).toBeUndefined();
  });
});

describe("a supervisor over there", () => {
  it("takes admin commands; pids in its answers read as they do here", async () => {
    const many = dynamicSupervisor("many", {
      register: "many",
      template: (n: number) => {
        if (n < 0) throw new RangeError("negative");
        return child(store, undefined, { id: n, restart: "temporary" });
      },
    });
    const pair = await joined([probeChild("o")], [many]);
    const ref = must(pair.outer.supervisor<number>("many"));
    const started = await ref.startChild(1);
    expect(started).toMatchObject({ ok: true });
    if (!started.ok) return;
    expect(started.pid).toMatch(/^#w1\.\d+$/);
    expect(await (started.ref as Ref<typeof store>).call.get()).toBe(0);
    expect(await ref.whichChildren()).toEqual([
      { id: undefined, pid: started.pid, type: "worker" },
    ]);
    expect(await ref.countChildren()).toMatchObject({ active: 1 });
    const refused = await ref.startChild(-1);
    expect(refused).toMatchObject({ ok: false, reason: { error: { message: "negative" } } });
    expect(await ref.terminateChild(must(started.pid))).toEqual({ ok: true });
    expect(await ref.countChildren()).toMatchObject({ active: 0 });
  });
});

describe("two isolated subtrees", () => {
  const hub = async () => {
    const [outer, one, two] = [createVirtualNode(), createVirtualNode(), createVirtualNode()];
    const settle = (): Promise<void> => settleAll(outer, one, two);
    const top = (n: string) => supervisor("top", { intensity: 9, children: [probeChild(n)] });
    await outer.start(top("o"));
    const bridges = [connect(outer, one, "w1"), connect(outer, two, "w2")] as const;
    await one.start(top("one"));
    await settle();
    await two.start(top("two"));
    await settle();
    return { outer, one, two, settle, bridges };
  };

  it("see each other's names, and call each other through the node between", async () => {
    const { one, two } = await hub();
    get(two, "two").cast.set(2);
    const ref = get(one, "two");
    expect(ref.id).toBe(`#main.w2.${get(two, "two").id.slice(1)}`);
    expect(await ref.call.get()).toBe(2);
    expect(await get(two, "one").call.get()).toBe(0);
  });

  it("are linked and monitored across both bridges", async () => {
    const { one, two, settle } = await hub();
    const own = get(one, "one");
    await own.call.run((ctx: Ctx) => ctx.monitor(probeKey("two")));
    await get(two, "two").call.run((ctx: Ctx) => ctx.link(probeKey("one")));
    await settle();
    const watched = get(two, "two");
    watched.cast.act((ctx: Ctx) => ctx.unlink(probeKey("one")));
    await settle();
    watched.cast.stop("boom");
    await settle();
    const state = (await one.inspector.getState(own.name)) as { infos: Info[] };
    expect(state.infos).toMatchObject([{ type: "down", reason: "boom" }]);
    await get(two, "two").call.run((ctx: Ctx) => ctx.link(probeKey("one")));
    await settle();
    get(two, "two").cast.stop("bang");
    await settle();
    expect(one.inspector.tree()?.children[0]?.last_exit).toBe("bang");
  });

  it("lose each other when one of them ends", async () => {
    const { one, settle, bridges } = await hub();
    const own = get(one, "one");
    await own.call.run((ctx: Ctx) => ctx.monitor(probeKey("two")));
    const waiting = get(one, "two").try.never();
    await settle();
    bridges[1].outerBridge.close(["worker_exit", 1]);
    await settle();
    expect(await waiting).toEqual({ ok: false, reason: "noconnection" });
    expect(one.whereis(probeKey("two"))).toBeUndefined();
    const state = (await one.inspector.getState(own.name)) as { infos: Info[] };
    expect(state.infos).toMatchObject([{ type: "down", reason: ["worker_exit", 1] }]);
  });
});

describe("nothing is kept", () => {
  it("of monitors, links and calls that have ended", async () => {
    const pair = await both();
    const own = get(pair.outer, "o");
    const target = must(kernelOf(pair.inner).registry.local("test/n/i/probe"));
    for (let i = 0; i < 20; i += 1) {
      await own.call.run((ctx: Ctx) => ctx.demonitor(ctx.monitor(probeKey("i"))));
      await own.call.run((ctx: Ctx) => ctx.link(probeKey("i")));
      await own.call.run((ctx: Ctx) => ctx.unlink(probeKey("i")));
      void get(pair.outer, "i").try.never(undefined, { timeoutMs: 1 });
    }
    await pair.advance(5);
    expect(countItems(target.watchers)).toBe(1); // that of the stand-in
    expect([countItems(target.links), target.calls]).toEqual([1, undefined]); // its supervisor's
    expect(kernelOf(pair.outer).wheel.size).toBe(0);
  });
});
