/** Every request gets one answer, in time. */
import { wrong, type Invariant } from "./invariant.ts";

/** The gateway looks at deadlines every 5 ms, in slots of a few. */
export const SLACK_MS = 50;

/** Never twice, never later than the deadline, never not at all. */
export const answeredOnce: Invariant = {
  name: "answered-once",
  claim: `every request is answered exactly once, at the latest ${SLACK_MS} ms after its deadline`,
  watch: ({ waiting }) =>
    wrong(waiting, ({ n, overdueMs }) =>
      overdueMs > SLACK_MS ? `request ${n} is ${overdueMs} ms past its deadline` : undefined,
    ),
  judge: ({ requests }) =>
    wrong(requests, ({ n, answers, hasLeft, answeredAtMs, deadlineMs, methods }) => {
      const what = `request ${n} (${methods.join(", ")})`;
      if (hasLeft)
        return answers > 0 ? `${what} was answered after its client had left` : undefined;
      if (answers !== 1) return `${what} was answered ${answers} times`;
      const lateMs = (answeredAtMs as number) - deadlineMs;
      return lateMs > SLACK_MS ? `${what} was answered ${lateMs} ms late` : undefined;
    }),
};
