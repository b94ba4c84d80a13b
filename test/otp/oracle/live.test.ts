/** Fresh random scenarios, live against real Erlang where it is installed. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { firstDifference } from "./compare.ts";
import { compareAll, scenariosOf, shrink } from "./differential.ts";
import { Erlang, hasErlang } from "./erlang/oracle.ts";
import { storeFound } from "./store.ts";

const SEED = Number(process.env["OTP_SEED"] ?? 1);
const SCENARIOS = Number(process.env["OTP_SCENARIOS"] ?? 500);
/** The bound is 60 s for all of them; this leaves room for shrinking one that differs. */
const TIMEOUT_MS = 240_000;

if (!hasErlang && process.env["CI"] === "true") {
  throw new Error("erl is missing: apt-get install erlang-base");
}
if (!hasErlang) {
  console.log("skipped: live comparison with Erlang, because erl and erlc are not installed here");
}

describe.skipIf(!hasErlang)("live against real Erlang", () => {
  let erlang: Erlang;

  beforeAll(() => {
    erlang = new Erlang();
  });

  afterAll(() => erlang.close());

  it(
    `tells the same story in ${SCENARIOS} random scenarios (OTP_SEED=${SEED})`,
    async () => {
      const { different } = await compareAll(erlang, scenariosOf(SEED, SCENARIOS));
      const [first] = different;
      if (first === undefined) return;
      const { comparison } = await shrink(erlang, SEED, first);
      const file = storeFound(comparison.scenario, comparison.expected);
      expect.fail(
        `${different.length} differ; the smallest of the first is kept as ${file}\n` +
          `${firstDifference(comparison.expected, comparison.actual)}\n` +
          `replay: npm run test:otp -- --seed ${SEED} --path ${first.index}`,
      );
    },
    TIMEOUT_MS,
  );
});
