import { describe, expect, it } from "vitest";
import type { SharedCache } from "../../../../src/rpc/shared-store.ts";
import { AnswerCache } from "../../../../src/rpc/cache/answer-cache.ts";
import type { Packer } from "../../../../src/rpc/cache/shared-level.ts";
import type { FakeReply, Script } from "../support.ts";
import { blockHash, cachingWorld, servedAs, type CachingWorld } from "./world.ts";

type Done = (value: Buffer | undefined) => void;

/** A store that answers as the test says. */
class FakeStore implements SharedCache {
  isUp = true;
  asked = 0;
  readonly values = new Map<string, { value: Buffer; ttlMs: number }>();
  answer: (key: string, done: Done) => void = (key, done) => done(this.values.get(key)?.value);

  get(key: string, done: Done): void {
    this.asked++;
    this.answer(key, done);
  }

  set(key: string, value: Buffer, ttlMs: number): void {
    this.values.set(key, { value, ttlMs });
  }
}

/** Packs by leaving out the letter x. */
const packer: Packer = {
  pack: (bytes, done) => done(Buffer.from(bytes.toString("latin1").replaceAll("x", ""), "latin1")),
  unpack: (packed, _max, done) => done(packed),
};
/** Puts everything in as it is. */
const noPacker: Packer = {
  pack: (_bytes, done) => done(undefined),
  unpack: (_packed, _max, done) => done(undefined),
};

const host = (store: SharedCache, script: Script, pack = noPacker): CachingWorld =>
  cachingWorld({ script, deps: { shared: store, packer: pack } });

const params = (block = "0x384") => [{ to: "0xab" }, block];
const two: Script = (c) => c.result('"0x2"');
const one: Script = (c) => c.result('"0x1"');

describe("an answer that another host keeps", () => {
  it("is given without an attempt, and kept here as well", () => {
    const store = new FakeStore();
    host(store, one).ask("eth_call", params());
    const w = host(store, two);
    const replies = [w.ask("eth_call", params()), w.ask("eth_call", params())];
    expect(replies.map((reply) => [servedAs(reply), reply.json.result])).toEqual([
      ["HIT", "0x1"],
      ["HIT", "0x1"],
    ]);
    expect([w.attempts, store.asked]).toEqual([0, 2]);
    expect([...store.values.values()][0]?.ttlMs).toBe(86_400_000);
  });

  it("goes to all who wait for it", () => {
    const store = new FakeStore();
    host(store, one).ask("eth_call", params());
    const waiting: (() => void)[] = [];
    store.answer = (key, done) => waiting.push(() => done(store.values.get(key)?.value));
    const w = host(store, two);
    const replies = [1, 2, 3].map(() => w.ask("eth_call", params()));
    expect([w.gateway.inFlight, store.asked]).toEqual([3, 2]);
    waiting[0]?.();
    expect(replies.map((reply) => [reply.json.id, reply.json.result])).toEqual([
      [1, "0x1"],
      [2, "0x1"],
      [3, "0x1"],
    ]);
    expect(w.gateway.inFlight).toBe(0);
  });

  it("may be a revert", () => {
    const store = new FakeStore();
    const revert: Script = (c) => c.error(3, "execution reverted", "0x08c379a0");
    const first = host(store, revert).ask("eth_call", params());
    const w = host(store, two);
    const second = w.ask("eth_call", params());
    expect(second.json).toEqual(first.json);
    expect(w.records.at(-1)?.outcome).toBe("error");
  });

  it("ends with its block, here by what this host knows of the chain", () => {
    const store = new FakeStore();
    const receipt: Script = (c) =>
      c.result(JSON.stringify({ blockHash: blockHash(990), blockNumber: "0x3de" }));
    host(store, receipt).ask("eth_getTransactionReceipt", ["0x1"]);
    expect([...store.values.values()][0]?.ttlMs).toBe(24_000);
    const same = host(store, two);
    expect(servedAs(same.ask("eth_getTransactionReceipt", ["0x1"]))).toBe("HIT");
    const other = host(store, two);
    other.mine(990, "b", "");
    other.mine(991, "b");
    expect(servedAs(other.ask("eth_getTransactionReceipt", ["0x1"]))).toBe("MISS");
  });

  it("is not asked for what the newest block is, nor told", () => {
    const store = new FakeStore();
    host(store, one).ask("eth_call", params("latest"));
    expect([store.asked, store.values.size]).toEqual([0, 0]);
  });

  it("is packed from 1 KiB on", () => {
    const store = new FakeStore();
    const large: Script = (c) => c.result(`"${"x".repeat(5_000)}"`);
    host(store, large, packer).ask("eth_call", params());
    const [stored] = [...store.values.values()];
    expect(stored?.value.length).toBeLessThan(200);
    // What does not unpack to what was packed is none of ours.
    const w = host(store, two, packer);
    expect(w.ask("eth_call", params()).json.result).toBe("0x2");
  });
});

describe("a store that fails", () => {
  const answered = (w: CachingWorld): FakeReply => w.ask("eth_call", params());

  it("by silence costs 20 ms, and nothing at all once it is known to be silent", () => {
    const store = new FakeStore();
    store.answer = () => undefined;
    const w = host(store, one);
    const reply = answered(w);
    w.advance(15);
    expect(w.attempts).toBe(0);
    w.advance(10);
    expect(reply.json.result).toBe("0x1");
    for (let i = 0; i < 4; i++) {
      w.ask("eth_call", params(`0x${i}`));
      w.advance(25);
    }
    expect(store.asked).toBe(5);
    expect(w.ask("eth_call", params("0x10")).json.result).toBe("0x1");
    expect(store.asked).toBe(5);
    w.advance(1_000);
    w.ask("eth_call", params("0x11"));
    expect(store.asked).toBe(6);
    expect(w.gateway.inFlight).toBe(1);
    w.advance(25);
    expect(w.gateway.inFlight).toBe(0);
  });

  it("by answering late changes nothing any more", () => {
    const store = new FakeStore();
    host(store, two).ask("eth_call", params());
    let late: (() => void) | undefined;
    store.answer = (key, done) => {
      late = () => done(store.values.get(key)?.value);
    };
    const w = host(store, one);
    const reply = answered(w);
    w.advance(25);
    expect(reply.json.result).toBe("0x1");
    late?.();
    expect(reply.json.result).toBe("0x1");
    expect(w.gateway.inFlight).toBe(0);
    expect(answered(w).json.result).toBe("0x1");
  });

  it("by being away is not asked", () => {
    const store = new FakeStore();
    store.isUp = false;
    expect(answered(host(store, one)).json.result).toBe("0x1");
    expect([store.asked, store.values.size]).toEqual([0, 0]);
  });

  it("by vanishing while it is asked is like an empty one", () => {
    const store = new FakeStore();
    store.answer = (_key, done) => {
      store.isUp = false;
      done(undefined);
    };
    expect(answered(host(store, one)).json.result).toBe("0x1");
    expect(store.values.size).toBe(0);
  });

  it.each<[string, (honest: Buffer) => Buffer]>([
    ["other bytes", () => Buffer.from("pthis is no answer")],
    ["no bytes", () => Buffer.alloc(0)],
    ["a changed byte", (honest) => Buffer.from(honest).fill(0x41, honest.length - 3)],
    ["a cut value", (honest) => honest.subarray(0, honest.length - 1)],
    ["an unknown packing", (honest) => Buffer.concat([Buffer.of(1), honest.subarray(1)])],
  ])("by lying with %s is not believed", (_what, lie) => {
    const store = new FakeStore();
    host(store, two).ask("eth_call", params());
    const honest = [...store.values.values()][0]?.value as Buffer;
    store.answer = (_key, done) => done(lie(honest));
    const w = host(store, one);
    expect(answered(w).json.result).toBe("0x1");
    expect(w.attempts).toBe(1);
  });

  it("by answering with the value of another key is not believed", () => {
    const store = new FakeStore();
    host(store, two).ask("eth_call", params("0x10"));
    const other = [...store.values.values()][0]?.value;
    store.answer = (_key, done) => done(other);
    expect(answered(host(store, one)).json.result).toBe("0x1");
  });

  it("is left with nobody waiting when the client leaves", () => {
    const store = new FakeStore();
    let reply: Done | undefined;
    store.answer = (_key, done) => {
      reply = done;
    };
    const w = host(store, one);
    const gone = answered(w);
    gone.isOpen = false;
    gone.onGone?.();
    expect(w.gateway.inFlight).toBe(0);
    reply?.(undefined);
    w.advance(50);
    expect(w.attempts).toBe(0);
  });

  it("is not asked without a memory level to put its answers in", () => {
    const store = new FakeStore();
    const w = cachingWorld({
      script: one,
      deps: { shared: store, packer: noPacker, cache: undefined },
    });
    expect(w.ask("eth_call", params()).json.result).toBe("0x1");
    expect(store.asked).toBe(0);
    expect(new AnswerCache(1).size).toBe(0);
  });
});
