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
    talk.answer(Buffer.from(JSON.stringify({ jsonrpc: "2.0", id, result })));
  const notice = (subscription: string) => {
    const message = {
      jsonrpc: "2.0",
      method: "eth_subscription",
      params: { subscription, result: "0x1" },
    };
    return readSubscriptionFrame(Buffer.from(JSON.stringify(message)))!;
  };
  return { talk, sent, reply, notice };
};

describe("the talk with a provider", () => {
  it("keeps notifications that overtake the answer to their subscribe", () => {
    const { talk, reply, notice } = make();
    talk.want("newHeads", true);
    talk.sync();
    expect(talk.belongs(notice("0xa"), 1)).toBe("held");
    expect(talk.belongs(notice("0xb"), 2)).toBe("held");
    const answer = reply(1, "0xa");
    expect(answer).toMatchObject({ type: "subscribed", event: "newHeads", early: [{ atNs: 1 }] });
    expect(talk.belongs(notice("0xa"), 3)).toBe("newHeads");
    expect(talk.belongs(notice("0xb"), 4)).toBe("orphan");
  });

  it("asks a stream that was refused not again on the same connection", () => {
    const { talk, sent } = make();
    talk.want("logs", true);
    talk.sync();
    const refusal = { jsonrpc: "2.0", id: 1, error: { code: -32601, message: "no" } };
    expect(talk.answer(Buffer.from(JSON.stringify(refusal)))).toMatchObject({ type: "refused" });
    expect(talk.sync()).toBe(0);
    talk.clear();
    expect(talk.sync()).toBe(1);
    expect(sent).toHaveLength(2);
  });

  it("reads a chain id and a height, and takes junk for no answer", () => {
    const { talk, reply } = make();
    talk.askChainId();
    talk.askHeight();
    expect(talk.isAskingHeight).toBe(true);
    expect(talk.answer(Buffer.from("{junk"))).toBeUndefined();
    expect(reply(7, "0x1")).toBeUndefined();
    expect(reply(1, "0x89")).toMatchObject({ type: "chainId", chainId: 137 });
    expect(reply(2, null)).toEqual({ type: "height", height: 0 });
    expect(talk.isAskingHeight).toBe(false);
  });

  it("has exactly the wanted subscriptions open in the end, whatever the order of wishes and answers", () => {
    const events: readonly RaceEvent[] = ["newHeads", "logs", "newPendingTransactions"];
    const step = fc.oneof(
      fc.record({
        do: fc.constant("want" as const),
        event: fc.constantFrom(...events),
        on: fc.boolean(),
      }),
      fc.record({ do: fc.constant("sync" as const) }),
      fc.record({ do: fc.constant("renew" as const), event: fc.constantFrom(...events) }),
      fc.record({ do: fc.constant("answer" as const), which: fc.nat() }),
      fc.record({ do: fc.constant("reconnect" as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { talk, sent, reply } = make();
        const wanted = new Map<RaceEvent, boolean>();
        /** What the provider holds open: subscription id to stream. */
        const open = new Map<string, string>();
        let answeredTo = 0;
        let made = 0;
        const answer = (which: number) => {
          const waiting = sent.slice(answeredTo).filter(({ id }) => id > 0);
          const call = waiting[which % Math.max(1, waiting.length)];
          if (call === undefined) return;
          sent[sent.indexOf(call)] = { ...call, id: -call.id };
          if (call.method === "eth_unsubscribe") {
            open.delete(String(call.params[0]));
            reply(call.id, true);
            return;
          }
          const id = `0x${++made}`;
          open.set(id, String(call.params[0]));
          reply(call.id, id);
        };
        for (const one of steps) {
          if (one.do === "want") {
            wanted.set(one.event, one.on);
            talk.want(one.event, one.on);
          } else if (one.do === "sync") talk.sync();
          else if (one.do === "renew") talk.renew(one.event);
          else if (one.do === "answer") answer(one.which);
          else {
            talk.clear();
            open.clear();
            answeredTo = sent.length;
          }
        }
        for (let round = 0; round < 200; round++) {
          talk.sync();
          answer(round);
        }
        const expected = events.filter((event) => wanted.get(event) === true);
        expect(new Set(open.values())).toEqual(new Set(expected));
        expect(open.size).toBe(expected.length);
      }),
    );
  });
});
