import { describe, expect, it } from "vitest";
import { redisLink, redisLinkKey, type RedisPort } from "../../../actors/ops/redis-link.ts";
import type { RedisListener } from "../../../src/io/redis/link.ts";
import type { RedisState } from "../../../src/io/redis/link.machine.ts";
import { child, createVirtualNode, supervisor } from "../../../src/otp/index.ts";

const start = async () => {
  const node = createVirtualNode({ seed: 1 });
  const heard: { readonly name: string; readonly fields: unknown }[] = [];
  node.telemetry.attach("test", "*", ({ name, fields }) => {
    if (name.startsWith("redis.")) heard.push({ name, fields });
  });
  const calls: string[] = [];
  const owner: { tell: NonNullable<RedisListener["changed"]>; listener: RedisListener } = {
    tell: () => undefined,
    listener: {},
  };
  const link: RedisPort & { state: RedisState } = {
    state: "closed",
    pending: 3,
    counters: { ok: 1, failed: 2, timeout: 0, refused: 0 },
    adopt: (listener) => {
      calls.push("adopt");
      owner.listener = listener;
      owner.tell = (change) => listener.changed?.(change);
    },
    open: () => calls.push("open"),
    close: () => calls.push("close"),
  };
  const redact = (text: string) => text.replaceAll("s3cret", "***");
  await node.start(
    supervisor("root", {
      intensity: 5,
      children: [child(redisLink, { link, redact }, { register: redisLinkKey() })],
    }),
  );
  return { node, heard, calls, owner };
};

describe("the keeper of the link to Redis", () => {
  it("says when the link comes and goes, without its secrets", async () => {
    const { node, heard, owner } = await start();
    const none = { reason: undefined, retryMs: undefined };
    owner.tell({ from: "closed", to: "connecting", ...none });
    owner.tell({ from: "connecting", to: "up", ...none });
    owner.tell({ from: "up", to: "stalled", ...none });
    owner.tell({ from: "stalled", to: "down", reason: "no s3cret", retryMs: 40 });
    await node.advance(1);
    expect(heard).toMatchObject([
      { name: "redis.up", fields: { from: "connecting" } },
      { name: "redis.stalled" },
      { name: "redis.down", fields: { from: "stalled", reason: "no ***", delayMs: 40 } },
    ]);
    await node.stop();
  });

  it("says what Redis answers instead, without secrets", async () => {
    const { node, heard, owner } = await start();
    owner.listener.troubled?.({ kind: "OOM", reason: "OOM s3cret is too much" });
    await node.advance(1);
    expect(heard).toEqual([
      { name: "redis.trouble", fields: { kind: "OOM", reason: "OOM *** is too much" } },
    ]);
    await node.stop();
  });

  it("leaves the link open when it is killed, and hears of it again when restarted", async () => {
    const { node, heard, calls, owner } = await start();
    const first = owner.tell;
    node.inspector.exit(redisLinkKey().name, "kill");
    await node.advance(1);
    expect(calls).toEqual(["adopt", "open", "adopt", "open"]);
    expect(owner.tell).not.toBe(first);
    owner.tell({ from: "connecting", to: "up", reason: undefined, retryMs: undefined });
    await node.advance(1);
    expect(heard.map(({ name }) => name)).toEqual(["redis.up"]);
    await node.stop();
  });

  it("closes the link with the tree", async () => {
    const { node, calls } = await start();
    await node.stop();
    expect(calls).toEqual(["adopt", "open", "close"]);
  });
});
