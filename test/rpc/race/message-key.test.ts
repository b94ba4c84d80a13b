import { createHash } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  blockNumberOf,
  headFields,
  logConditions,
  logPlace,
  messageKey,
} from "../../../src/rpc/message-key.ts";
import type { RaceEvent } from "../../../src/rpc/race/settled-race.ts";
import {
  readSubscriptionFrame,
  type SubscriptionFrame,
} from "../../../src/rpc/subscription-frame.ts";
import { frameOf, hash, headOf, logOf } from "./events.ts";

const digest = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

const read = (bytes: Buffer): SubscriptionFrame => {
  const frame = readSubscriptionFrame(bytes);
  if (frame === undefined) throw new Error(`not a frame: ${bytes.toString()}`);
  return frame;
};
const keyOf = (event: RaceEvent, bytes: Buffer): string => messageKey(event, read(bytes), digest);
const resultOf = (frame: SubscriptionFrame): string =>
  frame.bytes.toString("utf8", frame.resultStart, frame.resultEnd);

describe("a message key", () => {
  it("is the hash of a head", () => {
    expect(keyOf("newHeads", frameOf(headOf(7)))).toBe(hash(7));
  });

  it("is equal for the same log from two providers though their subscription ids differ", () => {
    const log = logOf(9, 1);
    expect(keyOf("logs", frameOf(log, "0x1"))).toBe(keyOf("logs", frameOf(log, "0xffee")));
  });

  it("tells two logs of one transaction apart, and a log from its retraction", () => {
    const keys = [
      keyOf("logs", frameOf(logOf(9, 1))),
      keyOf("logs", frameOf(logOf(9, 2))),
      keyOf("logs", frameOf(logOf(9, 1, { removed: true }))),
    ];
    expect(new Set(keys).size).toBe(3);
  });

  it("takes a missing `removed` for false", () => {
    const { removed: _, ...log } = logOf(9, 1);
    expect(keyOf("logs", frameOf(log))).toBe(keyOf("logs", frameOf(logOf(9, 1))));
  });

  it("is the hash of a pending transaction, sent as a hash or as a body", () => {
    expect(keyOf("newPendingTransactions", frameOf(hash(5)))).toBe(hash(5));
    expect(keyOf("newPendingTransactions", frameOf({ from: "0x1", hash: hash(5) }))).toBe(hash(5));
  });

  it("is the SHA-256 of the result, not of the frame, where there is nothing better", () => {
    const result = { syncing: true };
    const expected = digest(Buffer.from(JSON.stringify(result)));
    expect(keyOf("newHeads", frameOf(result, "0x1"))).toBe(expected);
    expect(keyOf("newHeads", frameOf(result, "0x2"))).toBe(expected);
    expect(keyOf("logs", frameOf({ blockHash: hash(1), logIndex: null }))).toHaveLength(64);
  });

  it("is not fooled by its field's name inside a value or an inner object", () => {
    const inner = { a: { hash: hash(1) }, hash: hash(2) };
    expect(keyOf("newHeads", frameOf(inner))).toBe(hash(2));
    const asValue = { extraData: "hash", note: '"hash":"0x"', hash: hash(3) };
    expect(keyOf("newHeads", frameOf(asValue))).toBe(hash(3));
    expect(keyOf("newHeads", frameOf({ kind: "hash", hash: hash(4) }))).toBe(hash(4));
    expect(keyOf("newHeads", frameOf({ hash: hash(5), kind: "hash" }))).toBe(hash(5));
  });
});

describe("a subscription frame", () => {
  it("gives the byte ranges of subscription id and result for re-framing", () => {
    const frame = read(frameOf(headOf(7), "0xabc"));
    expect(frame.subscription).toBe("0xabc");
    expect(frame.isParsed).toBe(false);
    expect(JSON.parse(resultOf(frame))).toEqual(headOf(7));
    const { subscriptionStart, subscriptionEnd, bytes } = frame;
    expect(bytes.toString("utf8", subscriptionStart, subscriptionEnd)).toBe("0xabc");
  });

  it("refuses what is no notification", () => {
    const others = [
      "",
      "[]",
      "null",
      "{",
      '{"jsonrpc":"2.0","id":1,"result":"0x1"}',
      '{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1"}}',
      '{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":7,"result":1}}',
      '{"jsonrpc":"2.0","method":"eth_other","params":{"subscription":"0x1","result":1}}',
      '{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1","result":{}}} x',
      '{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1","result":{"a',
    ];
    for (const text of others) {
      expect(readSubscriptionFrame(Buffer.from(text)), text).toBeUndefined();
    }
  });

  it("reads heads and logs as JSON.parse would, whatever order, white space and escapes", () => {
    const member = fc.constantFrom("plain", 'q"uote', "back\\slash", "ünï", "hash", "logIndex");
    const extra = fc.dictionary(
      fc.constantFrom("x", "a b", "extraData", "ha\tsh"),
      fc.oneof(member, fc.integer(), fc.constant(null), fc.record({ hash: member })),
    );
    const indent = fc.constantFrom(undefined, 0, 1, 2, "\t");
    fc.assert(
      fc.property(
        fc.nat(1e9),
        fc.nat(2_000),
        extra,
        extra,
        indent,
        fc.boolean(),
        fc.boolean(),
        (block, index, before, after, space, isSwapped, isRemoved) => {
          const log = { ...before, ...logOf(block, index, { removed: isRemoved }), ...after };
          const head = { ...after, ...headOf(block, index + 1), ...before };
          for (const result of [log, head]) {
            const params = isSwapped
              ? { result, subscription: "0x1" }
              : { subscription: "0x1", result };
            const message = { jsonrpc: "2.0", method: "eth_subscription", params };
            const frame = read(Buffer.from(JSON.stringify(message, null, space)));
            expect(JSON.parse(resultOf(frame))).toEqual(JSON.parse(JSON.stringify(result)));
            expect(frame.subscription).toBe("0x1");
            if (result === log) {
              expect(messageKey("logs", frame, digest)).toBe(
                `${hash(block)}${log.logIndex}${isRemoved ? "-" : ""}`,
              );
              const place = { hash: hash(block), number: block, index, isRemoved };
              expect(logPlace(frame)).toEqual(place);
              expect(logConditions(frame)).toEqual({
                address: log.address.toLowerCase(),
                topics: log.topics.map((topic: string) => topic.toLowerCase()),
              });
            } else {
              expect(messageKey("newHeads", frame, digest)).toBe(hash(index + 1));
              expect(headFields(frame)).toEqual({
                number: block,
                hash: hash(index + 1),
                parentHash: hash(index),
                timestampSec: 0x65f1a2b3,
              });
              expect(blockNumberOf("newHeads", frame)).toBe(block);
            }
          }
        },
      ),
      { numRuns: 500 },
    );
  });

  it("never throws on bytes that are not what they should be", () => {
    const bytes = frameOf(headOf(7));
    fc.assert(
      fc.property(fc.nat(bytes.length), fc.nat(255), fc.boolean(), (at, value, isCut) => {
        const broken = Buffer.from(isCut ? bytes.subarray(0, at) : bytes);
        if (!isCut && at < broken.length) broken[at] = value;
        const frame = readSubscriptionFrame(broken);
        if (frame === undefined) return;
        messageKey("newHeads", frame, digest);
        headFields(frame);
        logPlace(frame);
        logConditions(frame);
      }),
      { numRuns: 1_000 },
    );
  });
});
