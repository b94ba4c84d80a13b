/** Commands between regions over a channel whose keeper withholds, repeats, reorders and makes up. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Cluster } from "../../src/cluster/cluster.ts";
import { Steering } from "../../src/cluster/steering/steering.ts";
import {
  addressed,
  isFor,
  outcomeOf,
  partsOf,
  readOrder,
  readReply,
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
  });
});
