/** The laws of a transaction's copies, over every order in which providers may speak. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Ballot, type BallotPolicy, type BallotStep } from "../../../src/rpc/write/ballot.ts";
import { refusalKind, verdictOf, type Verdict } from "../../../src/rpc/write/verdict.ts";

const verdicts: readonly Verdict[] = [
  "accepted",
  "known",
  "stale_nonce",
  "refused",
  "throttled",
  "not_taken",
  "unknown",
];

interface Script {
  readonly policy: BallotPolicy;
  readonly providers: number;
  readonly words: readonly { readonly verdict: Verdict; readonly reason: string }[];
  /** When a copy's time runs on without an answer. */
  readonly silences: readonly boolean[];
}

const scripts = fc
  .record({
    copies: fc.integer({ min: 1, max: 4 }),
    more: fc.integer({ min: 0, max: 3 }),
    isCareful: fc.boolean(),
    providers: fc.integer({ min: 0, max: 6 }),
    words: fc.array(
      fc.record({
        verdict: fc.constantFrom(...verdicts),
        reason: fc.constantFrom("price", "funds"),
      }),
      { minLength: 8, maxLength: 8 },
    ),
    silences: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
  })
  .map(({ copies, more, isCareful, ...rest }): Script => {
    const own = isCareful ? 1 : copies;
    return { policy: { copies: own, maxCopies: own + more, isCareful }, ...rest };
  });

/** Plays a script to its end as a flight would; tells what happened. */
const play = ({ policy, providers, words, silences }: Script) => {
  const ballot = new Ballot(policy);
  const heard: { verdict: Verdict; reason: string }[] = [];
  const sentAfter: Verdict[][] = [];
  let sent = 0;
  let atOnce = 0;
  const send = (): boolean => {
    if (sent === providers) return false;
    sent++;
    sentAfter.push(heard.map(({ verdict }) => verdict));
    ballot.sent();
    return true;
  };
  for (let copy = 0; copy < policy.copies; copy++) if (!send()) break;
  let step: BallotStep = ballot.step;
  for (let turn = 0; turn < 40; turn++) {
    while (step === "send") {
      if (!send()) ballot.exhausted();
      step = ballot.step;
    }
    atOnce = Math.max(atOnce, ballot.inFlight);
    if (step !== "wait") break;
    if (silences[turn] === true) ballot.widen();
    else {
      const word = words[heard.length] ?? { verdict: "not_taken", reason: "" };
      heard.push(word);
      ballot.took(word.verdict, word.reason);
    }
    step = ballot.step;
  }
  return { ballot, step, heard, sent, sentAfter, atOnce };
};

const says = (heard: readonly { verdict: Verdict }[], ...wanted: readonly Verdict[]): boolean =>
  heard.some(({ verdict }) => wanted.includes(verdict));

describe("the copies of a transaction", () => {
  it("come to an end, within their number", () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const { step, sent } = play(script);
        expect(["accepted", "look_up", "refused", "not_taken"]).toContain(step);
        expect(sent).toBeLessThanOrEqual(Math.min(script.policy.maxCopies, script.providers));
      }),
    );
  });

  it("are accepted when anybody took one, whatever the others say", () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const { step, heard } = play(script);
        expect(step === "accepted").toBe(says(heard, "accepted", "known"));
      }),
    );
  });

  it("are never called refused while anybody may have one", () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const { ballot, step, heard } = play(script);
        if (step !== "refused" && step !== "not_taken") return;
        expect(ballot.isInDoubt).toBe(false);
        expect(says(heard, "unknown", "accepted", "known")).toBe(false);
      }),
    );
  });

  it("stop at two refusals for one reason, at a stale nonce and at a limited sender", () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const { sentAfter } = play({ ...script, silences: [] });
        for (const before of sentAfter.slice(script.policy.copies)) {
          expect(before).not.toContain("stale_nonce");
          expect(before).not.toContain("throttled");
        }
      }),
    );
    const agreeing = play({
      policy: { copies: 2, maxCopies: 6, isCareful: false },
      providers: 6,
      words: Array.from({ length: 8 }, () => ({ verdict: "refused", reason: "funds" })),
      silences: [],
    });
    expect(agreeing).toMatchObject({ step: "refused", sent: 2 });
  });

  it("go on after a refusal until a second one agrees", () => {
    const { step, sent } = play({
      policy: { copies: 2, maxCopies: 6, isCareful: false },
      providers: 6,
      words: [
        { verdict: "refused", reason: "funds" },
        { verdict: "refused", reason: "price" },
        { verdict: "accepted", reason: "" },
      ],
      silences: [],
    });
    expect([step, sent]).toEqual(["accepted", 3]);
  });

  it("leave one at a time where care is asked for, and none after a silence", () => {
    fc.assert(
      fc.property(scripts, (script) => {
        const policy = { ...script.policy, copies: 1, isCareful: true };
        const { atOnce, sentAfter } = play({ ...script, policy });
        expect(atOnce).toBeLessThanOrEqual(1);
        for (const before of sentAfter) expect(before).not.toContain("unknown");
      }),
    );
  });
});

describe("the end of an attempt", () => {
  it.each([
    ["ok", undefined, "", "accepted"],
    ["tx_known", undefined, "already known", "known"],
    ["tx_rejected", undefined, "Nonce too low: next nonce 5", "stale_nonce"],
    ["tx_rejected", undefined, "OldNonce", "stale_nonce"],
    ["tx_rejected", undefined, "nonce too high", "refused"],
    ["tx_rejected", undefined, "sender is over rate limit", "throttled"],
    ["unmatched", undefined, "no", "refused"],
    ["rate_limit", undefined, "too many requests", "not_taken"],
    ["capability", undefined, "method not found", "not_taken"],
    ["transport", "refused", "", "not_taken"],
    ["transport", "reset", "", "unknown"],
    ["transport", "closed", "", "unknown"],
    ["server", undefined, "internal error", "unknown"],
    ["timeout", undefined, "", "unknown"],
    ["malformed", undefined, "", "unknown"],
  ] as const)("%s (%s, %s) means %s", (errorClass, failureKind, message, verdict) => {
    expect(verdictOf({ errorClass, failureKind, message })).toBe(verdict);
  });

  it("has a reason that vendors' words share", () => {
    const funds = ["insufficient funds for gas * price + value", "InsufficientFunds, Balance is 0"];
    expect(funds.map(refusalKind)).toEqual(["funds", "funds"]);
    expect(refusalKind("replacement transaction underpriced")).toBe("price");
    expect(refusalKind("max fee per gas less than block base fee")).toBe("price");
    expect(refusalKind("something else")).toBe("rejected");
  });
});
