/** Nodes: the operator's view, virtual time, and what definitions refuse. */
import { describe, expect, it } from "vitest";
import {
  child,
  type Ctx,
  createVirtualNode,
  defineActor,
  keyFor,
  OtpError,
  reply,
  supervisor,
} from "../../src/otp/index.ts";
import { must, probe, probeKey, probeRef, startTop, trapper, trapperKey } from "./support.ts";

describe("the inspector", () => {
  it("shows the tree with states, strategies, budgets and last exits", async () => {
    const node = await startTop(
      [
        child(probe, { name: "a" }, { register: probeKey("a") }),
        supervisor("inner", { strategy: "rest_for_one", intensity: 3, period: 9, children: [] }),
      ],
      { intensity: 7, period: 5 },
    );
    probeRef(node, "a").cast.crash("oops");
    await node.settle();
    expect(node.inspector.tree()).toEqual({
      name: "top",
      pid: "#1",
      kind: "supervisor",
      status: "running",
      strategy: "one_for_one",
      restarts: { count: 1, intensity: 7, period_ms: 5000 },
      children: [
        {
          name: "test/n/a/probe",
          pid: "#4",
          kind: "worker",
          status: "running",
          restarts: { count: 1, intensity: 7, period_ms: 5000 },
          last_exit: "Error: oops",
          children: [],
        },
        {
          name: "inner",
          pid: "#3",
          kind: "supervisor",
          status: "running",
          strategy: "rest_for_one",
          restarts: { count: 0, intensity: 3, period_ms: 9000 },
          children: [],
        },
      ],
    });
  });

  it("answers about a process by pid, name or path, without asking the process", async () => {
    const node = await startTop([child(probe, { name: "a" }, { register: probeKey("a") })]);
    const a = probeRef(node, "a");
    a.cast.wait((ctx) => ctx.sleep(1e6));
    a.cast.set(1);
    await node.settle();
    const info = must(node.inspector.info("test/n/a/probe"));
    expect(info).toMatchObject({
      pid: a.id,
      status: "busy",
      mailbox: 1,
      handler: "wait",
      links: ["#1"],
      parent: "#1",
    });
    expect(node.inspector.info(a.id)?.pid).toBe(a.id);
    expect(node.inspector.resolve(info.path)).toBe(a.id);
    expect(node.inspector.info("nobody")).toBeUndefined();
    expect(node.inspector.exit("nobody", "kill")).toBe(false);
  });

  it("never shows what a state hides or is named like a secret", async () => {
    const holder = defineActor({
      name: "test/holder",
      init: (url: string) => ({
        url,
        apiKey: "k",
        nested: { token: "t", count: 3 },
        list: Array.from({ length: 100 }, () => 1),
      }),
    });
    const key = keyFor(holder);
    const node = await startTop([child(holder, "https://x/secret", { register: key() })]);
    const text = JSON.stringify(node.inspector.info(key().name)?.state);
    expect(text).not.toContain("secret");
    expect(node.inspector.info(key().name)?.state).toMatchObject({
      url: "***",
      apiKey: "***",
      nested: { token: "***", count: 3 },
    });
  });

  it("holds and resumes a process, and replaces its state", async () => {
    const counter = defineActor({
      name: "test/counter",
      init: (_args: undefined) => 1,
      calls: { get: (state) => reply(state, state) },
      casts: { add: (state, by: number) => state + by },
    });
    const key = keyFor(counter);
    const node = await startTop([child(counter, undefined, { register: key() })]);
    await node.inspector.suspend(key().name);
    node.via(key()).cast.add(1);
    await node.settle();
    expect(await node.inspector.getState(key().name)).toBe(1);
    expect(await node.inspector.replaceState(key().name, () => 40)).toBe(40);
    const failed = node.inspector.replaceState(key().name, () => {
      throw new Error("no");
    });
    await expect(failed).rejects.toMatchObject({ reason: "callback_failed" });
    await node.inspector.resume(key().name);
    expect(await node.via(key()).call.get()).toBe(41);
  });
});

describe("virtual time", () => {
  const story = async (seed: number): Promise<string> => {
    const lines: string[] = [];
    const node = createVirtualNode({ seed });
    node.telemetry.attach("all", "*", ({ name, atMs, process, fields }) =>
      lines.push(JSON.stringify([atMs, name, process, { ...fields, stack: undefined }])),
    );
    const children = ["a", "b", "c"].map((name) =>
      child(
        trapper,
        { name },
        { register: trapperKey(name), backoff: { minMs: 100, maxMs: 5_000, jitter: 1 } },
      ),
    );
    await startTop(children, {}, node);
    for (let i = 0; i < 20; i += 1) {
      node.whereis(trapperKey(must(["a", "b", "c"][i % 3])))?.cast.stop("boom");
      await node.advance(150);
    }
    await node.stop();
    return lines.join("\n");
  };

  it("gives the same story for the same seed, and another for another", async () => {
    const [one, two, other] = [await story(1), await story(1), await story(2)];
    expect(one).toBe(two);
    expect(one).not.toBe(other);
  });

  it("passes hours in no time", async () => {
    const node = await startTop([child(probe, { name: "a" }, { register: probeKey("a") })]);
    probeRef(node, "a").cast.act((ctx) => ctx.every(60_000, "minute"));
    await node.advance(6 * 3_600_000);
    expect(await probeRef(node, "a").call.infos()).toHaveLength(360);
  });
});

describe("definitions", () => {
  it("refuse terminate without a stated trapExit", () => {
    const define = (): unknown =>
      defineActor({ name: "test/x", init: (_args: undefined) => 0, terminate: () => {} });
    expect(define).toThrow(OtpError);
    expect(define).toThrow("trapExit");
  });
});

describe("a storm that never ends", () => {
  it("is reported by a virtual node instead of hanging the test", async () => {
    const node = await startTop([child(probe, { name: "a" }, { register: probeKey("a") })]);
    const again = (ctx: Ctx): void => ctx.whereis(probeKey("a"))?.cast.act(again);
    probeRef(node, "a").cast.act(again);
    await expect(node.settle()).rejects.toMatchObject({ code: "OTP_NOT_QUIESCENT" });
  });
});
