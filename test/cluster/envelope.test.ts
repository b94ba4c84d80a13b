import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Envelopes, MAX_MESSAGE_BYTES } from "../../src/cluster/envelope.ts";
import { KINDS, type Message } from "../../src/cluster/protocol.ts";

const SECRET = "CANARY-secret-of-the-cluster";
const here = new Envelopes(SECRET, "paceline:cluster");

const name = fc.string({ minLength: 1, maxLength: 20 });
const message: fc.Arbitrary<Message> = fc.record({
  region: name,
  instance: name,
  incarnation: fc.nat(),
  sequence: fc.nat(),
  kind: fc.constantFrom(...KINDS),
  heard: fc.array(
    fc.record({
      region: name,
      instance: name,
      incarnation: fc.nat(),
      sequence: fc.nat(),
      names: fc.nat(),
      boards: fc.nat(),
    }),
    { maxLength: 4 },
  ),
  payload: fc.dictionary(fc.string({ maxLength: 8 }), fc.string({ maxLength: 8 }), {
    noNullPrototype: true,
  }),
});

const refusalOf = (bytes: Buffer): string => {
  const opened = here.open(bytes);
  return opened.ok ? "none" : opened.refusal;
};

describe("the envelope of a message between regions", () => {
  it("gives back what was sealed", () => {
    fc.assert(
      fc.property(message, (one) => {
        expect(here.open(here.seal(one))).toEqual({ ok: true, message: one });
      }),
    );
  });

  it("is refused when any byte was changed, cut off or added", () => {
    fc.assert(
      fc.property(message, fc.nat(), fc.integer({ min: 1, max: 255 }), (one, at, flip) => {
        const bytes = here.seal(one);
        const changed = Buffer.from(bytes);
        const place = at % changed.length;
        changed[place] = (changed[place] ?? 0) ^ flip;
        expect(["foreign", "unsigned"]).toContain(refusalOf(changed));
        expect(["foreign", "unsigned"]).toContain(refusalOf(bytes.subarray(0, place)));
        expect(refusalOf(Buffer.concat([bytes, Buffer.of(flip)]))).toBe("unsigned");
      }),
    );
  });

  it("survives any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.boolean(), (bytes, isOurs) => {
        const text = Buffer.concat([Buffer.from(isOurs ? "PLR1" : ""), bytes]);
        expect(here.open(text).ok).toBe(false);
      }),
    );
  });

  it("is known as our own when it comes back, the last of them at least", () => {
    const [one, two] = fc.sample(message, { numRuns: 2, seed: 2 }) as [Message, Message];
    const [us, them] = [new Envelopes(SECRET, "c"), new Envelopes(SECRET, "c")];
    const first = us.seal(one);
    expect(us.isEcho(Buffer.from(first))).toBe(true);
    expect(us.isEcho(them.seal({ ...two, region: "other" }))).toBe(false);
    expect(us.isEcho(Buffer.from("PLR1"))).toBe(false);
    for (let sequence = 0; sequence < 100; sequence++) us.seal({ ...one, sequence });
    expect(us.isEcho(first)).toBe(false);
    expect(us.open(first)).toEqual({ ok: true, message: one });
  });

  it("is of one secret and one channel", () => {
    const one = fc.sample(message, { numRuns: 1, seed: 1 })[0] as Message;
    const other = new Envelopes("another secret of a cluster", "paceline:cluster");
    const elsewhere = new Envelopes(SECRET, "staging:cluster");
    expect(refusalOf(other.seal(one))).toBe("unsigned");
    expect(refusalOf(elsewhere.seal(one))).toBe("unsigned");
    expect(here.seal(one).toString("latin1")).not.toContain("CANARY");
  });

  it("names another layout, and looks at nothing that is too heavy", () => {
    const opened = here.open(Buffer.from("PLR2whatever comes then"));
    expect(opened).toMatchObject({ ok: false, refusal: "foreign", detail: "layout 2" });
    expect(refusalOf(Buffer.alloc(MAX_MESSAGE_BYTES + 1))).toBe("oversized");
  });

  it("holds members of the right kinds, or the message is malformed", () => {
    const good = { region: "r", instance: "i", incarnation: 1, sequence: 1, kind: "beat" as const };
    const row = { region: "r", instance: "i", incarnation: 1, sequence: 1, names: 0, boards: 0 };
    for (const bad of [
      { ...good, heard: [], region: "" },
      { ...good, heard: [], incarnation: -1 },
      { ...good, heard: [], sequence: 0.5 },
      { ...good, heard: [{ ...row, names: -1 }] },
      { ...good, heard: [{ ...row, region: "x".repeat(200) }] },
      { ...good, heard: Array.from({ length: 300 }, () => row) },
    ]) {
      expect(refusalOf(here.seal({ ...bad, payload: 0 }))).toBe("malformed");
    }
    const unknown = { ...good, heard: [], payload: 0, kind: "wish" } as unknown as Message;
    expect(refusalOf(here.seal(unknown))).toBe("malformed");
  });
});
