/** What is given up while memory is scarce, and in which order. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MemoryGuard, RELIEFS } from "../../../src/rpc/proxy/memory-guard.ts";
import { cachingWorld, servedAs } from "./sharing/world.ts";

const share = fc.double({ min: 0, max: 1.2, noNaN: true });

describe("the guard of memory", () => {
  it("gives up more the scarcer memory is, and each with all before it", () => {
    const guard = new MemoryGuard(0.8);
    const reliefs = [0.5, 0.79, 0.81, 0.86, 0.91, 0.96, 1.1].map((used) => {
      guard.look(used);
      return guard.relief;
    });
    expect(reliefs).toEqual(["none", "none", ...RELIEFS.slice(1), "requests"]);
    for (const relief of RELIEFS) expect(guard.gaveUp(relief)).toBe(true);
  });

  it("takes nothing back for a share that wavers", () => {
    const guard = new MemoryGuard(0.8);
    const changes = [0.851, 0.849, 0.852, 0.83, 0.82].map((used) => guard.look(used));
    expect(changes).toEqual([true, false, false, false, true]);
    expect(guard.relief).toBe("cache");
  });

  it("is where the share says, or at most a step above while it falls", () => {
    fc.assert(
      fc.property(fc.array(share, { minLength: 1 }), (shares) => {
        const guard = new MemoryGuard(0.8);
        for (const used of shares) guard.look(used);
        const fresh = new MemoryGuard(0.8);
        fresh.look(shares.at(-1) as number);
        const above = RELIEFS.indexOf(guard.relief) - RELIEFS.indexOf(fresh.relief);
        expect(above === 0 || above === 1).toBe(true);
      }),
    );
  });

  it("gives nothing up where it is off", () => {
    const guard = new MemoryGuard(1);
    expect(guard.look(5)).toBe(false);
    expect(guard.relief).toBe("none");
  });
});

describe("a gateway whose memory becomes scarce", () => {
  const body = (id: number, method = "eth_call"): object => ({
    jsonrpc: "2.0",
    id,
    method,
    params: [{ to: `0x${id}` }, "0x384"],
  });
  const outcome = (w: ReturnType<typeof cachingWorld>) => {
    const sent: any[] = [];
    const sink = {
      id: 1,
      bufferedBytes: 0,
      sentBytes: 0,
      isOpen: true,
      send: (text: string | Buffer) => void sent.push(JSON.parse(text.toString())),
      sendFrame: () => {},
      close: () => {},
      pause: () => {},
      resume: () => {},
    };
    const admission = w.gateway.ws.admit("/rpc/ethereum", []);
    if (!admission.ok) throw new Error(admission.body);
    const session = w.gateway.ws.open(admission.route, sink, "ws://h/rpc/ethereum");
    return async () => {
      const single = w.post(JSON.stringify(body(1)));
      const batch = w.post(JSON.stringify([body(2), body(3)])).json;
      sent.length = 0;
      session.onMessage(Buffer.from(JSON.stringify([body(4)])));
      session.onMessage(
        Buffer.from('{"jsonrpc":"2.0","id":5,"method":"eth_subscribe","params":["newHeads"]}'),
      );
      for (let turn = 0; turn < 10; turn++) await Promise.resolve();
      const reasonOf = (answer: any): string => answer.error?.data.reason ?? "ok";
      return {
        cached: servedAs(single) === "HIT",
        request: reasonOf(single.json),
        status: single.status,
        batch: batch.map(reasonOf),
        wsBatch: reasonOf(sent[0][0]),
        subscribe: reasonOf(sent[1]),
      };
    };
  };

  it("drops the cache, then refuses subscriptions, batches, requests, and serves again after it", async () => {
    const w = cachingWorld();
    const look = outcome(w);
    await look();
    const well = {
      cached: true,
      request: "ok",
      status: 200,
      batch: ["ok", "ok"],
      wsBatch: "ok",
      subscribe: "ok",
    };
    expect(await look()).toEqual(well);
    expect(w.cache.size).toBeGreaterThan(0);
    w.gateway.useMemory(0.81);
    expect(w.cache.size).toBe(0);
    expect(await look()).toEqual({ ...well, cached: false });
    expect(w.cache.size).toBe(0);
    w.gateway.useMemory(0.86);
    const subscriptions = { ...well, cached: false, subscribe: "overloaded" };
    expect(await look()).toEqual(subscriptions);
    w.gateway.useMemory(0.91);
    const batches = { ...subscriptions, batch: ["overloaded"], wsBatch: "overloaded" };
    expect(await look()).toEqual(batches);
    w.gateway.useMemory(0.96);
    expect(await look()).toEqual({ ...batches, request: "overloaded", status: 503 });
    w.gateway.useMemory(0.3);
    await look();
    expect(await look()).toEqual(well);
    const told = w.events.filter(({ name }) => name === "rpc.memory.relief");
    expect(told.map(({ fields }) => fields["to"])).toEqual([...RELIEFS.slice(1), "none"]);
  });
});
