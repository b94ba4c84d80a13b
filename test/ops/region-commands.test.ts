/** Commands between regions at both ends: what the socket sends away, and what is carried out here. */
import { describe, expect, it } from "vitest";
import type { Grant } from "../../config/schema.ts";
import type { Stream } from "../../src/ops/admin/command.ts";
import { ADMIN_LIMITS, ROLES } from "../../src/ops/admin/protocol.ts";
import { AdminSession } from "../../src/ops/admin/session.ts";
import { carryOut } from "../../src/ops/regions/carry-out.ts";
import type { RegionAnswer, RegionOrder } from "../../src/ops/regions/port.ts";
import { cardboard } from "./admin-support.ts";

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
};

/** A connection whose cluster keeps the orders, and answers when told to. */
const connect = () => {
  const program = cardboard();
  const orders: RegionOrder[] = [];
  const answers: ((answer: RegionAnswer) => void)[] = [];
  const sent: any[] = [];
  const audited: any[] = [];
  const session = new AdminSession(
    { send: (line) => sent.push(JSON.parse(line)), unsentBytes: 0, close: () => undefined },
    {
      deps: {
        ...program.deps,
        cluster: {
          ...program.deps.cluster,
          command: (order, answered) => {
            orders.push(order);
            answers.push(answered);
          },
        },
      },
      roleOf: (token) =>
        ROLES.map((role) => ({ role, id: "t1" })).find(({ role }) => role === token),
      audit: (entry) => void audited.push(entry),
      after: () => () => undefined,
    },
  );
  let serial = 0;
  const ask = async (cmd: string, args: object = {}, region?: unknown): Promise<any> => {
    const id = ++serial;
    session.data(Buffer.from(`${JSON.stringify({ id, cmd, args, region })}\n`));
    await settle();
    return sent.find((line) => line.id === id);
  };
  return { program, session, orders, answers, sent, audited, ask };
};

const ok = (reply: unknown): RegionAnswer => ({ ok: true, reply, feed: undefined });

describe("the admin socket, asked for another region", () => {
  it("sends the checked command with the role of the connection, and returns its answer", async () => {
    const { ask, orders, answers, sent } = connect();
    expect(await ask("tree", { depth: 1 }, "us")).toBeUndefined();
    expect(orders).toEqual([
      { region: "us", cmd: "tree", args: { depth: 1 }, role: "viewer", limitMs: 5_000 },
    ]);
    answers[0]?.(ok({ name: "application" }));
    await settle();
    expect(sent.at(-1)).toEqual({ id: 1, ok: { name: "application" } });
  });

  it("carries out what is for its own region itself", async () => {
    const { ask, orders } = connect();
    expect((await ask("version", {}, "test")).ok.region).toBe("test");
    expect(orders).toEqual([]);
  });

  it("sends nothing that is wrong, not allowed here, or about the connection itself", async () => {
    const { ask, orders, audited } = connect();
    const codeOf = async (...given: Parameters<typeof ask>) => (await ask(...given)).error.code;
    expect(await codeOf("tre", {}, "us")).toBe("OPS_UNKNOWN_COMMAND");
    expect(await codeOf("tree", { dept: 1 }, "us")).toBe("OPS_BAD_ARGS");
    expect(await codeOf("exit", { target: "#3" }, "us")).toBe("OPS_FORBIDDEN");
    expect(await codeOf("auth", { token: "admin" }, "us")).toBe("OPS_BAD_ARGS");
    for (const region of ["", 1, null, "x".repeat(129)]) {
      expect(await codeOf("tree", {}, region)).toBe("OPS_BAD_ARGS");
    }
    expect(orders).toEqual([]);
    expect(audited).toMatchObject([
      { cmd: "exit", result: "OPS_FORBIDDEN", args: { region: "us" } },
    ]);
  });

  it("audits what changes another region here too, with how it ended", async () => {
    const { ask, answers, audited, sent } = connect();
    await ask("auth", { token: "admin" });
    await ask("replace-state", { target: "#3", value: { key: "CANARY" } }, "us");
    const error = { code: "OPS_FORBIDDEN", message: "us grants viewer", hint: "ask us" };
    answers[0]?.({ ok: false, error });
    await settle();
    expect(sent.at(-1)).toEqual({ id: 2, error });
    expect(audited).toMatchObject([
      { role: "admin", cmd: "replace-state", args: { region: "us" }, result: "OPS_FORBIDDEN" },
    ]);
    expect(JSON.stringify(audited)).not.toContain("CANARY");
  });

  it("passes on codes that it knows, and calls others a failure", async () => {
    const { ask, answers, sent } = connect();
    for (const code of ["OPS_REGION_LOST", "SOMETHING_NEW"]) {
      await ask("tree", {}, "us");
      answers.pop()?.({ ok: false, error: { code, message: "m" } });
      await settle();
    }
    expect(sent.slice(1).map(({ error }) => error.code)).toEqual(["OPS_REGION_LOST", "OPS_FAILED"]);
  });

  it("makes a stream of another region one of its own, until either side ends it", async () => {
    const { ask, answers, sent, session } = connect();
    const streams: Stream[] = [];
    const stops: string[] = [];
    for (const name of ["a", "b", "c"]) {
      await ask("subscribe", { topic: "events" }, "us");
      const feed = {
        watch: (stream: Stream) => void streams.push(stream),
        stop: () => void stops.push(name),
      };
      answers.pop()?.({ ok: true, reply: { sub: "theirs" }, feed });
      await settle();
    }
    expect(sent.slice(1).map((line) => line.ok)).toEqual([
      { sub: "s1" },
      { sub: "s2" },
      { sub: "s3" },
    ]);
    streams[0]?.push({ name: "x" });
    streams[0]?.drop(3);
    streams[0]?.end("region lost");
    expect(sent.slice(4)).toEqual([
      { sub: "s1", seq: 1, event: { name: "x" } },
      { sub: "s1", dropped: 3 },
      { sub: "s1", end: "region lost" },
    ]);
    expect((await ask("unsubscribe", { sub: "s2" })).ok).toEqual({ unsubscribed: "s2" });
    session.end();
    expect(stops).toEqual(["a", "b", "c"]);
  });

  it("stops a stream whose client left before it was open, or has as many as it may", async () => {
    const gone = connect();
    const full = connect();
    const stops: string[] = [];
    const open = {
      ok: true,
      reply: {},
      feed: { watch: () => undefined, stop: () => void stops.push("x") },
    } as const;
    await gone.ask("subscribe", { topic: "events" }, "us");
    gone.session.end();
    gone.answers[0]?.(open);
    for (let at = 0; at < ADMIN_LIMITS.subscriptionsPerConnection; at++) {
      await full.ask("subscribe", { topic: "events" });
    }
    await full.ask("subscribe", { topic: "events" }, "us");
    full.answers[0]?.(open);
    await settle();
    expect(stops).toEqual(["x", "x"]);
    expect(full.sent.at(-1).error.code).toBe("OPS_LIMIT");
  });
});

describe("a command of another region", () => {
  const carried = async (
    order: { readonly cmd: string; readonly args?: object; readonly role?: string },
    grants: Grant = "viewer",
    program = cardboard(),
  ) => {
    const told: any[] = [];
    const audited: any[] = [];
    const outcomes: any[] = [];
    carryOut(
      { role: "viewer", from: "us", ...order, args: { ...order.args } },
      { open: (begin) => (begin({ push: () => undefined, end: () => undefined }), "s1") },
      (outcome) => outcomes.push(outcome),
      {
        deps: program.deps,
        audit: (entry) => void audited.push(entry),
        after: () => () => undefined,
        grants: () => grants,
        tell: (fields) => void told.push(fields),
      },
    );
    await settle();
    expect(outcomes).toHaveLength(1);
    return { outcome: outcomes[0], told, audited, program };
  };

  it.each(
    (["none", ...ROLES] as const).flatMap((grants) => ROLES.map((role) => [grants, role] as const)),
  )("may no more than %s grants to a %s", async (grants, role) => {
    const rank = (one: Grant): number => (["none", ...ROLES] as Grant[]).indexOf(one);
    for (const [cmd, needed] of [
      ["tree", "viewer"],
      ["suspend", "operator"],
      ["exit", "admin"],
    ] as const) {
      const args = cmd === "tree" ? {} : { target: "#3" };
      const { outcome, told, audited, program } = await carried({ cmd, args, role }, grants);
      const isAllowed = Math.min(rank(grants), rank(role)) >= rank(needed);
      expect(outcome.error?.code).toBe(isAllowed ? undefined : "OPS_FORBIDDEN");
      if (!isAllowed) expect([program.exits, program.touched]).toEqual([[], []]);
      expect(told).toEqual([
        {
          remote: "us",
          command: cmd,
          role,
          access: needed === "viewer" ? "read" : "write",
          result: isAllowed ? "ok" : "OPS_FORBIDDEN",
        },
      ]);
      if (needed !== "viewer") {
        expect(audited).toMatchObject([{ token: "region:us", cmd, args }]);
      }
    }
  });

  it("says which role it needs, and how the region would grant it", async () => {
    const { outcome } = await carried({ cmd: "exit", args: { target: "#3" }, role: "admin" });
    expect(outcome.error).toEqual({
      code: "OPS_FORBIDDEN",
      message:
        "exit needs the role admin; test grants viewer to other regions, and it came as admin",
      hint: "cluster.grants: admin at test allows it",
    });
    const few = await carried({ cmd: "exit", args: { target: "#3" }, role: "viewer" }, "admin");
    expect(few.outcome.error.hint).toBeUndefined();
  });

  it("is checked as one of this region's own, and tells nothing of what was in it", async () => {
    for (const [order, code] of [
      [{ cmd: "CANARY" }, "OPS_UNKNOWN_COMMAND"],
      [{ cmd: "constructor" }, "OPS_UNKNOWN_COMMAND"],
      [{ cmd: "auth", args: { token: "CANARY" } }, "OPS_UNKNOWN_COMMAND"],
      [{ cmd: "tree", args: { dept: "CANARY" } }, "OPS_BAD_ARGS"],
      [{ cmd: "tree", role: "root" }, "OPS_BAD_ARGS"],
      [{ cmd: "inspect", args: { target: "CANARY" } }, "OTP_NO_PROCESS"],
    ] as const) {
      const { outcome, told } = await carried(order, "admin");
      expect(outcome.error.code).toBe(code);
      expect(told).toMatchObject([{ result: code }]);
      expect(JSON.stringify(told)).not.toContain("CANARY");
    }
  });
});
