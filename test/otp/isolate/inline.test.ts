/** Isolated subtrees under virtual time: the same starts, stops and ends without a thread. */
import { describe, expect, it } from "vitest";
import {
  child,
  createVirtualNode,
  type IsolatedOptions,
  supervisor,
  type VirtualNode,
} from "../../../src/otp/index.ts";
import { must } from "../support.ts";
import { subject, subjectKey } from "./subtree.ts";

const MODULE = new URL("./subtree.ts", import.meta.url);

const treeOf = (options: Partial<IsolatedOptions> = {}) => {
  const from = { module: MODULE, args: { name: "in", value: 3 } };
  const box = supervisor("box", { isolate: "worker", from, ...options });
  const out = child(subject, 1, { register: subjectKey("out") });
  return supervisor("top", { intensity: 5, children: [out, box] });
};

async function start(options: Partial<IsolatedOptions> = {}): Promise<VirtualNode> {
  const node = createVirtualNode();
  await node.start(treeOf(options));
  return node;
}

describe("an isolated subtree under virtual time", () => {
  it("is up when the start returns, and is spoken to by key", async () => {
    const node = await start();
    expect(await must(node.whereis(subjectKey("in"))).call.ask("out")).toEqual({
      ok: true,
      value: 1,
    });
    expect(node.inspector.tree()?.children[1]).toMatchObject({
      name: "box",
      strategy: "one_for_one",
      children: [{ name: "test/n/in/subject" }],
    });
    expect(await must(node.supervisor("box")).countChildren()).toMatchObject({ active: 1 });
  });

  it("ends as one when its host is killed, and is restarted", async () => {
    const node = await start();
    const ref = must(node.whereis(subjectKey("in")));
    const waiting = ref.try.never();
    node.inspector.exit("box", "kill");
    await node.settle();
    expect(await waiting).toEqual({ ok: false, reason: ["worker_exit", 1] });
    expect(await must(node.whereis(subjectKey("in"))).call.get()).toBe(3);
    expect(node.inspector.tree()?.children[1]?.last_exit).toBe("killed");
  });

  it("that gives up ends its host with the same reason", async () => {
    const node = await start({ restart: "temporary" });
    for (let i = 0; i < 6; i += 1) {
      must(node.whereis(subjectKey("in"))).cast.crash("boom");
      await node.settle();
    }
    expect(node.whereis(subjectKey("in"))).toBeUndefined();
    expect(node.inspector.tree()?.children.map(({ name }) => name)).toEqual(["test/n/out/subject"]);
  });

  it("stops in order with its node", async () => {
    const node = await start();
    const ends: unknown[] = [];
    node.telemetry.attach("ends", "otp.exit", ({ process, fields }) => {
      ends.push([process, fields["reason"]]);
    });
    await node.stop();
    expect(ends).toEqual([
      ["test/n/in/subject", "shutdown"],
      ["inside", "shutdown"],
      ["box", "shutdown"],
      ["test/n/out/subject", "shutdown"],
      ["top", "shutdown"],
    ]);
  });

  it("is started again by a reconcile that changes where it comes from, and only then", async () => {
    const node = await start();
    const ref = must(node.whereis(subjectKey("in")));
    await node.drive(node.inspector.reconcile("top", treeOf({ shutdown: 1_000 })));
    expect(ref.isAlive).toBe(true);
    const from = { module: MODULE, args: { name: "in", value: 4 } };
    await node.drive(node.inspector.reconcile("top", treeOf({ from })));
    expect(ref.isAlive).toBe(false);
    expect(await must(node.whereis(subjectKey("in"))).call.get()).toBe(4);
  });

  it("fails to start by value", async () => {
    const failing = start({ from: { module: MODULE, export: "failing" } });
    await expect(failing).rejects.toMatchObject({
      reason: {
        shutdown: ["failed_to_start_child", "box", { shutdown: expect.anything() as unknown }],
      },
    });
    const missing = start({ from: { module: MODULE, export: "nope" } });
    await expect(missing).rejects.toMatchObject({ code: "OTP_EXIT" });
  });
});
