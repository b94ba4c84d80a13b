import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PairedProvider, PairingResult } from "../../../src/pairing/protocol.ts";
import { pairingText } from "../../../src/pairing/rest/pairing-text.ts";
import { wirePairing } from "../../../src/pairing/rest/wire.ts";

const text = fc.string({ unit: "binary", maxLength: 20 });
const pick: fc.Arbitrary<PairedProvider> = fc.record(
  {
    address: text,
    score: fc.double(),
    stake: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
    location: text,
    components: fc.dictionary(text, fc.option(fc.double())),
    u: fc.double(),
    key: fc.double(),
  },
  { requiredKeys: ["address", "score", "stake", "location"] },
);
const result: fc.Arbitrary<PairingResult> = fc.record(
  {
    market: text,
    policy: fc.constant(null),
    filteredCount: fc.nat(),
    rankedCount: fc.nat(),
    topProviders: fc.array(pick, { maxLength: 6 }),
    processingTimeUs: fc.double(),
    cache: fc.constantFrom("hit", "miss", "off"),
    version: fc.nat(),
    blockedBy: text,
    survivors: fc.constant([{ filter: "stake", left: 0, alone: 1, sole: 1, transient: false }]),
    error: fc.constant(null),
  },
  {
    requiredKeys: [
      "market",
      "policy",
      "filteredCount",
      "rankedCount",
      "topProviders",
      "processingTimeUs",
      "cache",
      "version",
      "error",
    ],
  },
);

describe("the text of a pairing", () => {
  it("is what the plain way says, for whatever names and numbers", () => {
    const run = fc.property(result, fc.option(text, { nil: undefined }), (one, auditId) => {
      const plain = JSON.parse(JSON.stringify({ ...wirePairing(one), auditId })) as unknown;
      expect(JSON.parse(pairingText(one, auditId).text)).toEqual(plain);
    });
    fc.assert(run, { numRuns: 500 });
  });
});
