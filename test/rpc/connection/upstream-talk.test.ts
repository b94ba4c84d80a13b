import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readSubscriptionFrame } from "../../../src/rpc/subscription-frame.ts";
import { UpstreamTalk } from "../../../src/rpc/connection/upstream-talk.ts";
import type { RaceEvent } from "../../../src/rpc/race/settled-race.ts";

interface Sent {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

const make = () => {
  const sent: Sent[] = [];
  const talk = new UpstreamTalk((text) => sent.push(JSON.parse(text)));
  const reply = (id: number, result: unknown) =>
    talk.answer(Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, result })), 0);
  const refuse = (id: number, nowMs: number) => {
    const error = { code: -32601, message: "no" };
    return talk.answer(Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, error })), nowMs);
  };
  const notice = (subscription: string) => {
    const message = {
      jsonrpc: "2.0",
      method: "eth_subscription",
      params: { subscription, result: "0x1" },
    };
    return readSubscriptionFrame(Buffer.from(JSON.stringify(message)))!;
  };
  return { talk, sent, reply, refuse, notice };
};

describe("the talk with a provider", () => {
  it("keeps notifications that overtake the answer to their subscribe", () => {
    const { talk, reply, notice } = make();
    talk.want("newHeads", true);
    talk.sync(0);
    expect(talk.belongs(notice("0xa"), 1)).toBe("held");
    expect(talk.belongs(notice("0xb"), 2)).toBe("held");
    const answer = reply(1, "0xa");
    expect(answer).toMatchObject({ type: "subscribed", event: "newHeads", early: [{ atNs: 1 }] });
    expect(talk.belongs(notice("0xa"), 3)).toBe("newHeads");
    expect(talk.belongs(notice("0xb"), 4)).toBe("orphan");
  });

  it("asks for a refused stream again after a pause that doubles, at once on the next connection", () => {
    const { talk, sent, refuse } = make();
    talk.want("logs", true);
    talk.sync(0);
    expect(refuse(1, 0)).toEqual({
      type: "refused",
      event: "logs",
      refusal: { code: -32601, message: "no" },
    });
    expect(talk.report).toMatchObject({ wanted: ["logs"], open: [], refused: ["logs"] });
    expect(talk.sync(29_999)).toBe(0);
    expect(talk.sync(30_000)).toBe(1);
    refuse(2, 30_000);
    expect(talk.sync(89_999)).toBe(0);
    expect(talk.sync(90_000)).toBe(1);
    talk.clear();
    expect(talk.sync(90_000)).toBe(1);
    expect(sent).toHaveLength(4);
  });

  it("keeps an ended subscription on the books until the provider confirms it", () => {
    const { talk, reply, notice } = make();
    talk.want("logs", true);
    talk.sync(0);
    reply(1, "0xa");
    talk.want("logs", false);
    talk.sync(0);
    expect(talk.belongs(notice("0xa"), 1)).toBe("ending");
    expect(talk.report).toMatchObject({ open: [], ending: 1 });
    reply(2, true);
    expect(talk.report.ending).toBe(0);
    expect(talk.belongs(notice("0xa"), 2)).toBe("orphan");
    expect(talk.faults(1e9)).toEqual([]);
  });

  it("finds a subscription that does not end: after 10 s without a word, at once when refused", () => {
    for (const isRefused of [false, true]) {
      const { talk, reply, refuse } = make();
      talk.want("logs", true);
      talk.sync(0);
      reply(1, "0xa");
      talk.want("logs", false);
      talk.sync(1_000);
      if (isRefused) refuse(2, 1_000);
      else expect(talk.faults(10_999)).toEqual([]);
      const dueMs = isRefused ? 1_000 : 11_000;
      expect(talk.faults(dueMs)).toEqual([{ type: "unended", id: "0xa" }]);
      expect(talk.faults(1e9)).toEqual([]);
    }
  });

  it("finds a subscribe without an answer, and takes the answer when it comes after all", () => {
    const { talk, sent, reply, notice } = make();
    talk.want("logs", true);
    talk.sync(0);
    expect(talk.faults(10_000)).toEqual([{ type: "unanswered", event: "logs" }]);
    expect(talk.report).toMatchObject({ asked: [], refused: ["logs"] });
    // Its events may come before the answer: they are not given back.
    expect(talk.belongs(notice("0xa"), 1)).toBe("held");
    expect(reply(1, "0xa")).toMatchObject({ type: "subscribed", early: [{ atNs: 1 }] });
    expect(talk.report).toMatchObject({ open: ["logs"], refused: [] });
    expect(talk.sync(1e9)).toBe(0);
    expect(sent).toHaveLength(1);
  });

  it("gives the second of two answers back when it had to ask twice", () => {
    const { talk, sent, reply } = make();
    talk.want("logs", true);
    talk.sync(0);
    talk.faults(10_000);
    expect(talk.sync(40_000)).toBe(1);
    expect(reply(2, "0xb")).toMatchObject({ type: "subscribed" });
    expect(reply(1, "0xa")).toEqual({ type: "noted" });
    expect(sent.at(-1)).toMatchObject({ method: "eth_unsubscribe", params: ["0xa"] });
    expect(talk.report).toMatchObject({ open: ["logs"], asked: [], ending: 1 });
  });

  it("tells nobody of a stream that opens when it is not wanted any more", () => {
    const { talk, sent, reply } = make();
    talk.want("logs", true);
    talk.sync(0);
    talk.want("logs", false);
    expect(reply(1, "0xa")).toEqual({ type: "noted" });
    expect(sent.at(-1)).toMatchObject({ method: "eth_unsubscribe", params: ["0xa"] });
  });

  it("gives a foreign subscription back once, and not more than 64 of them", () => {
    const { talk, sent, notice } = make();
    for (let i = 0; i < 200; i++) {
      expect(talk.belongs(notice(`0x${i % 100}`), i)).toBe("orphan");
    }
    expect(sent).toHaveLength(64);
  });

  it("reads a chain id and a height, and takes junk for no answer", () => {
    const { talk, reply } = make();
    talk.askChainId();
    talk.askHeight();
    expect(talk.answer(Buffer.from("{junk"), 0)).toBeUndefined();
    expect(reply(7, "0x1")).toBeUndefined();
    expect(reply(1, "0x89")).toMatchObject({ type: "chainId", chainId: 137 });
    expect(reply(2, null)).toEqual({ type: "height", height: undefined });
  });

  it("has exactly the wanted subscriptions open in the end, whatever the order of wishes, answers and refusals", () => {
    const events: readonly RaceEvent[] = ["newHeads", "logs", "newPendingTransactions"];
    const step = fc.oneof(
      fc.record({
        do: fc.constant("want" as const),
        event: fc.constantFrom(...events),
        on: fc.boolean(),
      }),
      fc.record({ do: fc.constantFrom("sync" as const, "reconnect" as const) }),
      fc.record({ do: fc.constant("renew" as const), event: fc.constantFrom(...events) }),
      fc.record({ do: fc.constantFrom("answer" as const, "refuse" as const), which: fc.nat() }),
      fc.record({ do: fc.constant("wait" as const), ms: fc.nat(60_000) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { talk, sent } = make();
        const wanted = new Set<RaceEvent>();
        /** What the provider holds open: subscription id to stream. */
        const open = new Map<string, string>();
        const answered = new Set<number>();
        let made = 0;
        let nowMs = 0;
        const answer = (which: number, isRefused = false) => {
          const waiting = sent.filter(({ id }) => !answered.has(id));
          const call = waiting[which % Math.max(1, waiting.length)];
          if (call === undefined) return;
          answered.add(call.id);
          const { id, method, params } = call;
          const say = (body: object) =>
            talk.answer(Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, ...body })), nowMs);
          if (method === "eth_unsubscribe") {
            say({ result: open.delete(String(params[0])) });
          } else if (isRefused) say({ error: { code: -32005, message: "too many" } });
          else {
            const subscription = `0x${++made}`;
            open.set(subscription, String(params[0]));
            say({ result: subscription });
          }
          for (const event of events) {
            const held = talk.events.includes(event);
            // Whatever is held is really open there, and only once in our books.
            if (held) expect([...open.values()]).toContain(event);
          }
        };
        for (const one of steps) {
          switch (one.do) {
            case "want":
              if (one.on) wanted.add(one.event);
              else wanted.delete(one.event);
              talk.want(one.event, one.on);
              break;
            case "sync":
              talk.sync(nowMs);
              break;
            case "renew":
              talk.renew(one.event, nowMs);
              break;
            case "answer":
            case "refuse":
              answer(one.which, one.do === "refuse");
              break;
            case "wait":
              nowMs += one.ms;
              talk.faults(nowMs);
              break;
            case "reconnect":
              talk.clear();
              open.clear();
              for (const { id } of sent) answered.add(id);
          }
        }
        // From here on the provider answers all, and no pause lasts for ever.
        for (let round = 0; round < 200; round++) {
          talk.sync(nowMs);
          answer(round);
          nowMs += 60_000;
        }
        expect([...open.values()].toSorted()).toEqual([...wanted].toSorted());
        expect([...talk.events].toSorted()).toEqual([...wanted].toSorted());
        expect(talk.report).toMatchObject({ asked: [], ending: 0 });
        expect(talk.faults(nowMs + 1e9)).toEqual([]);
      }),
      { numRuns: 1_000 },
    );
  });
});
