import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { interleave } from "../../../src/rpc/logs/interleave.ts";
import { LogReader } from "../../../src/rpc/logs/log-reader.ts";
import { bodyText, hashOf, logAt, manyLogs, type TestLog } from "./chain.ts";

const bounds = { fromBlock: 10, toBlock: 20, marksFrom: 15 };

const answer = (body: string, id = "7"): string =>
  `{"jsonrpc":"2.0","id":${id},"result":[${body}]}`;

function read(text: string, cuts: readonly number[] = [], within = bounds): LogReader {
  const reader = new LogReader(within);
  const bytes = Buffer.from(text);
  const places = [...new Set(cuts.map((cut) => cut % bytes.length))].sort((a, b) => a - b);
  let from = 0;
  for (const cut of [...places, bytes.length]) {
    reader.push(Buffer.from(bytes.subarray(from, cut)));
    from = cut;
  }
  return reader;
}

const textOf = (reader: LogReader): string | undefined => {
  const body = reader.finish();
  return body === undefined ? undefined : Buffer.concat(body.pieces).toString();
};

describe("the reader of a part's answer", () => {
  it("keeps the bytes between the brackets, however the answer is cut", () => {
    const body = bodyText([
      logAt(10, 0, { data: `0x${"ab".repeat(3000)}` }),
      ...manyLogs(11, 20, 3),
    ]);
    const forms = [
      answer(body),
      `{"result":[${body}],"id":7,"jsonrpc":"2.0"}`,
      `{ "jsonrpc":"2.0" , "id":7,"result" : [ ${body} ] }\n`,
    ];
    fc.assert(
      fc.property(
        fc.constantFrom(...forms),
        fc.array(fc.nat(), { maxLength: 40 }),
        (text, cuts) => {
          expect(textOf(read(text, cuts))?.trim()).toBe(body);
        },
      ),
    );
  });

  it("reads an answer that comes byte by byte", () => {
    const body = bodyText(manyLogs(10, 12, 2));
    const text = answer(body);
    expect(
      textOf(
        read(
          text,
          Array.from(Buffer.from(text), (_, at) => at),
        ),
      ),
    ).toBe(body);
  });

  it("counts logs and marks the blocks that may still be replaced", () => {
    const reader = read(answer(bodyText(manyLogs(14, 16, 2))));
    expect(reader.finish()).toMatchObject({
      count: 6,
      marks: [15, 16].map((block) => ({ block, hash: hashOf(block).slice(2) })),
    });
  });

  it("takes an empty list, with or without space", () => {
    for (const body of ["", "  \n "]) {
      expect(read(answer(body)).finish()).toMatchObject({ count: 0, sizeBytes: 0, pieces: [] });
    }
  });

  const broken = (change: object): string => JSON.stringify({ ...logAt(12, 1), ...change });
  it.each([
    ["null", '{"jsonrpc":"2.0","id":1,"result":null}'],
    ["an object", '{"jsonrpc":"2.0","id":1,"result":{}}'],
    ["a log of a block outside the range", answer(bodyText([logAt(21, 0)]))],
    ["a log below the range", answer(bodyText([logAt(9, 0)]))],
    ["blocks out of order", answer(bodyText([logAt(12, 0), logAt(11, 0)]))],
    ["indices out of order", answer(bodyText([logAt(12, 1), logAt(12, 0)]))],
    ["the same log twice", answer(bodyText([logAt(12, 1), logAt(12, 1)]))],
    ["two hashes of a block", answer(bodyText([logAt(12, 0), logAt(12, 1, { branch: 1 })]))],
    ["a log that waits for its block", answer(broken({ blockNumber: null }))],
    ["a log without an index", answer(broken({ logIndex: undefined }))],
    ["a log without a hash", answer(broken({ blockHash: "0x1" }))],
    ["a string in the list", answer('"0x1"')],
    ["logs without a comma", answer(`${bodyText([logAt(12, 0)])} ${bodyText([logAt(12, 1)])}`)],
    ["a trailing comma", answer(`${bodyText([logAt(12, 0)])},`)],
    ["a list that is cut", '{"jsonrpc":"2.0","id":1,"result":[{"address":"0x'],
    ["an endless head", `{"jsonrpc":"2.0","x":"${"y".repeat(5000)}`],
  ])("refuses %s", (_what, text) => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { maxLength: 8 }), (cuts) => {
        const reader = read(text, cuts);
        expect(reader.finish()).toBeUndefined();
        expect(reader.fault).toBeTypeOf("string");
      }),
      { numRuns: 20 },
    );
  });

  it("spends time in proportion on a log that fills many chunks", () => {
    const reader = new LogReader(bounds);
    const text = answer(bodyText([logAt(12, 0, { data: `0x${"ab".repeat(2_000_000)}` })]));
    const bytes = Buffer.from(text);
    // In 1 KiB chunks; read anew at each of them this would be 8 GB.
    for (let at = 0; at < bytes.length; at += 1024) reader.push(bytes.subarray(at, at + 1024));
    expect(reader.finish()).toMatchObject({ count: 1 });
  });
});

describe("two halves of a list", () => {
  const bodyOf = (logs: readonly TestLog[]) => {
    const body = read(answer(bodyText(logs)), [], {
      ...bounds,
      fromBlock: 0,
      toBlock: 99,
    }).finish();
    if (body === undefined) throw new Error("no body");
    return body;
  };

  it("become one list in the order of the chain, whoever had what", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("left", "right"), { maxLength: 60 }), (owners) => {
        const logs = owners.map((_, n) => logAt(10 + Math.floor(n / 7), n % 7, { address: n % 5 }));
        const of = (owner: string) => bodyOf(logs.filter((_, n) => owners[n] === owner));
        const joined = interleave(of("left"), of("right"));
        expect(Buffer.concat(joined?.pieces ?? []).toString()).toBe(bodyText(logs));
        expect(joined).toMatchObject({ count: logs.length, sizeBytes: bodyText(logs).length });
      }),
    );
  });

  it("bring a log once that both have", () => {
    const logs = manyLogs(10, 11, 3);
    const joined = interleave(bodyOf(logs), bodyOf(logs.slice(2)));
    expect(Buffer.concat(joined?.pieces ?? []).toString()).toBe(bodyText(logs));
  });

  it("do not become one when they saw two branches", () => {
    const one = bodyOf([logAt(12, 0)]);
    expect(interleave(one, bodyOf([logAt(12, 1, { branch: 1 })]))).toBeUndefined();
    expect(interleave(bodyOf([logAt(16, 0)]), bodyOf([logAt(16, 4, { branch: 1 })]))).toBe(
      undefined,
    );
  });
});
