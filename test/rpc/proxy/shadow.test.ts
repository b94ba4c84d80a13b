import { describe, expect, it } from "vitest";
import type { RequestObserver } from "../../../src/rpc/proxy/ports.ts";
import { world, type World, type WorldOptions } from "./support.ts";

const READ = '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0xab","0x10"]}';
const LATEST = '{"jsonrpc":"2.0","id":1,"method":"eth_getBalance","params":["0xab","latest"]}';

/** a serves; z is a shadow that answers as told. */
const shadowed = (answer: string, options: WorldOptions = {}): World => {
  const w = world({
    providers: ["a", "z"],
    random: () => 0.5,
    views: { z: { shadow: 1 } },
    ...options,
  });
  const shadow = w.upstreams[1];
  if (shadow !== undefined) shadow.script = (call) => call.result(answer);
  return w;
};

const copies = (w: World): number => w.upstreams[1]?.calls.length ?? 0;

describe("shadow traffic", () => {
  it("goes out after the client was answered, and an equal answer is only evidence", () => {
    const w = shadowed('"0X1"'.replace("X", "x"));
    const seen: boolean[] = [];
    const shadow = w.upstreams[1];
    if (shadow !== undefined) shadow.script = (call) => (seen.push(true), call.result('"0x1"'));
    const reply = w.post(READ);
    expect(reply.headers["x-paceline-attempts"]).toBe("a=primary:ok:0:won");
    expect(copies(w)).toBe(1);
    expect(w.misbehaved).toEqual([]);
    expect(w.recorded.map(({ provider }) => provider)).toEqual(["a", "z"]);
    expect(w.records).toHaveLength(1);
  });

  it("is counted like any attempt when its answer is too large to be read", () => {
    const ended: string[] = [];
    const attempt: RequestObserver["attempt"] = ({ row, errorClass }) => {
      ended.push(`${row.provider} ${errorClass}`);
    };
    const w = shadowed(`"${"x".repeat(2_000)}"`, {
      deps: { observer: { request: () => undefined, attempt } },
      limits: { bufferBytes: 1_000 },
    });
    w.post(READ);
    expect(ended).toEqual(["a ok", "z cancelled"]);
    expect(w.rows.map(({ inFlight }) => inFlight)).toEqual([0, 0]);
  });

  it("books a shadow that answers otherwise", () => {
    const w = shadowed('"0x2"');
    expect(w.post(READ).json.result).toBe("0x1");
    expect(w.misbehaved).toEqual(["z"]);
    expect(w.events.map(({ fields }) => fields["kind"])).toEqual(["shadow"]);
  });

  it("compares nothing that need not be the same, and nothing empty", () => {
    const latest = shadowed('"0x2"');
    latest.post(LATEST);
    expect(copies(latest)).toBe(1);
    expect(latest.misbehaved).toEqual([]);
    const empty = shadowed("null");
    empty.post(READ);
    expect(empty.misbehaved).toEqual([]);
    const early = shadowed('"0x2"', { tip: 5 });
    early.post(READ);
    expect(early.misbehaved).toEqual([]);
  });

  it("leaves out what the chain's rule ignores", () => {
    const rule = {
      methods: ["*"],
      agree: 1,
      of: 1,
      ignoreFields: ["x"],
      prefer: "none" as const,
    };
    const w = shadowed('{"x":1,"y":2}', {
      script: (call) => call.result('{"y":2,"x":3}'),
      chain: { quorum: [] },
    });
    w.post(READ);
    expect(w.misbehaved).toEqual(["z"]);
    const lenient = shadowed('{"x":1,"y":2}', {
      script: (call) => call.result('{"y":2,"x":3}'),
      chain: { quorum: [{ ...rule, methods: ["eth_getBal*"] }] },
    });
    lenient.post(READ);
    expect(copies(lenient)).toBe(1);
    expect(lenient.misbehaved).toEqual([]);
  });

  it("takes its sample only, and never writes", () => {
    const w = shadowed('"0x1"', { views: { z: { shadow: 0.4 } } });
    w.post(READ);
    expect(copies(w)).toBe(0);
    const writes = shadowed('"0x1"');
    writes.post('{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0xab"]}');
    expect(copies(writes)).toBe(0);
  });

  it("has a bounded number of copies under way, each with a deadline", () => {
    const w = shadowed('"0x1"');
    const shadow = w.upstreams[1];
    if (shadow !== undefined) shadow.script = () => undefined;
    for (let n = 0; n < 50; n++) w.post(READ);
    expect(copies(w)).toBe(16);
    w.advance(10_100);
    expect(w.rows[1]?.inFlight).toBe(0);
    w.post(READ);
    expect(copies(w)).toBe(17);
  });

  it("spares a shadow that is broken", () => {
    const w = shadowed('"0x1"');
    const row = w.rows[1];
    if (row !== undefined) row.state = "open";
    for (const ws of w.wsRows) ws.isUsable = false;
    w.post(READ);
    expect(copies(w)).toBe(0);
  });
});
