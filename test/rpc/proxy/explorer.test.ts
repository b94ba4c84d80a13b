import { describe, expect, it } from "vitest";
import { world, type WorldOptions } from "./support.ts";

const call = (method = "eth_call", params: unknown = []): string =>
  JSON.stringify({ jsonrpc: "2.0", id: 7, method, params });

/** A gateway whose every read is one of the share that is copied; a serves, b and c are unknown. */
const exploring = (options: WorldOptions = {}) =>
  world({ random: () => 0, probed: ["b", "c"], ...options });

const callsOf = (w: ReturnType<typeof world>): number[] =>
  w.upstreams.map(({ calls }) => calls.length);

describe("exploration by mirror", () => {
  it("copies a read to an unknown provider after its client has been answered", () => {
    const order: string[] = [];
    const w = exploring({
      script: (sent) => {
        order.push(sent.request.method);
        sent.result('"0x1"');
      },
    });
    const reply = w.post(call());
    expect(reply.json).toEqual({ jsonrpc: "2.0", id: 7, result: "0x1" });
    expect(reply.headers["x-paceline-attempts"]).toBe("a=primary:ok:0:won");
    expect(callsOf(w)).toEqual([1, 1, 0]);
    expect(w.recorded.map(({ provider, errorClass }) => [provider, errorClass])).toEqual([
      ["a", "ok"],
      ["b", "ok"],
    ]);
    const [first, second] = [w.upstreams[0]?.calls[0], w.upstreams[1]?.calls[0]];
    expect(second?.id).not.toBe(first?.id);
    expect(second?.request.method).toBe("eth_call");
  });

  it("spends two reads in a hundred on it, no more", () => {
    let draws = 0;
    const w = exploring({ random: () => (draws++ % 100) / 100 });
    for (let i = 0; i < 500; i++) w.post(call());
    const copies = w.recorded.filter(({ provider }) => provider !== "a").length;
    expect(copies).toBeGreaterThan(0);
    expect(copies).toBeLessThanOrEqual(10);
  });

  it("never copies a write, a heavy call or a failed one, nor asks who opted out", () => {
    const writing = exploring({
      script: (sent) => sent.result(JSON.stringify(`0x${"1".repeat(64)}`)),
    });
    writing.post(call("eth_sendRawTransaction", ["0x00"]));
    expect(callsOf(writing)).toEqual([1, 1, 0]);
    const logs = exploring();
    logs.post(call("eth_getLogs", [{}]));
    expect(callsOf(logs).slice(1)).toEqual([0, 0]);
    const failing = exploring({ script: (sent) => sent.error(3, "execution reverted", "0x") });
    failing.post(call());
    expect(callsOf(failing)).toEqual([1, 0, 0]);
    const optedOut = exploring({ probed: [] });
    optedOut.post(call());
    expect(callsOf(optedOut)).toEqual([1, 0, 0]);
  });

  it("lets the copy's failure count against its provider, not against the client", () => {
    const w = exploring();
    const second = w.upstreams[1];
    if (second !== undefined) second.script = (sent) => sent.fail("refused");
    expect(w.post(call()).status).toBe(200);
    expect(w.reports.map(({ row, errorClass }) => [row.provider, errorClass])).toEqual([
      ["b", "transport"],
    ]);
    expect(w.rows[1]).toMatchObject({ inFlight: 0, dirty: true });
  });

  it("has at most four copies under way and gives up on each after ten seconds", () => {
    const w = exploring();
    const second = w.upstreams[1];
    if (second !== undefined) second.script = () => undefined;
    for (let i = 0; i < 20; i++) w.post(call());
    expect(w.rows[1]?.inFlight).toBe(4);
    w.advance(10_100);
    expect(w.rows[1]?.inFlight).toBe(0);
    expect(w.recorded.filter(({ errorClass }) => errorClass === "timeout")).toHaveLength(4);
    w.post(call());
    expect(w.rows[1]?.inFlight).toBe(1);
  });
});
