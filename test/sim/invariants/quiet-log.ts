/** Nothing is announced as an error that the injected faults do not explain. */
import { POISON } from "../faults/poison.ts";
import { wrong, type Invariant } from "./invariant.ts";

/** What the table of faults leads to: an injected crash, a used-up budget, a wrong chain. */
const EXPECTED: readonly ((what: string, detail: string) => boolean)[] = [
  (what, detail) => what.startsWith("otp.crash") && detail.includes(POISON),
  (what, detail) =>
    what.startsWith("otp.report") && detail.includes("reached_max_restart_intensity"),
  (what, detail) => what.startsWith("provider.quarantined") && detail.includes("999999"),
];

/** Errors in the log and among the events, apart from the expected ones. */
export const quietLog: Invariant = {
  name: "quiet-log",
  claim: "no error is logged or announced but those that the injected faults lead to",
  judge: ({ errors }) =>
    wrong(errors, ({ atMs, what, detail }) =>
      EXPECTED.some((isExpected) => isExpected(what, detail))
        ? undefined
        : `at ${atMs} ${what}: ${detail.slice(0, 400)}`,
    ),
};
