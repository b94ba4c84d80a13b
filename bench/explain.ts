/**
 * What it costs a request to be explainable: the facts of its selection and its place in the ring;
 * and what the explanation costs whoever asks for it.
 *
 * Bar: facts + ring <= 500 ns a request.
 */
import { EvidenceBook } from "../src/rpc/evidence/evidence-book.ts";
import { BOOK_LIMITS, RequestBook } from "../src/rpc/explain/book.ts";
import { explain } from "../src/rpc/explain/explain.ts";
import type { Told, ToldAttempt } from "../src/rpc/explain/told.ts";
import { makeCall } from "../src/rpc/proxy/make-call.ts";
import type { ChainView } from "../src/rpc/proxy/ports.ts";
import { rank } from "../src/rpc/selection/rank.ts";
import { packFaults, packMore, type Selected } from "../src/rpc/selection/selected.ts";
import type { RoutingSnapshot } from "../src/rpc/selection/snapshot.ts";
import { costOf, interleave } from "./support/interleave.ts";
import { report } from "./support/report.ts";
import { snapshotOf, viewOf } from "./support/selection-data.ts";

const PROVIDERS = 5;
const METHOD = "eth_call";

const evidence = new EvidenceBook({ chain: "ethereum" });

const snapshots = Array.from({ length: 8 }, (_, version) =>
  snapshotOf(
    Array.from({ length: PROVIDERS }, (__, index) => viewOf(index, evidence, [METHOD])),
    version,
  ),
);
/** A new snapshot every so many requests, as under 4,000 requests a second. */
const PER_SNAPSHOT = 1_000;

let count = 0;
const next = (): number => ++count;

const selectedOf = (n: number): Selected => {
  const snapshot = snapshots[Math.floor(n / PER_SNAPSHOT) & 7] as RoutingSnapshot;
  const demand = { method: METHOD, seed: n };
  const ranking = rank(snapshot, demand);
  return {
    snapshot,
    demand,
    ranking,
    minHead: 0,
    faults: packFaults(ranking, 0, n),
    moreFaults: packMore(ranking, n),
    atMs: n,
    tookMs: performance.now() - n,
  };
};

/** A request as an exchange tells it: fields and getters, one attempt. */
class Request implements Told {
  readonly requestId: string;
  readonly clientRequestId = undefined;
  readonly chain = "ethereum";
  readonly method = METHOD;
  readonly strategy = "leaderboard";
  readonly protocol = "http";
  readonly isDone = true;
  readonly outcome = "ok";
  readonly reason = undefined;
  readonly provider = "provider-0";
  readonly cache = "MISS";
  readonly startMs: number;
  readonly durationMs = 4;
  readonly attempts: readonly ToldAttempt[];
  readonly notes = undefined;
  readonly paramsBytes = 80;
  readonly selected: Selected | undefined;

  constructor(n: number, selected: Selected | undefined) {
    this.requestId = `bench-${n.toString(36)}`;
    this.startMs = n;
    this.selected = selected;
    this.attempts = [
      {
        provider: "provider-0",
        row: row0,
        kind: "primary",
        errorClass: "ok",
        isSettled: true,
        status: 200,
        error: undefined,
        failureKind: undefined,
        cancelledBecause: undefined,
        startMs: n,
        durationMs: 4,
        expiresAtMs: n + 800,
      },
    ];
  }

  get attemptCount(): number {
    return this.attempts.length;
  }
}

const row0 = { transport: "http" } as const;
const book = new RequestBook(BOOK_LIMITS);
const call = makeCall({ name: "ethereum" } as ChainView, METHOD, '[{"to":"0x1"},"latest"]');

const costs = interleave(
  [
    {
      name: "bare",
      run: (times) => {
        let sum = 0;
        for (let i = 0; i < times; i++) {
          const n = next();
          const snapshot = snapshots[Math.floor(n / PER_SNAPSHOT) & 7] as RoutingSnapshot;
          const ranking = rank(snapshot, { method: METHOD, seed: n });
          sum += new Request(n, undefined).requestId.length + ranking.candidates.length;
        }
        return sum;
      },
    },
    {
      name: "facts",
      run: (times) => {
        let sum = 0;
        for (let i = 0; i < times; i++) {
          const n = next();
          const request = new Request(n, selectedOf(n));
          sum += request.requestId.length + (request.selected?.faults ?? 0);
        }
        return sum;
      },
    },
    {
      name: "facts and ring",
      run: (times) => {
        for (let i = 0; i < times; i++) {
          const n = next();
          book.keep(new Request(n, selectedOf(n)), call, "state");
        }
        return book.ring.size;
      },
    },
  ],
  200_000,
);
const bare = costOf(costs, "bare");
for (const name of ["facts", "facts and ring"]) {
  const added = costOf(costs, name) - bare;
  report({
    bench: "explain",
    case: `${name}, added to a request`,
    value: added,
    unit: "ns",
    ...(name === "facts and ring" ? { bar: "<= 500 ns", ok: added <= 500 } : {}),
  });
}

const kept = book.ring.find(`bench-${count.toString(36)}`);
if (kept === undefined) throw new Error("the last request is not in the ring");
const [record] = interleave(
  [
    {
      name: "record",
      run: (times) => {
        let sum = 0;
        for (let i = 0; i < times; i++) sum += JSON.stringify(explain(kept, count + i)).length;
        return sum;
      },
    },
  ],
  2_000,
);
report({
  bench: "explain",
  case: `the record of a request, ${PROVIDERS} providers, as JSON`,
  value: (record?.minNs ?? Number.NaN) / 1_000,
  unit: "us",
});
report({
  bench: "explain",
  case: "a full ring of 1,000 requests, by its own count",
  value: book.ring.bytes / 1_024,
  unit: "KiB",
});
