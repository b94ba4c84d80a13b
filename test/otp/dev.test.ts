/** Dev mode: shared messages are frozen, dead scopes that go on are told (otp.md 1.13, 4.2). */
import { describe, expect, it } from "vitest";
import {
  child,
  createNode,
  defineActor,
  keyFor,
  type Info,
  type Node,
  type Ref,
  reply,
  supervisor,
} from "../../src/otp/index.ts";
import { deepFreeze } from "../../src/otp/process/freeze.ts";
import { must, probe, probeKey, probeRef, startTop } from "./support.ts";

interface Parcel {
  readonly list: { n: number }[];
}

const keeper = defineActor({
  name: "test/keeper",
  init: (_args: undefined) => [] as unknown[],
  calls: {
    got: (state) => reply(state, new Map(state.entries())),
    swap: (state, parcel: Parcel) => reply([...state, parcel], { inside: { of: parcel } }),
    spoil: (state, parcel: Parcel) => {
      must(parcel.list[0]).n += 1;
      return reply(state, "spoilt");
    },
  },
  casts: { take: (state, parcel: unknown) => [...state, parcel] },
  on: (state, info: Info, ctx) => {
    if (info.type === "info" && info.payload === "task") {
      ctx.task("t", async () => ({ from: ["task"] }));
      ctx.after(1, "late", { at: [1] });
      return state;
    }
    return [...state, info];
  },
});
const keeperKey = keyFor(keeper);
const parcel = (): Parcel => ({ list: [{ n: 1 }] });
const isFrozen = (value: Parcel): boolean =>
  Object.isFrozen(value) && Object.isFrozen(value.list) && Object.isFrozen(value.list[0]);

const start = () => startTop([child(keeper, undefined, { register: keeperKey() })]);

describe("a message in dev mode", () => {
  it("is frozen as deep as it is plain, however it was sent", async () => {
    const node = await start();
    const ref = must(node.whereis(keeperKey()));
    const sent = [parcel(), parcel(), parcel(), parcel()] as const;
    ref.cast.take(sent[0]);
    ref.send(sent[1]);
    node.via(keeperKey()).cast.take(sent[2]);
    const answer = await ref.call.swap(sent[3]);
    expect(sent.map(isFrozen)).toEqual([true, true, true, true]);
    expect(Object.isFrozen(answer) && Object.isFrozen(answer.inside)).toBe(true);
  });

  it("of a topic, a task or a timer is frozen too", async () => {
    const node = await startTop([
      child(keeper, undefined, { register: keeperKey() }),
      child(probe, { name: "a" }, { register: probeKey("a") }),
    ]);
    const news = parcel();
    await node.drive(probeRef(node, "a").call.run((ctx) => ctx.subscribe("news")));
    node.broadcast("news", news);
    must(node.whereis(keeperKey())).send("task");
    await node.advance(1);
    const infos = [...(await must(node.whereis(keeperKey())).call.got()).values()] as Info[];
    const values = infos.map((info) => {
      if (info.type === "task" && info.result.ok) return info.result.value;
      return info.type === "timer" ? info.payload : undefined;
    });
    expect(values).toEqual([{ from: ["task"] }, { at: [1] }]);
    expect([...values, news].every((value) => Object.isFrozen(value))).toBe(true);
  });

  it("that its receiver changes ends the receiver; its sender is told where it stands", async () => {
    const node = await start();
    const mine = parcel();
    const result = await must(node.whereis(keeperKey())).try.spoil(mine);
    expect(result).toMatchObject({ ok: false, reason: { error: expect.any(TypeError) } });
    expect(() => {
      must(mine.list[0]).n = 5;
    }).toThrow("read only");
  });

  it("leaves handles alone: class instances, typed arrays, functions, dates and maps", () => {
    class Handle {
      open = true;
    }
    const handles = [new Handle(), new Uint8Array(2), () => {}, new Date(0), new Map()];
    deepFreeze({ handles });
    expect(handles.some((handle) => Object.isFrozen(handle))).toBe(false);
  });

  it("may hold itself, and what is frozen already on the surface only", () => {
    const ring: { self?: unknown; inner: { n: number } } = { inner: { n: 1 } };
    ring.self = ring;
    Object.freeze(ring);
    deepFreeze(ring);
    expect(Object.isFrozen(ring.inner)).toBe(true);
  });
});

describe("a node on real time", () => {
  const run = async (node: Node): Promise<boolean> => {
    await node.start(
      supervisor("top", { children: [child(keeper, undefined, { register: keeperKey() })] }),
    );
    const mine = parcel();
    await must(node.whereis(keeperKey())).call.swap(mine);
    await node.stop();
    return isFrozen(mine);
  };

  it("freezes nothing unless it is in dev mode", async () => {
    expect(await run(createNode())).toBe(false);
    expect(await run(createNode({ isDev: true }))).toBe(true);
  });
});

describe("code that outlives its process", () => {
  /** A probe waits for a foreign promise, unguarded, and is killed meanwhile. */
  async function ghost(then: (to: Ref<typeof probe>) => void) {
    const node = await startTop(
      ["a", "b"].map((name) => child(probe, { name }, { register: probeKey(name) })),
    );
    const resumed: unknown[] = [];
    node.telemetry.attach("resumed", "otp.scope.resumed", ({ process, fields }) =>
      resumed.push([process, fields["op"]]),
    );
    let release = (): void => {};
    const foreign = new Promise<void>((resolve) => {
      release = resolve;
    });
    const b = probeRef(node, "b");
    probeRef(node, "a").cast.wait(async () => {
      await foreign;
      then(b);
    });
    await node.settle();
    node.inspector.exit("test/n/a/probe", "kill");
    await node.settle();
    release();
    await node.settle();
    return { node, b, resumed };
  }

  it("sends nothing: its casts are dropped and counted", async () => {
    const { node, b } = await ghost((to) => {
      to.cast.set(1);
      to.cast.set(2);
      to.send("late");
    });
    expect(await b.call.get()).toBe(0);
    expect(await b.call.infos()).toEqual([]);
    expect(node.inspector.counters()["zombieOps"]).toBe(3);
  });

  it("is told in dev mode, once a process, with what it tried", async () => {
    const { resumed } = await ghost((to) => {
      to.cast.set(1);
      to.cast.set(2);
    });
    expect(resumed).toEqual([["test/n/a/probe", "cast"]]);
  });

  it("is not told while it does nothing", async () => {
    const { resumed } = await ghost(() => {});
    expect(resumed).toEqual([]);
  });

  it("is dropped and counted outside dev mode too", async () => {
    const node = createNode();
    const spec = (name: string) => child(probe, { name }, { register: probeKey(name) });
    await node.start(supervisor("top", { children: [spec("a"), spec("b")] }));
    const a = must(node.whereis(probeKey("a")));
    const b = must(node.whereis(probeKey("b")));
    let release = (): void => {};
    const foreign = new Promise<void>((resolve) => {
      release = resolve;
    });
    a.cast.wait(async () => {
      await foreign;
      b.cast.set(1);
    });
    await b.call.get();
    node.inspector.exit(a, "kill");
    await b.call.get();
    release();
    await foreign;
    expect(await b.call.get()).toBe(0);
    expect(node.inspector.counters()["zombieOps"]).toBe(1);
    await node.stop();
  });
});
