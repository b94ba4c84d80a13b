/**
 * The promise to each client, over a model of the chain and of everything that goes wrong around it:
 * heads are parent-linked, none is missing or repeated within a branch; every matching log of every
 * canonical block is delivered once; what is orphaned is taken back; or the client is told of a gap.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Belief, ClientModel } from "./promise/client-model.ts";
import {
  isAmbiguous,
  type Cursor,
  type PlacedLog,
} from "../../../src/rpc/subscription/chain/history.ts";
import { RING_BLOCKS } from "../../../src/rpc/subscription/chain/ring.ts";
import { LOG_BLOCKS } from "../../../src/rpc/subscription/logs/log-memory.ts";
import { keyOf } from "./promise/client-model.ts";
import {
  FAULTS,
  fewSteps,
  flippingSteps,
  lyingSteps,
  steps,
  type Fault,
  type Step,
} from "./promise/steps.ts";
import { PromiseWorld } from "./promise/world.ts";

/** `STREAMS_SEED=123 npx vitest run test/rpc/streams` plays other runs, or those of a failure again. */
const SEED = Number(process.env["STREAMS_SEED"] ?? 1);
const RUNS = 2_000;
const TIMEOUT_MS = 300_000;
const GAP = /^1013 gap \d+-\d+$/;

console.log(`streams: the promise is played ${RUNS} times from seed ${SEED}`);

const seed = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const faults: fc.Arbitrary<readonly Fault[]> = fc.subarray([...FAULTS]);

const play = (world: PromiseWorld, all: readonly Step[]): void => {
  for (const step of all) world.run(step);
  world.finish();
};

/** A client that was not closed knows the chain as it is, and all its logs. */
const judge = (world: PromiseWorld, client: ClientModel): void => {
  expect(client.faults).toEqual([]);
  if (client.closed !== undefined) return;
  const truth = world.chain.canonical.map(({ hash }) => hash);
  const known = client.stack.slice(client.stack.findIndex((hash) => truth.includes(hash)));
  expect(known).toEqual(truth.slice(truth.indexOf(known[0] ?? "")));
  expect([...client.live].toSorted()).toEqual([...client.expected()].toSorted());
};

/** One that comes back with its last cursor is brought to where all others are. */
const judgeReturn = (world: PromiseWorld, client: ClientModel, belief: Belief): void => {
  const { headCursor, logCursors } = belief;
  const { follower } = world.hub;
  if (headCursor !== undefined) {
    const cursor = { blockHash: headCursor, logIndex: undefined, isRemoved: false };
    const missed = follower.missedSince(cursor, "newHeads");
    expect(missed).not.toBe("ambiguous");
    if (missed === "ambiguous") return;
    const stack = [...belief.stack];
    for (const { hash, head } of missed?.blocks ?? []) {
      stack.splice(stack.lastIndexOf(head?.parentHash ?? "") + 1);
      stack.push(hash);
    }
    expect(stack.slice(-20)).toEqual(client.stack.slice(-20));
  }
  for (const cursor of logCursors) judgeLogs(world, client, belief, cursor);
};

const judgeLogs = (
  world: PromiseWorld,
  client: ClientModel,
  belief: Belief,
  cursor: Cursor,
): void => {
  const { follower } = world.hub;
  const missed = follower.missedSince(cursor, "logs");
  const block = follower.ring.get(cursor.blockHash);
  if (missed === "ambiguous") {
    // Its event was told more than once.
    expect(
      block !== undefined && (block.risenBefore.length > 0 || isAmbiguous(block, cursor)),
    ).toBe(true);
    return;
  }
  if (missed === undefined) {
    expect(follower.ring.heightOfTip - (block?.number ?? 0)).toBeGreaterThanOrEqual(LOG_BLOCKS);
    return;
  }
  const live = new Set(belief.live);
  // Like live events: what became canonical before it subscribed is not for it.
  const isWanted = ({ block, log }: PlacedLog) =>
    block.sequence > client.since &&
    (client.filter === undefined || log.bytes.includes(`"${client.filter}"`));
  for (const placed of missed.retracted.filter(isWanted)) {
    expect(live.delete(keyOfPlaced(placed))).toBe(true);
  }
  for (const placed of missed.logs.filter(isWanted)) {
    const key = keyOfPlaced(placed);
    expect(live.has(key)).toBe(false);
    live.add(key);
  }
  expect([...live].toSorted()).toEqual([...client.live].toSorted());
};

const keyOfPlaced = ({ block, log }: PlacedLog): string =>
  keyOf(block.hash, log.index, JSON.parse(log.bytes.toString()).data);

describe("the promise to each client of heads and logs", () => {
  it(
    "holds over any chain, faults of providers, lies and deaths of processes",
    () => {
      let halfTold = 0;
      fc.assert(
        fc.property(seed, faults, steps, (chance, bad, all) => {
          const gaps = { maxBackfillBlocks: 1_000, backfillTimeoutMs: 1e9 };
          const world = new PromiseWorld({ seed: chance, faults: bad, ...gaps });
          play(world, all);
          halfTold += world.halfTold;
          for (const client of world.clients) {
            // What is owed to clients from further down than is remembered is given up, and they are told.
            const isDeep = world.chain.tip.number > RING_BLOCKS || world.deepest > LOG_BLOCKS;
            if (!isDeep) expect(client.closed).toBeUndefined();
            else expect(client.closed ?? "1013 gap 0-0").toMatch(GAP);
            judge(world, client);
          }
        }),
        { numRuns: RUNS, seed: SEED },
      );
      // Kills that hit between two frames of one block.
      expect(halfTold).toBeGreaterThan(RUNS / 25);
    },
    TIMEOUT_MS,
  );

  it(
    "holds although a provider invents and changes logs of real blocks, on its stream and in answers",
    () => {
      let lies = 0;
      fc.assert(
        fc.property(seed, faults, lyingSteps, (chance, bad, all) => {
          const gaps = { maxBackfillBlocks: 1_000, backfillTimeoutMs: 1e9 };
          const lying = [...bad.filter((fault) => fault !== "drop"), "invent", "change"] as const;
          const world = new PromiseWorld({ seed: chance, faults: lying, ...gaps });
          play(world, all);
          lies += world.lies;
          for (const client of world.clients) judge(world, client);
        }),
        { numRuns: RUNS, seed: SEED },
      );
      expect(lies).toBeGreaterThan(RUNS / 4);
    },
    TIMEOUT_MS,
  );

  it(
    "or the client is closed and told which blocks it was not shown",
    () => {
      fc.assert(
        fc.property(seed, faults, steps, (chance, bad, all) => {
          const gaps = { maxBackfillBlocks: 12, backfillTimeoutMs: 3_000 };
          const world = new PromiseWorld({ seed: chance, faults: bad, ...gaps });
          play(world, all);
          for (const client of world.clients) {
            if (client.closed !== undefined) expect(client.closed).toMatch(GAP);
            judge(world, client);
          }
        }),
        { numRuns: RUNS / 4, seed: SEED },
      );
    },
    TIMEOUT_MS,
  );

  it(
    "has every log in its place while providers are only late, come and go, and processes die",
    () => {
      fc.assert(
        fc.property(seed, steps, (chance, all) => {
          const gaps = { maxBackfillBlocks: 1_000, backfillTimeoutMs: 1e9 };
          const world = new PromiseWorld({ seed: chance, faults: ["repeat", "fail"], ...gaps });
          play(world, all);
          for (const client of world.clients) expect(client.outOfOrder).toBe(0);
        }),
        { numRuns: RUNS / 4, seed: SEED },
      );
    },
    TIMEOUT_MS,
  );

  it(
    "is kept to a client that comes back with the last event it saw",
    () => {
      const some = fc.oneof(fewSteps, flippingSteps);
      fc.assert(
        fc.property(seed, faults, some, fc.nat(), (chance, bad, all, at) => {
          const gaps = { maxBackfillBlocks: 1_000, backfillTimeoutMs: 1e9 };
          const world = new PromiseWorld({
            seed: chance,
            faults: bad,
            isRemembered: true,
            ...gaps,
          });
          play(world, all);
          for (const client of world.clients) {
            const belief = client.beliefs[at % Math.max(1, client.beliefs.length)];
            if (belief !== undefined) judgeReturn(world, client, belief);
          }
        }),
        { numRuns: RUNS / 4, seed: SEED },
      );
    },
    TIMEOUT_MS,
  );
});
