import { attemptsText } from "../../../src/rpc/explain/attempts.ts";
import { describe, expect, it } from "vitest";
import { methodInfo } from "../../../src/rpc/json-rpc/methods.ts";
import type { CallFacts, CallSink } from "../../../src/rpc/proxy/call.ts";
import { Composite } from "../../../src/rpc/proxy/composite.ts";
import { makeCall } from "../../../src/rpc/proxy/make-call.ts";
import type { World } from "./support.ts";
import { world } from "./support.ts";

class Taken implements CallSink {
  readonly canStream = false;
  readonly maxBytes = Infinity;
  readonly texts: string[] = [];
  result(facts: CallFacts, body: Buffer, idStart: number, idEnd: number): void {
    this.texts.push(body.toString("latin1", 0, idStart) + facts.idToken + body.subarray(idEnd));
  }
  text(_facts: CallFacts, _status: number, latin1: string): void {
    this.texts.push(latin1);
  }
  begin(): void {}
  write(): boolean {
    return true;
  }
  end(): void {}
  abort(): void {}
}

const compose = (w: World, sink: CallSink): Composite => {
  const chain = w.gateway.engine.deps.chains.find("ethereum");
  if (chain === undefined) throw new Error("no chain");
  const info = methodInfo("eth_getBalance");
  const call = makeCall(chain, info.name, '["0xab","latest"]');
  return new Composite(w.gateway.engine, call, info, sink);
};

const partOf = (whole: Composite, provider: string, sink: CallSink) =>
  whole.part(whole.call, { provider, failover: false }, whole.info, sink);

describe("a call in parts", () => {
  it("is one request with all attempts of its parts, answered once", () => {
    const w = world();
    const client = new Taken();
    const whole = compose(w, client);
    const first = new Taken();
    partOf(whole, "a", first);
    partOf(whole, "b", new Taken());
    expect(first.texts).toEqual(['{"jsonrpc":"2.0","id":1,"result":"0x1"}']);
    expect(w.records).toEqual([]);
    const body = Buffer.from('{"id":0,"result":"0x1"}');
    whole.answerResult("a", body, 6, 7);
    whole.answerResult("b", body, 6, 7);
    expect(client.texts).toEqual(['{"id":1,"result":"0x1"}']);
    expect(w.records).toHaveLength(1);
    expect(w.records[0]).toMatchObject({ outcome: "ok", attemptCount: 2, provider: "a" });
    expect(attemptsText(whole)).toBe("a=part:ok:0:won;b=part:ok:0");
    expect(w.gateway.inFlight).toBe(0);
  });

  it("takes its parts with it when the client leaves", () => {
    const w = world({ script: () => undefined });
    const whole = compose(w, new Taken());
    partOf(whole, "a", new Taken());
    partOf(whole, "b", new Taken());
    expect(w.gateway.inFlight).toBe(2);
    whole.cancel();
    expect(w.upstreams.slice(0, 2).map(({ calls }) => calls[0]?.isAborted)).toEqual([true, true]);
    expect(w.gateway.inFlight).toBe(0);
    expect(w.records).toMatchObject([{ outcome: "gone" }]);
  });

  it("names all attempts when it fails", () => {
    const w = world({ script: (c) => c.fail("refused") });
    const client = new Taken();
    const whole = compose(w, client);
    partOf(whole, "a", new Taken());
    partOf(whole, "c", new Taken());
    whole.fail("exhausted");
    const { error } = JSON.parse(client.texts[0] ?? "");
    expect(error.code).toBe(-32002);
    expect(error.data.attempts.map(({ provider }: { provider: string }) => provider)).toEqual([
      "a",
      "c",
    ]);
  });
});
