/** Operations that code of a dead process still tries (otp.md 4.2): dropped and counted, or refused. */
import { describe, expect, it } from "vitest";
import { child, type Ctx, OtpError, Table, type VirtualNode } from "../../src/otp/index.ts";
import { must, probe, probeKey, probeRef, startTop } from "./support.ts";

const start = (): Promise<VirtualNode> =>
  startTop(
    ["dead", "live"].map((name) =>
      child(probe, { name }, { register: probeKey(name), restart: "temporary" }),
    ),
  );

/** Operations that were counted, in order. */
const watch = (node: VirtualNode): string[] => {
  const ops: string[] = [];
  node.telemetry.attach("zombies", "otp.zombie", ({ fields }) => ops.push(fields.op));
  return ops;
};

/** Runs `body` as code of a process that has ended meanwhile. */
async function afterDeath(node: VirtualNode, body: (ctx: Ctx) => unknown): Promise<unknown> {
  const gate = Promise.withResolvers<void>();
  const outcome = Promise.withResolvers<unknown>();
  probeRef(node, "dead").cast.act((ctx) => {
    void gate.promise.then(() => {
      try {
        outcome.resolve(body(ctx));
      } catch (error) {
        outcome.resolve(error);
      }
    });
  });
  await node.settle();
  node.inspector.exit(probeRef(node, "dead"), "kill");
  await node.settle();
  gate.resolve();
  const result = await outcome.promise;
  await node.settle();
  return result;
}

const open = (ctx: Ctx): Table<number> => Table.open<number>(ctx, "late");

describe("code of a dead process", () => {
  it.each<[string, (ctx: Ctx) => unknown, unknown]>([
    ["timer", (ctx) => ctx.after(1, "late"), undefined],
    ["timer", (ctx) => ctx.every(1, "late"), undefined],
    ["timer", (ctx) => ctx.cancel("late"), false],
    ["link", (ctx) => ctx.link(probeKey("live")), undefined],
    ["unlink", (ctx) => ctx.unlink(probeKey("live")), undefined],
    ["exit", (ctx) => ctx.exit(probeKey("live"), "kill"), undefined],
    ["register", (ctx) => ctx.register(probeKey("late")), { ok: false, reason: "noproc" }],
    ["unregister", (ctx) => ctx.unregister(probeKey("dead")), false],
    ["subscribe", (ctx) => ctx.subscribe("topic"), undefined],
    ["unsubscribe", (ctx) => ctx.unsubscribe("topic"), undefined],
    ["broadcast", (ctx) => ctx.broadcast("topic", 1), 0],
    ["broadcast", (ctx) => ctx.broadcastFrom("topic", 1), 0],
    ["emit", (ctx) => ctx.emit("late.event"), undefined],
    ["trapExit", (ctx) => ctx.trapExit(true), false],
    ["cast", (ctx) => ctx.via(probeKey("live")).cast.set(7), undefined],
    ["cast", (ctx) => ctx.whereis(probeKey("live"))?.cast.set(7), undefined],
    ["send", (ctx) => ctx.via(probeKey("live")).send("late"), undefined],
    ["send", (ctx) => ctx.self.send("late"), undefined],
  ])("is counted and dropped: %s (case %#)", async (op, late, answer) => {
    const node = await start();
    const ops = watch(node);
    const told: string[] = [];
    node.telemetry.attach("late", ["late.event"], () => told.push("emitted"));
    await probeRef(node, "live").call.run((ctx) => ctx.subscribe("topic"));
    expect(await afterDeath(node, late)).toEqual(answer);
    await node.advance(1_000);
    expect(ops).toEqual([op]);
    expect(node.inspector.counters()).toMatchObject({ zombieOps: 1, deadLetters: 0 });
    const live = probeRef(node, "live");
    expect([told, live.isAlive, await node.drive(live.call.infos())]).toEqual([[], true, []]);
    expect(await node.drive(live.call.get())).toBe(0);
    expect(node.whereis(probeKey("late"))).toBeUndefined();
    expect(node.inspector.info(live)?.links).not.toContain(undefined);
  });

  it.each<[string, (ctx: Ctx) => unknown]>([
    ["monitor", (ctx) => ctx.monitor(probeKey("live"))],
    ["task", (ctx) => ctx.task("late", () => 1)],
    ["sleep", (ctx) => ctx.sleep(1)],
    ["guard", (ctx) => ctx.guard(Promise.resolve())],
    ["table", open],
  ])("is refused where a value is expected: %s", async (op, late) => {
    const node = await start();
    const ops = watch(node);
    const refusal = await afterDeath(node, late);
    expect(refusal).toBeInstanceOf(OtpError);
    expect((refusal as OtpError).code).toBe("OTP_DEAD_PROCESS");
    expect(ops).toEqual([op]);
  });

  it("may not write a table, not even a public one", async () => {
    const node = await start();
    const ops = watch(node);
    await probeRef(node, "live").call.run((ctx) => Table.open(ctx, "shared", { access: "public" }));
    const table = must(node.table<number>("shared"));
    table.put("mine", 1);
    const refusal = await afterDeath(node, () => table.put("late", 7));
    expect((refusal as OtpError).code).toBe("OTP_DEAD_PROCESS");
    expect([ops, table.get("mine"), table.has("late")]).toEqual([["table"], 1, false]);
  });

  it("never hears the answer of a call, which is not placed", async () => {
    const node = await start();
    const ops = watch(node);
    let settled = 0;
    await afterDeath(node, (ctx) => {
      const { call, try: attempt } = ctx.via(probeKey("live"));
      void call.get().finally(() => (settled += 1));
      void attempt.get().finally(() => (settled += 1));
    });
    await node.advance(60_000);
    expect([ops, settled]).toEqual([["call", "call"], 0]);
  });

  it("sends nothing through the node itself either", async () => {
    const node = await start();
    const ops = watch(node);
    await probeRef(node, "live").call.run((ctx) => ctx.subscribe("topic"));
    const live = node.via(probeKey("live"));
    await afterDeath(node, () => {
      live.cast.set(7);
      node.broadcast("topic", 7);
    });
    expect(ops).toEqual(["cast", "broadcast"]);
    expect(await node.drive(live.call.infos())).toEqual([]);
  });
});

describe("an observer of a death", () => {
  it("may send: it is not the code of the dead", async () => {
    const node = await start();
    const ops = watch(node);
    const live = probeRef(node, "live");
    node.telemetry.attach("observer", "otp.exit", () => live.cast.set(7));
    node.registry.listen(() => live.send("a name went"));
    probeRef(node, "dead").cast.crash("boom");
    await node.settle();
    expect(await node.drive(live.call.get())).toBe(7);
    expect(await node.drive(live.call.infos())).toEqual([{ type: "info", payload: "a name went" }]);
    expect(ops).toEqual([]);
  });
});
