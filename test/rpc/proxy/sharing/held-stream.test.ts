/** A service may decide to stream before others have joined: they get the answer all the same. */
import { describe, expect, it } from "vitest";
import type { CallFacts, CallSink } from "../../../../src/rpc/proxy/call.ts";
import { LocalFacts } from "../../../../src/rpc/proxy/facts.ts";
import { makeCall } from "../../../../src/rpc/proxy/make-call.ts";
import { Flight } from "../../../../src/rpc/proxy/sharing/flight.ts";
import { Follower } from "../../../../src/rpc/proxy/sharing/follower.ts";
import { CopyRoom } from "../../../../src/rpc/proxy/sharing/stream-copy.ts";
import { methodInfo } from "../../../../src/rpc/json-rpc/methods.ts";
import { cachingWorld } from "./world.ts";

/** Keeps all it is given. */
class Sink implements CallSink {
  readonly canStream = true;
  readonly maxBytes = Infinity;
  text_ = "";
  isCut = false;

  result(facts: CallFacts, body: Buffer, start: number, end: number): void {
    this.text_ = `${body.toString("latin1", 0, start)}${facts.idToken}${body.toString("latin1", end)}`;
  }

  text(_facts: CallFacts, _status: number, latin1: string): void {
    this.text_ = latin1;
  }

  begin(): void {}

  write(chunk: Buffer): boolean {
    this.text_ += chunk.toString("latin1");
    return true;
  }

  end(): void {}

  abort(): void {
    this.isCut = true;
  }
}

const shared = () => {
  const w = cachingWorld();
  const { engine } = w.gateway;
  const info = methodInfo("eth_getLogs");
  const call = makeCall(w.chain, info.name, "[{}]");
  const [first, second] = [new Sink(), new Sink()];
  const owner = {
    copyRoom: new CopyRoom(),
    landed: () => undefined,
    brought: () => undefined,
    failed: () => undefined,
  };
  const plan = { call, info, joinKey: "k", keeping: undefined, startMs: 0, timeoutMs: 1_000 };
  const flight = new Flight(owner, plan, first);
  flight.join(new Follower(engine, call, info, second, flight, 1_000));
  const facts = new LocalFacts(engine, call, undefined);
  return { flight, facts, first, second, gateway: w.gateway };
};

describe("an answer that streams although others wait", () => {
  it("reaches all of them", () => {
    const { flight, facts, first, second, gateway } = shared();
    flight.begin(facts, -1);
    for (const piece of ['{"jsonrpc":"2.0",', '"id":1', ',"result":[1', ",2]}"]) {
      flight.write(Buffer.from(piece));
    }
    flight.end();
    expect(first.text_).toBe('{"jsonrpc":"2.0","id":1,"result":[1,2]}');
    expect(second.text_).toBe(first.text_);
    expect(gateway.inFlight).toBe(0);
  });

  it("is an error to those who have nothing of it when it breaks off", () => {
    const { flight, facts, first, second, gateway } = shared();
    flight.begin(facts, -1);
    flight.write(Buffer.from('{"jsonrpc":"2.0","id":1,"result":[1'));
    flight.abort();
    expect(first.isCut).toBe(true);
    expect(JSON.parse(second.text_).error).toMatchObject({ code: -32002 });
    expect(gateway.inFlight).toBe(0);
  });

  it("goes on for the others when the first caller leaves", () => {
    const { flight, facts, second } = shared();
    flight.begin(facts, -1);
    flight.cancel();
    expect(flight.write(Buffer.from('{"id":1,"result":1}'))).toBe(true);
    flight.end();
    expect(JSON.parse(second.text_)).toEqual({ id: 1, result: 1 });
  });
});
