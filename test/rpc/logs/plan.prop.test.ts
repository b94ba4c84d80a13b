import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { LogReader } from "../../../src/rpc/logs/log-reader.ts";
import type { Part } from "../../../src/rpc/logs/plan.ts";
import { LogsPlan, MAX_PARTS } from "../../../src/rpc/logs/plan.ts";
import { readLogsQuery, sliceParams } from "../../../src/rpc/logs/query.ts";
import { anyLimits, anyLogs } from "./any.ts";
import type { NodeLimits, TestFilter, TestLog } from "./chain.ts";
import { ADDRESSES, answerOf, bodyText, hashOf, logAt, select, TOPICS } from "./chain.ts";

const FIRST = 100;
const BLOCKS = 120;
const LAST = FIRST + BLOCKS - 1;

/** Some blocks have no logs, some many, of all addresses and topics. */
const someLogs = anyLogs(
  fc.record({
    block: fc.integer({ min: FIRST - 5, max: LAST + 5 }),
    address: fc.nat(4),
    topic: fc.nat(3),
    data: fc.constantFrom("0x", "0xabcdef", `0x${"5b7d2c".repeat(40)}`),
  }),
  150,
);

// A single block and address must be within the limit, or nobody can answer at all.
const someLimits = anyLimits({ min: 1, max: BLOCKS }, { min: 8, max: 60 });

const anyFilter: fc.Arbitrary<TestFilter> = fc.record(
  {
    address: fc.oneof(
      fc.constantFrom(...ADDRESSES),
      fc.subarray(ADDRESSES, { minLength: 1 }),
      fc.constant(null),
    ),
    topics: fc.oneof(
      fc.constant([]),
      fc.subarray(TOPICS, { minLength: 1 }).map((list) => [list]),
      fc.constantFrom(...TOPICS).map((topic) => [topic]),
    ),
  },
  { requiredKeys: [] },
);

/** One turn of the world: which of the running parts ends, and how. */
const anyTurns = fc.infiniteStream(
  fc.record({
    which: fc.nat(),
    provider: fc.nat(2),
    fails: fc.integer({ min: 0, max: 9 }).map((n) => n === 0),
    reopens: fc.integer({ min: 0, max: 19 }).map((n) => n === 0),
    cut: fc.nat(),
    limit: fc.integer({ min: 1, max: BLOCKS }),
  }),
);

function makePlan(filter: TestFilter): LogsPlan {
  const params = Buffer.from(JSON.stringify([filter]));
  const query = readLogsQuery(params, 0, params.length);
  if (query === undefined) throw new Error("the filter was not read");
  return new LogsPlan(query, FIRST, LAST);
}

const filterOf = (plan: LogsPlan, { slice }: Part): TestFilter =>
  (JSON.parse(sliceParams(plan.query, slice)) as TestFilter[])[0] as TestFilter;

function readAnswer({ slice }: Part, logs: readonly TestLog[], cut: number) {
  const { fromBlock, toBlock } = slice;
  const reader = new LogReader({ fromBlock, toBlock, marksFrom: FIRST });
  const bytes = Buffer.from(`{"jsonrpc":"2.0","id":1,"result":[${bodyText(logs)}]}`);
  const at = cut % bytes.length;
  reader.push(bytes.subarray(0, at));
  reader.push(bytes.subarray(at));
  const body = reader.finish();
  if (body === undefined) throw new Error(reader.fault);
  return body;
}

describe("the parts of a range of logs", () => {
  it("bring exactly the unsplit answer, whatever limits, failures, orders and splits", () => {
    fc.assert(
      fc.property(
        someLogs,
        fc.array(someLimits, { minLength: 3, maxLength: 3 }),
        anyFilter,
        anyTurns,
        (logs, limits, filter, turns) => {
          const plan = makePlan({ ...filter, fromBlock: "0x64", toBlock: "0xdb" });
          const running: { readonly part: Part; readonly provider: number }[] = [];
          const out: Buffer[] = [];
          let asked = 0;
          for (const turn of turns) {
            const next = plan.next;
            if (next !== undefined && running.length < 4) {
              const own = limits[turn.provider]?.blocks ?? turn.limit;
              running.push({ part: plan.take(next, own), provider: turn.provider });
              asked++;
            }
            const [ended] = running.splice(turn.which % Math.max(1, running.length), 1);
            if (ended !== undefined) {
              const { part, provider } = ended;
              const found = answerOf(logs, filterOf(plan, part), limits[provider] as NodeLimits);
              if (turn.fails) plan.release(part);
              else if (found.ok) plan.complete(part, readAnswer(part, found.logs, turn.cut));
              else {
                const by = plan.refuse(part, { of: found.of, blocks: found.blocks });
                // One block and one address of eight logs at most: somebody else has to say.
                if (by === undefined) plan.release(part);
              }
            }
            if (turn.reopens) {
              const [stale] = plan.done(FIRST);
              if (stale !== undefined) plan.reopen(stale);
            }
            for (let body = plan.shift(); body !== undefined; body = plan.shift()) {
              if (body.count > 0) out.push(Buffer.concat(body.pieces));
            }
            if (plan.isOver || plan.isOverfull || asked > 20_000) break;
          }
          fc.pre(!plan.isOverfull && plan.isOver);
          const wanted = select(logs, { ...filter, fromBlock: "0x64", toBlock: "0xdb" });
          expect(out.map((piece) => piece.toString("latin1")).join(",")).toBe(bodyText(wanted));
          expect(plan.heldBytes).toBe(0);
          expect(running.filter(({ part }) => part.state === "running")).toEqual([]);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("a plan", () => {
  const range = { fromBlock: "0x64", toBlock: "0xdb" };
  const none = { pieces: [], sizeBytes: 0, count: 0, marks: [] };
  const spans = (plan: LogsPlan): string[] => {
    const seen: string[] = [];
    for (let part = plan.next; part !== undefined; part = plan.next) {
      const taken = plan.take(part, 1000);
      seen.push(`${taken.slice.fromBlock}-${taken.slice.toBlock}`);
    }
    return seen;
  };

  it("cuts for whoever takes a part, not for the weakest", () => {
    const plan = makePlan(range);
    const sizes = [50, 10, 1000].map((limit) => {
      const { fromBlock, toBlock } = plan.take(plan.next as Part, limit).slice;
      return [fromBlock, toBlock];
    });
    expect(sizes).toEqual([
      [100, 149],
      [150, 159],
      [160, 219],
    ]);
    expect(plan.next).toBeUndefined();
    expect(plan.parts).toBe(3);
  });

  it("uses the range that a vendor suggests, else halves", () => {
    const plan = makePlan(range);
    expect(plan.refuse(plan.take(plan.next as Part, 1000), { of: "range", blocks: 30 })).toBe(
      "range",
    );
    expect(spans(plan)).toEqual(["100-129", "130-219"]);
    const other = makePlan(range);
    other.refuse(other.take(other.next as Part, 1000), { of: "range", blocks: undefined });
    expect(spans(other)).toEqual(["100-159", "160-219"]);
  });

  it.each([0, 120, 5000])("halves when the suggestion of %i blocks is no smaller", (blocks) => {
    const plan = makePlan(range);
    plan.refuse(plan.take(plan.next as Part, 1000), { of: "range", blocks });
    expect(spans(plan)).toEqual(["100-159", "160-219"]);
  });

  it("goes on in steps that fit once an answer was too large, and grows again", () => {
    const plan = makePlan(range);
    plan.refuse(plan.take(plan.next as Part, 1000), { of: "answer", blocks: 20 });
    const first = plan.take(plan.next as Part, 1000);
    expect(plan.take(plan.next as Part, 1000).slice).toMatchObject({
      fromBlock: 120,
      toBlock: 139,
    });
    plan.complete(first, none);
    expect(plan.take(plan.next as Part, 1000).slice).toMatchObject({
      fromBlock: 140,
      toBlock: 179,
    });
  });

  it("splits one block by addresses, then by topics, then not at all", () => {
    const plan = makePlan({
      ...range,
      address: ADDRESSES.slice(0, 2),
      topics: [TOPICS.slice(0, 2)],
    });
    const one = plan.take(plan.next as Part, 1);
    const refusal = { of: "answer", blocks: undefined } as const;
    expect(plan.refuse(one, refusal)).toBe("address");
    const half = plan.take(plan.next as Part, 1);
    expect(half.slice.addresses).toEqual([`"${ADDRESSES[0]}"`]);
    expect(plan.refuse(half, refusal)).toBe("topic");
    const quarter = plan.take(plan.next as Part, 1);
    expect(quarter.slice).toMatchObject({
      topics: [`"${TOPICS[0]}"`],
      fromBlock: 100,
      toBlock: 100,
    });
    expect(plan.refuse(quarter, refusal)).toBeUndefined();
  });

  it("splits a long list of addresses at once when it is the list that is too long", () => {
    const plan = makePlan({ ...range, address: ADDRESSES });
    const part = plan.take(plan.next as Part, 1000);
    expect(plan.refuse(part, { of: "addresses", blocks: undefined })).toBe("address");
    expect((plan.next as Part).slice).toMatchObject({ fromBlock: 100, toBlock: 219 });
    expect((plan.next as Part).slice.addresses).toHaveLength(2);
  });

  it("asks again for both halves when they saw two branches", () => {
    const plan = makePlan({ ...range, address: ADDRESSES });
    plan.refuse(plan.take(plan.next as Part, 1000), { of: "addresses", blocks: undefined });
    const left = plan.take(plan.next as Part, 1000);
    const right = plan.take(plan.next as Part, 1000);
    plan.complete(left, readAnswer(left, [logAt(150, 0)], 5));
    plan.complete(right, readAnswer(right, [logAt(150, 1, { address: 4, branch: 1 })], 5));
    expect(plan.shift()).toBeUndefined();
    expect([left, right].map(({ state, refetches }) => [state, refetches])).toEqual([
      ["waiting", 1],
      ["waiting", 1],
    ]);
    expect(plan.heldBytes).toBe(0);
    expect(hashOf(150)).not.toBe(hashOf(150, 1));
  });

  it("knows beforehand that a provider would need too many parts", () => {
    const params = Buffer.from('[{"fromBlock":"0x1","toBlock":"0x7530"}]');
    const query = readLogsQuery(params, 0, params.length);
    const plan = new LogsPlan(query as never, 1, 30_000);
    plan.take(plan.next as Part, 30);
    expect(plan.isOverfull).toBe(false);
    plan.take(plan.next as Part, 10);
    expect(plan.isOverfull).toBe(true);
    expect(plan.parts).toBeLessThan(MAX_PARTS);
  });
});
