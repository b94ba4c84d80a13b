/** Commands between regions over a channel whose keeper withholds, repeats, reorders and makes up. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Cluster } from "../../src/cluster/cluster.ts";
import { Asking } from "../../src/cluster/steering/asking.ts";
import { Serving, type StreamDoor } from "../../src/cluster/steering/serving.ts";
import { Steering } from "../../src/cluster/steering/steering.ts";
import {
  addressed,
  isFor,
  type Order,
  outcomeOf,
  partsOf,
  readOrder,
  readReply,
  type Reply,
} from "../../src/cluster/steering/wire.ts";
import { CARD, SECRET, TIMES } from "./regions-support.ts";

const CHANNEL = "paceline:cluster";
const LIMIT_MS = 5_000;

interface Carried {
  readonly question: number;
  readonly atMs: number;
}

/** A region without processes: whoever tests it decides what it hears, and when. */
class Pure {
  readonly cluster: Cluster;
  readonly steering: Steering;
  readonly carried: Carried[] = [];

  constructor(region: string, now: () => number, secret = SECRET) {
    this.cluster = new Cluster({
      self: { region, instance: `of-${region}`, incarnation: 1 },
      secret,
      channel: CHANNEL,
      times: TIMES,
      card: () => CARD,
    });
    this.steering = new Steering(this.cluster, ({ args }, _door, settle) => {
      this.carried.push({ question: Number(args["question"]), atMs: now() });
      settle({ ok: args["question"] });
    });
    this.cluster.membership.connected(true, 0);
  }

  hear(bytes: Buffer, nowMs: number): void {
    const taken = this.cluster.take(bytes, nowMs);
    if (taken.kind !== "taken") return;
    const { message } = taken;
    if (message.kind === "order" || message.kind === "reply") this.steering.take(message, nowMs);
  }
}

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("ask" as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("beat" as const), who: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("meet" as const) }) },
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant("deliver" as const),
      who: fc.nat(1),
      /** From the newest. */
      which: fc.nat(12),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("tamper" as const),
      which: fc.nat(12),
      at: fc.nat(),
      flip: fc.integer({ min: 1, max: 255 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("forge" as const) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.oneof(fc.nat(TIMES.heartbeatMs), fc.nat(TIMES.leaseMs)),
    }),
  },
);

describe("a command to another region", () => {
  it("is carried out once at most, within a lease, never made up, and always answered once", () => {
    const seen = { carried: 0, refused: 0, answered: 0 };
    fc.assert(
      fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
        let nowMs = 0;
        const now = (): number => nowMs;
        const [eu, us, forger] = [
          new Pure("eu", now),
          new Pure("us", now),
          new Pure("eu", now, "what somebody else takes for the secret"),
        ] as const;
        const both = [eu, us] as const;
        const said: Buffer[] = [];
        const asked: number[] = [];
        const answers: number[] = [];
        const say = (): void => {
          for (const { steering } of both) said.push(...steering.due(nowMs));
        };
        const introduce = (): void => {
          for (let round = 0; round < 3; round++) {
            for (const one of both) {
              const bytes = one.cluster.beat(nowMs);
              for (const other of both) other.hear(bytes, nowMs);
            }
          }
        };
        nowMs = TIMES.joinMs;
        for (const { cluster } of both) cluster.tick(nowMs);
        introduce();
        for (const one of steps) {
          const at = (which: number): Buffer | undefined => said.at(-1 - which);
          switch (one.do) {
            case "ask": {
              const question = asked.length;
              asked.push(nowMs);
              answers.push(0);
              const order = { cmd: "exit", args: { question }, role: "admin", limitMs: LIMIT_MS };
              eu.steering.ask("us", order, nowMs, () => {
                answers[question] = (answers[question] ?? 0) + 1;
              });
              break;
            }
            case "beat":
              said.push(both[one.who === 0 ? 0 : 1].cluster.beat(nowMs));
              break;
            case "meet":
              introduce();
              break;
            case "deliver": {
              const bytes = at(one.which);
              if (bytes !== undefined) both[one.who === 0 ? 0 : 1].hear(bytes, nowMs);
              break;
            }
            case "tamper": {
              const bytes = at(one.which);
              if (bytes === undefined) break;
              const changed = Buffer.from(bytes);
              const place = one.at % changed.length;
              changed[place] = (changed[place] ?? 0) ^ one.flip;
              us.hear(changed, nowMs);
              break;
            }
            case "forge": {
              const order = { form: "run", id: 9, cmd: "exit", args: { question: -1 } } as const;
              const payload = addressed(us.cluster.membership.self, { ...order, role: "admin" });
              us.hear(forger.cluster.say("order", payload, nowMs), nowMs);
              break;
            }
            default:
              nowMs += one.ms;
              for (const { cluster, steering } of both) {
                cluster.tick(nowMs);
                steering.tick(nowMs);
              }
          }
          say();
        }
        const carried = us.carried.map(({ question }) => question);
        expect(new Set(carried).size, "carried out twice").toBe(carried.length);
        expect(eu.carried).toEqual([]);
        for (const { question, atMs } of us.carried) {
          expect(question, "made up").toBeGreaterThanOrEqual(0);
          expect(atMs - (asked[question] ?? 0), "too late").toBeLessThanOrEqual(TIMES.leaseMs);
        }
        nowMs += TIMES.leaseMs + LIMIT_MS + 1;
        eu.cluster.tick(nowMs);
        eu.steering.tick(nowMs);
        expect(answers).toEqual(asked.map(() => 1));
        seen.carried += carried.length;
        seen.answered += answers.length;
        const { refused } = us.cluster.view(nowMs);
        seen.refused += refused.replayed + refused.expired + refused.unsigned;
      }),
      { numRuns: 200 },
    );
    // The property says something only if commands also arrive, and are also refused.
    expect(Math.min(seen.carried, seen.refused, seen.answered)).toBeGreaterThan(50);
    expect(seen.answered).toBeGreaterThan(seen.carried);
  });
});

describe("a stream of another region", () => {
  const speaker = (region: string) => ({ region, instance: "i", incarnation: 1 });
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ do: fc.constant("push" as const), chars: fc.nat(20_000) }),
    },
    { weight: 4, arbitrary: fc.record({ do: fc.constant("tick" as const) }) },
    {
      weight: 4,
      arbitrary: fc.record({ do: fc.constant("deliver" as const), isLost: fc.boolean() }),
    },
  );

  it("brings events in order, and tells how many are missing, whatever is lost on the way", () => {
    const seen = { came: 0, dropped: 0 };
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 80 }), (steps) => {
        const [eu, us] = [speaker("eu"), speaker("us")];
        const back: Reply[] = [];
        const forth: Order[] = [];
        const doors: StreamDoor[] = [];
        const serving = new Serving(
          TIMES.leaseMs,
          (_order, door, settle) => {
            door.open((stream) => (doors.push(stream), () => undefined));
            settle({ ok: {} });
          },
          (_to, reply) => void back.push(reply),
        );
        const asking = new Asking(TIMES.leaseMs, (_to, order) => void forth.push(order));
        const came: number[] = [];
        const ends: string[] = [];
        let dropped = 0;
        const there = (): "there" => "there";
        const deliver = (isLost: boolean): void => {
          for (const order of forth.splice(0)) serving.take(eu, order, 0);
          for (const reply of back.splice(0)) if (!isLost) asking.take(us, reply, 0);
        };
        const question = { cmd: "trace", args: {}, role: "operator", limitMs: LIMIT_MS };
        asking.ask(us, question, 0, (answer) => {
          if (!answer.ok) return;
          answer.feed?.watch({
            push: ({ n }) => void came.push(Number(n)),
            drop: (count) => {
              dropped += count;
            },
            end: (reason) => void ends.push(reason),
          });
        });
        deliver(false);
        deliver(false);
        let pushed = 0;
        for (const one of steps) {
          if (one.do === "push") doors[0]?.push({ n: pushed++, text: "x".repeat(one.chars) });
          else if (one.do === "deliver") deliver(one.isLost);
          else {
            serving.tick(0, there);
            asking.tick(0, there);
          }
        }
        doors[0]?.end("count");
        // As many turns as the window needs to open again.
        for (let turn = 0; turn < 4; turn++) {
          serving.tick(0, there);
          deliver(false);
          asking.tick(TIMES.leaseMs, there);
          deliver(false);
        }
        expect(came).toEqual([...came].sort((a, b) => a - b));
        expect(new Set(came).size).toBe(came.length);
        expect([came.length + dropped, ends]).toEqual([pushed, ["count"]]);
        expect(serving.counts).toEqual({ running: 0, streams: 0 });
        seen.came += came.length;
        seen.dropped += dropped;
      }),
      { numRuns: 200 },
    );
    expect(Math.min(seen.came, seen.dropped)).toBeGreaterThan(100);
  });
});

describe("what regions say to steer each other", () => {
  const speaker = { region: "us", instance: "i", incarnation: 2 };
  const word = fc.string({ minLength: 1, maxLength: 64 });
  const fields = fc.dictionary(fc.string(), fc.jsonValue(), { noNullPrototype: true });

  it("is read as it was written, and is for one instance", () => {
    const order = fc.oneof(
      fc.record({
        form: fc.constant("run" as const),
        id: fc.nat(),
        cmd: word,
        args: fields,
        role: word,
      }),
      fc.record({ form: fc.constant("keep" as const), id: fc.nat(), through: fc.nat() }),
      fc.record({ form: fc.constant("stop" as const), id: fc.nat() }),
    );
    const reply = fc.oneof(
      fc.record({
        form: fc.constant("events" as const),
        id: fc.nat(),
        batch: fc.nat(),
        before: fc.nat(),
        events: fc.array(fields),
      }),
      fc.record({
        form: fc.constant("end" as const),
        id: fc.nat(),
        before: fc.nat(),
        reason: word,
        facts: fields,
      }),
    );
    const travelled = (what: Parameters<typeof addressed>[1]): unknown =>
      JSON.parse(JSON.stringify(addressed(speaker, what)));
    fc.assert(
      fc.property(order, reply, (one, other) => {
        // -0 is 0 in JSON.
        const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));
        expect(readOrder(travelled(one))).toEqual(plain(one));
        expect(readReply(travelled(other))).toEqual(plain(other));
        expect(isFor(travelled(one), speaker)).toBe(true);
        for (const changed of [{ region: "eu" }, { instance: "j" }, { incarnation: 3 }]) {
          expect(isFor(travelled(one), { ...speaker, ...changed })).toBe(false);
        }
      }),
    );
  });

  it("may be any JSON", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (payload, text) => {
        expect(() => [readOrder(payload), readReply(payload), outcomeOf(text)]).not.toThrow();
        expect([undefined, false]).toContain(isFor(payload, speaker));
      }),
    );
  });

  it("joins an outcome from its parts", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.boolean(), (ok, isStream) => {
        const outcome = JSON.parse(JSON.stringify({ ok: ok ?? null, isStream }));
        const parts = partsOf(1, outcome) ?? [];
        const text = parts.map((part) => (part.form === "part" ? part.text : "")).join("");
        expect(outcomeOf(text)).toEqual(outcome);
      }),
    );
    expect(outcomeOf('{"error":{"code":"A","message":"b","hint":"c"}}')).toEqual({
      error: { code: "A", message: "b", hint: "c" },
    });
    expect(outcomeOf("{}")).toBeUndefined();
    const [part] = partsOf(1, { ok: 1n, isStream: false }) ?? [];
    expect(part?.form === "part" && outcomeOf(part.text)).toMatchObject({
      error: { code: "OPS_FAILED", message: expect.stringContaining("BigInt") },
    });
  });
});
