/** Tests of the judges: each of them can find fault, and finds none in a good run. */
import { describe, expect, it } from "vitest";
import { INVARIANTS } from "./invariants/all.ts";
import type { Evidence, Gauge, Sight, WriteRecord } from "./invariants/invariant.ts";
import type { SimRequest } from "./load/reader.ts";
import type { SeenHead, StreamRecord } from "./load/subscriber.ts";
import { POISON } from "./faults/poison.ts";
import type { DeliveryFact } from "./world/deliveries.ts";

const sight: Sight = {
  atMs: 20_000,
  processes: [
    { pid: "#1", name: "application", kind: "supervisor", mailbox: 0, orphanSinceMs: undefined },
    { pid: "#2", name: "worker", kind: "worker", mailbox: 0, orphanSinceMs: undefined },
  ],
  names: [{ name: "worker", pid: "#2" }],
  gauges: [{ what: "timers", value: 2, limit: 2 }],
  waiting: [{ n: 1, overdueMs: -100 }],
};

const request: SimRequest = {
  n: 1,
  chain: "alpha",
  methods: ["eth_gasPrice"],
  askedAtMs: 1_000,
  deadlineMs: 11_000,
  hasLeft: false,
  answers: 1,
  answeredAtMs: 1_010,
  isOk: true,
  detail: undefined,
  isPromised: true,
  isLie: false,
  keptFault: undefined,
};

/** Blocks 1 to `count`, each the child of the one before. */
const heads = (count: number): readonly SeenHead[] =>
  Array.from({ length: count }, (_, index) => ({
    number: index + 1,
    hash: `h${index + 1}`,
    parentHash: `h${index}`,
  }));

const stream: StreamRecord = {
  client: 1,
  chain: "alpha",
  mayClose: false,
  heads: heads(19),
  subscriptionIds: ["0x1"],
  headFaults: [],
  logFaults: [],
  logs: 0,
  closedWith: undefined,
  openedAtMs: 1_000,
  untilMs: 20_000,
};

const copyTo = (provider: string): DeliveryFact => ({
  kind: "copy",
  atMs: 1_000,
  provider,
  isTaken: true,
});

const refusedBy = (provider: string): DeliveryFact => ({
  kind: "copy",
  atMs: 1_000,
  provider,
  isTaken: false,
});

const endedAs = (result: string): DeliveryFact => ({ kind: "end", atMs: 1_010, result });

const write: WriteRecord = {
  raw: "0x0201",
  facts: [copyTo("a"), copyTo("b"), endedAs("accepted")],
  answers: [{ isOk: true, detail: undefined, answeredAtMs: 1_010 }],
};

const restart = (atMs: number, inWindow: number) => ({
  supervisor: "top",
  pid: "#9",
  child: "worker",
  atMs,
  inWindow,
  intensity: 2,
  delayMs: 0,
});

const death = {
  process: "worker",
  cause: "kill",
  diedAtMs: 1_000,
  backAtMs: 1_000,
  excuse: undefined,
} as const;

const row = {
  name: "alpha/p0 http",
  state: "closed",
  isUsable: true,
  unusableReason: undefined,
  isSuspect: false,
};

const good: Evidence = {
  requests: [request],
  streams: [stream],
  writes: [write],
  restarts: [restart(1_500, 1), restart(1_600, 2), restart(13_000, 1), restart(13_100, 2)],
  giveUps: [{ supervisor: "top", pid: "#9", atMs: 13_200 }],
  recoveries: [death],
  errors: [{ atMs: 1, what: "otp.crash worker", detail: POISON }],
  exits: new Map([["#9", "shutdown"]]),
  afterlife: [],
  zombies: { counted: 3, told: 3 },
  hasEnded: false,
  losses: [],
  expectedPlaces: ["application", "application > worker"],
  places: [
    { path: "application", pid: "#1", status: "running" },
    { path: "application > worker", pid: "#2", status: "running" },
  ],
  expectedNames: ["worker"],
  rows: [row],
  leftovers: [{ what: "requests", value: 0, limit: 0 }],
  last: sight,
};

const judgements = (evidence: Evidence): readonly string[] =>
  INVARIANTS.flatMap(({ name, judge }) => (judge?.(evidence) ?? []).map(() => name));

const watchings = (seen: Sight): readonly string[] =>
  INVARIANTS.flatMap(({ name, watch }) => (watch?.(seen) ?? []).map(() => name));

const badRuns: readonly (readonly [string, string, Partial<Evidence>])[] = [
  [
    "writes",
    "a transaction that one provider got twice",
    { writes: [{ ...write, facts: [copyTo("a"), copyTo("a")] }] },
  ],
  [
    "writes",
    "a transaction that a provider got again after it was taken",
    { writes: [{ ...write, facts: [...write.facts, copyTo("b")] }] },
  ],
  [
    "writes",
    "a transaction that a provider got again although its fate was unknown",
    {
      writes: [{ ...write, facts: [refusedBy("a"), endedAs("unknown"), copyTo("a")] }],
    },
  ],
  [
    "writes",
    "a transaction that came to nothing although a provider has it, its client having left",
    { writes: [{ ...write, facts: [copyTo("a"), endedAs("not_taken")], answers: [] }] },
  ],
  [
    "writes",
    "a transaction that came to be accepted although nobody has it, its client having left",
    { writes: [{ ...write, facts: [refusedBy("a"), endedAs("accepted")], answers: [] }] },
  ],
  [
    "writes",
    "a transaction that is called failed although a provider has it",
    {
      writes: [
        {
          ...write,
          answers: [{ isOk: false, detail: '{"reason":"exhausted"}', answeredAtMs: 1_010 }],
        },
      ],
    },
  ],
  [
    "writes",
    "a transaction that is called sent although nobody has it",
    {
      writes: [{ ...write, facts: [refusedBy("a")] }],
    },
  ],
  ["answered-once", "a request without an answer", { requests: [{ ...request, answers: 0 }] }],
  ["answered-once", "a request with two answers", { requests: [{ ...request, answers: 2 }] }],
  [
    "answered-once",
    "an answer after the deadline",
    { requests: [{ ...request, answeredAtMs: 11_051 }] },
  ],
  [
    "answered-once",
    "an answer to a client that had left",
    { requests: [{ ...request, hasLeft: true }] },
  ],
  [
    "availability",
    "two of a thousand promised reads that failed",
    {
      requests: Array.from({ length: 1_000 }, (_, n) => ({ ...request, n, isOk: n > 1 })),
    },
  ],
  ["no-lies", "a lie that passed a quorum", { requests: [{ ...request, isLie: true }] }],
  [
    "no-orphans",
    "an orphan after healing",
    {
      last: {
        ...sight,
        processes: sight.processes.map((one) => ({ ...one, orphanSinceMs: 19_000 })).slice(1),
      },
    },
  ],
  ["shape", "a place that is missing", { places: good.places.slice(0, 1) }],
  ["shape", "a place that nobody fills", { places: good.places.map((p) => ({ ...p, pid: null })) }],
  ["shape", "a place that nobody asked for", { expectedPlaces: ["application"] }],
  ["shape", "a program that has ended", { hasEnded: true }],
  [
    "budgets",
    "a supervisor that restarts more than it may",
    { restarts: [restart(1_500, 1), restart(1_600, 2), restart(1_700, 3)], giveUps: [] },
  ],
  [
    "budgets",
    "a supervisor that counts wrong",
    { restarts: [restart(1_500, 1), restart(1_600, 1)], giveUps: [] },
  ],
  ["budgets", "a supervisor that gives up too early", { restarts: [restart(13_100, 1)] }],
  ["budgets", "a supervisor that gives up and lives on", { exits: new Map() }],
  ["breakers", "an open breaker", { rows: [{ ...row, state: "open" }] }],
  ["breakers", "a quarantined endpoint", { rows: [{ ...row, isUsable: false }] }],
  ["breakers", "a suspect endpoint", { rows: [{ ...row, isSuspect: true }] }],
  ["memory", "a call that is left", { leftovers: [{ what: "calls", value: 1, limit: 0 }] }],
  ["streams", "a closed client", { streams: [{ ...stream, closedWith: "1013 gap" }] }],
  ["streams", "two ids", { streams: [{ ...stream, subscriptionIds: ["0x1", "0x2"] }] }],
  ["streams", "no id", { streams: [{ ...stream, subscriptionIds: [] }] }],
  ["streams", "a missing head", { streams: [{ ...stream, heads: heads(19).toSpliced(5, 1) }] }],
  [
    "streams",
    "a head twice",
    { streams: [{ ...stream, heads: heads(19).toSpliced(5, 0, heads(5)[4] as SeenHead) }] },
  ],
  [
    "streams",
    "a head without its parent",
    { streams: [{ ...stream, heads: heads(19).map((h) => ({ ...h, parentHash: "hx" })) }] },
  ],
  ["streams", "silence", { streams: [{ ...stream, heads: heads(10) }] }],
  [
    "streams",
    "a branch that is not the chain",
    { streams: [{ ...stream, headFaults: ["stray"] }] },
  ],
  ["streams", "a log twice", { streams: [{ ...stream, logFaults: ["double log"] }] }],
  [
    "kept-answers",
    "a kept answer of a replaced block",
    { requests: [{ ...request, keptFault: "block 7 was 0xa, the chain names 0xb" }] },
  ],
  ["names", "a name that nobody holds", { expectedNames: ["worker", "other"] }],
  ["names", "a name that nothing asks for", { expectedNames: [] }],
  [
    "names",
    "a name that two hold",
    { last: { ...sight, names: [...sight.names, ...sight.names] } },
  ],
  ["recovery", "a slow return", { recoveries: [{ ...death, backAtMs: 1_501 }] }],
  ["recovery", "no return", { recoveries: [{ ...death, backAtMs: undefined }] }],
  ["zombies", "a zombie that nobody told of", { zombies: { counted: 3, told: 2 } }],
  ["zombies", "a deed of the dead", { afterlife: ["head.tip of #4 at 7"] }],
  [
    "quiet-log",
    "an error that nothing explains",
    { errors: [{ atMs: 1, what: "otp.crash worker", detail: "TypeError" }] },
  ],
];

const gauge: Gauge = { what: "mailbox of worker", value: 10_001, limit: 10_000 };

const badSights: readonly (readonly [string, string, Partial<Sight>])[] = [
  ["answered-once", "a request past its deadline", { waiting: [{ n: 1, overdueMs: 51 }] }],
  ["memory", "a full mailbox", { gauges: [gauge] }],
  ["names", "a name of the dead", { names: [{ name: "worker", pid: "#3" }] }],
  [
    "no-orphans",
    "an orphan that stays",
    { processes: sight.processes.map((one) => ({ ...one, orphanSinceMs: 14_899 })).slice(1) },
  ],
];

describe("the judges of the simulation", () => {
  it("find nothing wrong with a good run", () => {
    expect(judgements(good)).toEqual([]);
    expect(watchings(sight)).toEqual([]);
  });

  it.each(badRuns)("%s: finds %s", (name, _what, bad) => {
    expect(judgements({ ...good, ...bad })).toContain(name);
  });

  it.each(badSights)("%s: sees %s", (name, _what, bad) => {
    expect(watchings({ ...sight, ...bad })).toContain(name);
  });

  it("can each find fault", () => {
    const tested = new Set([...badRuns, ...badSights].map(([name]) => name));
    expect(INVARIANTS.map(({ name }) => name).filter((name) => !tested.has(name))).toEqual([]);
  });

  it("let a transaction that came to nothing be sent anew, though its client left unanswered", () => {
    const facts = [refusedBy("a"), endedAs("not_taken"), ...write.facts];
    expect(judgements({ ...good, writes: [{ ...write, facts, answers: [] }] })).toEqual([]);
  });

  it("excuse what is explained: slow clients, backoff, lost records", () => {
    const excused: Partial<Evidence> = {
      streams: [
        { ...stream, mayClose: true, closedWith: "1013 slow consumer" },
        { ...stream, closedWith: "1013 the records of chain alpha were lost" },
      ],
      losses: [19_000],
      recoveries: [{ ...death, backAtMs: 9_000, excuse: "backoff" }],
    };
    expect(judgements({ ...good, ...excused })).toEqual([]);
  });
});
