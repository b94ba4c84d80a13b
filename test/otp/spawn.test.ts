/** Bare processes: spawn, links and monitors to them, their ends. */
import { describe, expect, it } from "vitest";
import { type Ctx, type VirtualNode } from "../../src/otp/index.ts";
import { as, probeRef, recordEvents, startProbes } from "./support.ts";

const one = (): Promise<VirtualNode> => startProbes("a");
const infos = (node: VirtualNode) => node.drive(probeRef(node, "a").call.infos());

describe("a spawned process", () => {
  it("runs in a later turn, with a pid and a scope of its own", async () => {
    const node = await one();
    const seen: string[] = [];
    const pid = await as(node, "a", (ctx) => {
      const ref = ctx.spawn((own) => {
        seen.push(own.self.id);
      });
      seen.push("spawner goes on");
      return ref.id;
    });
    expect(seen).toEqual(["spawner goes on", pid]);
  });

  it("ends normally when its body has returned or settled, and its monitor hears of it once", async () => {
    const node = await one();
    await as(node, "a", (ctx) => {
      ctx.spawnMonitor(() => 1);
      ctx.spawnMonitor(async (own) => own.sleep(10));
    });
    await node.advance(20);
    expect(await infos(node)).toMatchObject([
      { type: "down", reason: "normal" },
      { type: "down", reason: "normal" },
    ]);
    expect(node.inspector.counters()["processes"]).toBe(2);
  });

  it("ends with the error of its body, sync or async, which a link carries on", async () => {
    const node = await one();
    const events = recordEvents(node, ["otp.exit"]);
    await as(node, "a", (ctx) => {
      ctx.spawnMonitor(() => {
        throw new Error("at once");
      });
      ctx.spawnMonitor(async (own) => {
        await own.sleep(1);
        throw new Error("later");
      });
    });
    await node.advance(5);
    const reasons = (await infos(node)).map((info) =>
      info.type === "down" ? (info.reason as { error: Error }).error.message : "",
    );
    expect(reasons).toEqual(["at once", "later"]);
    probeRef(node, "a").cast.act((ctx) => {
      const body = (): never => {
        throw new Error("linked");
      };
      ctx.spawn(body, { link: true });
    });
    await node.settle();
    expect(events.filter((line) => line.startsWith("exit test/n/a/probe"))).toHaveLength(1);
  });

  it("can be killed while it waits, and never goes on", async () => {
    const node = await one();
    const log: string[] = [];
    const pid = await as(
      node,
      "a",
      (ctx) =>
        ctx.spawn(async (own) => {
          await own.sleep(10);
          log.push("went on");
        }).id,
    );
    node.inspector.exit(pid, "kill");
    await node.advance(50);
    expect(log).toEqual([]);
    expect(node.inspector.info(pid)).toBeUndefined();
  });

  it("outlives its spawner, unless they are linked", async () => {
    const node = await one();
    const { alone, linked } = await as(node, "a", (ctx) => ({
      alone: ctx.spawn((own) => own.sleep(1_000)).id,
      linked: ctx.spawn((own) => own.sleep(1_000), { link: true }).id,
    }));
    probeRef(node, "a").cast.crash("boom");
    await node.settle();
    expect(node.inspector.resolve(alone)).toBe(alone);
    expect(node.inspector.resolve(linked)).toBeUndefined();
  });

  it("cannot be started by the dead", async () => {
    const node = await one();
    const held: Ctx[] = [];
    await as(node, "a", (ctx) => void held.push(ctx));
    probeRef(node, "a").cast.crash("boom");
    await node.settle();
    expect(() => held[0]?.spawn(() => {})).toThrow("after its death");
  });
});
