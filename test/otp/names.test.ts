/** Registry, pub/sub, tables and telemetry (otp.md 2.4-2.7). */
import { describe, expect, it } from "vitest";
import { Table, type TelemetryEvent, type VirtualNode } from "../../src/otp/index.ts";
import { as, must, probeKey, probeRef, startProbes } from "./support.ts";

const three = (): Promise<VirtualNode> => startProbes("a", "b", "c");

describe("the registry", () => {
  it("gives a name to one holder, and tells listeners of every change", async () => {
    const node = await three();
    const changes: string[] = [];
    const release = node.registry.listen((change, name, pid) =>
      changes.push(`${change} ${name} ${pid}`),
    );
    const taken = await as(node, "a", (ctx) => ctx.register(probeKey("b")));
    expect(taken).toEqual({ ok: false, reason: ["already_started", probeRef(node, "b").id] });
    const pid = probeRef(node, "a").id;
    await as(node, "a", (ctx) => ctx.register(probeKey("free")));
    probeRef(node, "a").cast.stop("boom");
    await node.settle();
    expect(changes.slice(0, 3)).toEqual([
      `register test/n/free/probe ${pid}`,
      `unregister test/n/a/probe ${pid}`,
      `unregister test/n/free/probe ${pid}`,
    ]);
    release();
    expect(node.registry.select("test/n/").map(({ name }) => name)).toHaveLength(3);
  });
});

describe("a registry under churn", () => {
  it("counts and lists exactly the held names, however often they change hands", async () => {
    const node = await three();
    const rounds = 300;
    for (let round = 0; round < rounds; round += 1) {
      await as(node, "a", (ctx) => {
        ctx.register(probeKey(`x${round}`));
        if (round % 3 !== 0) ctx.unregister(probeKey(`x${round}`));
        ctx.register(probeKey("again"));
        ctx.unregister(probeKey("again"));
      });
    }
    const names = node.registry.select("test/n/x").map(({ name }) => name);
    const expected = Array.from({ length: rounds }, (_, n) => n)
      .filter((n) => n % 3 === 0)
      .map((n) => `test/n/x${n}/probe`);
    expect(names.toSorted()).toEqual(expected.toSorted());
    expect(node.inspector.counters()["names"]).toBe(expected.length + 3);
    probeRef(node, "a").cast.stop("boom");
    await node.settle();
    expect(node.registry.select("test/n/x")).toEqual([]);
    expect(node.inspector.counters()["names"]).toBe(3);
  });
});

describe("pub/sub", () => {
  it("delivers in subscription order, twice for two subscriptions, not to the sender of broadcastFrom", async () => {
    const node = await three();
    await as(node, "b", (ctx) => ctx.subscribe("t"));
    await as(node, "a", (ctx) => {
      ctx.subscribe("t");
      ctx.subscribe("t");
    });
    expect(node.broadcast("t", 1)).toBe(3);
    expect(await as(node, "a", (ctx) => ctx.broadcastFrom("t", 2))).toBe(1);
    expect(await probeRef(node, "a").call.infos()).toHaveLength(2);
    expect(await probeRef(node, "b").call.infos()).toEqual([
      { type: "info", payload: 1 },
      { type: "info", payload: 2 },
    ]);
    await as(node, "a", (ctx) => ctx.unsubscribe("t"));
    expect(node.broadcast("t", 3)).toBe(1);
  });

  it("forgets subscribers at their death", async () => {
    const node = await three();
    await as(node, "a", (ctx) => ctx.subscribe("t"));
    probeRef(node, "a").cast.stop("boom");
    await node.settle();
    expect(node.broadcast("t", 1)).toBe(0);
  });
});

describe("a table", () => {
  it("is read by anyone at once and written by its owner only", async () => {
    const node = await three();
    const table = await as(node, "a", (ctx) => {
      const opened = Table.open<number>(ctx, "t");
      opened.put("x", 1);
      return opened;
    });
    expect(node.table<number>("t")?.get("x")).toBe(1);
    await expect(as(node, "b", () => table.put("x", 2))).rejects.toMatchObject({
      reason: { error: expect.objectContaining({ code: "OTP_TABLE_ACCESS" }) },
    });
    expect(() => table.put("x", 2)).toThrow("only its owner test/n/a/probe may write");
  });

  it("counts, inserts once, swaps and tells followers each change with its version", async () => {
    const node = await three();
    const changes: unknown[] = [];
    await as(node, "a", (ctx) => {
      const table = Table.open<number>(ctx, "t", { access: "public" });
      table.follow((change) => changes.push([change.version, change.op, change.key, change.value]));
      expect(table.updateCounter("n", 2)).toBe(2);
      expect(table.insertNew("n", 9)).toBe(false);
      expect(table.swap("n", 1, 5)).toBe(false);
      expect(table.swap("n", 2, 5)).toBe(true);
      expect(table.delete("n")).toBe(true);
    });
    expect(changes).toEqual([
      [1, "put", "n", 2],
      [2, "swap", "n", 5],
      [3, "delete", "n", undefined],
    ]);
  });

  it("keeps order, ranges, prefixes and bags", async () => {
    const node = await three();
    await as(node, "a", (ctx) => {
      const ordered = Table.open<string>(ctx, "o", { kind: "ordered_set" });
      for (const key of [30, 4, 200, "b", "ab", "aa"]) ordered.put(key, String(key));
      expect([...ordered.entries()].map(([key]) => key)).toEqual([4, 30, 200, "aa", "ab", "b"]);
      expect([...ordered.range(5, 300)].map(([key]) => key)).toEqual([30, 200]);
      expect([...ordered.prefix("a")].map(([key]) => key)).toEqual(["aa", "ab"]);
      const bag = Table.open<number>(ctx, "bag", { kind: "bag" });
      bag.put("k", 1);
      bag.put("k", 2);
      expect(bag.getAll("k")).toEqual([1, 2]);
    });
  });

  it("is bounded by rows, with an event, and by age", async () => {
    const node = await three();
    const evictions: unknown[] = [];
    node.telemetry.attach("evict", "otp.table.evicted", (event) =>
      evictions.push(event.fields["table"]),
    );
    const table = await as(node, "a", (ctx) => {
      const opened = Table.open<number>(ctx, "t", { maxRows: 2, ttlMs: 100 });
      for (const n of [1, 2, 3]) opened.put(n, n);
      return opened;
    });
    expect([table.get(1), table.get(2), table.get(3)]).toEqual([undefined, 2, 3]);
    expect(evictions).toEqual(["t"]);
    await node.advance(100);
    expect(table.get(3)).toBeUndefined();
  });

  it("tells of rows that age and of rows that give way, and logs both as deletions", async () => {
    const node = await three();
    const evictions: unknown[] = [];
    node.telemetry.attach("evict", "otp.table.evicted", ({ fields }) => evictions.push(fields));
    const changes: unknown[] = [];
    const table = await as(node, "a", (ctx) => {
      const opened = Table.open<number>(ctx, "t", { maxRows: 2, ttlMs: 100 });
      opened.follow(({ version, op, key }) => changes.push([version, op, key]));
      for (const n of [1, 2, 3]) opened.put(n, n);
      return opened;
    });
    await node.advance(100);
    expect([table.has(3), table.has(3), table.version]).toEqual([false, false, 5]);
    expect(changes).toEqual([
      [1, "put", 1],
      [2, "put", 2],
      [3, "delete", 1],
      [4, "put", 3],
      [5, "delete", 3],
    ]);
    expect(evictions).toEqual([
      { table: "t", maxRows: 2 },
      { table: "t", ttlMs: 100 },
    ]);
  });

  it("is given away with one message; who gave it may write no more", async () => {
    const node = await three();
    const from = probeRef(node, "a").id;
    const outcome = await as(node, "a", (ctx) => {
      const table = Table.open<number>(ctx, "t");
      table.put("x", 1);
      const isGiven = table.giveAway(must(ctx.whereis(probeKey("b"))), "take care");
      try {
        table.put("x", 2);
      } catch (error) {
        return [isGiven, (error as { code?: string }).code];
      }
      return "no error";
    });
    expect(outcome).toEqual([true, "OTP_TABLE_ACCESS"]);
    const payload = { type: "table_transfer", table: "t", from, data: "take care" };
    expect(await probeRef(node, "b").call.infos()).toEqual([{ type: "info", payload }]);
    // It is the new owner's now: it outlives the old one and dies with the new one.
    probeRef(node, "a").cast.stop("boom");
    await node.settle();
    expect(node.table<number>("t")?.get("x")).toBe(1);
    const isGiven = await as(node, "b", (ctx) =>
      must(ctx.table("t")).giveAway(node.via(probeKey("nobody"))),
    );
    expect(isGiven).toBe(false);
    probeRef(node, "b").cast.stop("boom");
    await node.settle();
    expect(node.table("t")).toBeUndefined();
  });

  it("that is private is read by its owner only", async () => {
    const node = await three();
    const table = await as(node, "a", (ctx) => {
      const opened = Table.open<number>(ctx, "t", { access: "private" });
      opened.put("x", 1);
      expect(opened.get("x")).toBe(1);
      return opened;
    });
    expect(() => table.get("x")).toThrow("private to its owner");
    expect(() => [...table.entries()]).toThrow("private to its owner");
  });

  it("keeps its writer from harm when a follower throws, and follows with it no more", async () => {
    const node = await three();
    const failures: unknown[] = [];
    node.telemetry.attach("bad", "otp.table.follower_failed", ({ fields }) =>
      failures.push(fields["table"]),
    );
    const size = await as(node, "a", (ctx) => {
      const table = Table.open<number>(ctx, "t");
      table.follow(() => {
        throw new Error("follower");
      });
      table.put("x", 1);
      table.put("y", 1);
      return table.size;
    });
    expect([size, failures]).toEqual([2, ["t"]]);
  });

  it("is dropped with its owner: readers get undefined and no throw", async () => {
    const node = await three();
    const table = await as(node, "a", (ctx) => {
      const opened = Table.open<number>(ctx, "t");
      opened.put("x", 1);
      return opened;
    });
    probeRef(node, "a").cast.stop("boom");
    await node.settle();
    expect([table.get("x"), table.isAlive, node.table("t")]).toEqual([undefined, false, undefined]);
  });

  it("goes to its heir with one message, which arrives after the name is free", async () => {
    const node = await three();
    const from = probeRef(node, "a").id;
    await as(node, "a", (ctx) => {
      Table.open<number>(ctx, "t", { heir: probeKey("b"), heirData: "will" }).put("x", 1);
    });
    probeRef(node, "a").cast.stop("boom");
    await node.settle();
    const payload = { type: "table_transfer", table: "t", from, data: "will" };
    expect(await probeRef(node, "b").call.infos()).toEqual([{ type: "info", payload }]);
    await as(node, "b", (ctx) => must(ctx.table<number>("t")).put("x", 2));
    expect(node.table<number>("t")?.get("x")).toBe(2);
  });
});

describe("telemetry", () => {
  it("detaches a handler that throws, reports it, and spares the emitter", async () => {
    const node = await three();
    const failures: unknown[] = [];
    node.telemetry.attach("bad", "x", () => {
      throw new Error("handler");
    });
    node.telemetry.attach("watch", "telemetry.handler.failure", (event) =>
      failures.push(event.fields["handler"]),
    );
    node.emit("x");
    node.emit("x");
    expect(failures).toEqual(["bad"]);
    expect(node.telemetry.hears("x")).toBe(false);
  });

  it("spans start, stop and exception under one id", async () => {
    const node = await three();
    const seen: string[] = [];
    node.telemetry.attach("all", "*", ({ name, fields }) =>
      seen.push(`${name} ${String(fields["spanId"])}`),
    );
    node.telemetry.span("work", {}, () => 1);
    expect(() =>
      node.telemetry.span("work", {}, () => {
        throw new Error("no");
      }),
    ).toThrow("no");
    expect(seen).toEqual(["work.start 1", "work.stop 1", "work.start 2", "work.exception 2"]);
  });

  it("numbers what was heard, and nothing else", async () => {
    const node = await three();
    const seen: unknown[] = [];
    const note = ({ name, seq }: TelemetryEvent): number => seen.push([name, seq]);
    node.telemetry.attach("one", ["x", "y"], note);
    node.telemetry.attach("two", "x", note);
    for (const name of ["x", "unheard", "y"]) node.emit(name);
    expect(seen).toEqual([
      ["x", 1],
      ["x", 1],
      ["y", 2],
    ]);
  });

  it("marks events of a process with its name", async () => {
    const node = await three();
    const seen: unknown[] = [];
    node.telemetry.attach("x", ["x"], (event) => seen.push([event.process, event.fields]));
    await as(node, "a", (ctx) => ctx.emit("x", { n: 1 }));
    expect(seen).toEqual([["test/n/a/probe", { n: 1 }]]);
  });
});
