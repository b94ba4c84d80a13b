/** The last reports of the runtime over the admin socket (otp.md 6.4). */
import { anyone, type Command } from "./command.ts";
import { REPORTS_KEPT } from "./reports.ts";

const DEFAULT_REPORTS = 50;

/** The command. */
export const REPORT_COMMANDS: Readonly<Record<string, Command>> = {
  reports: {
    summary: "The last reports of supervisors, restarts, crashes, long turns, ends of workers.",
    role: anyone,
    args: {
      since: { kind: "whole", meaning: "only those after this seq", min: 0 },
      sinceMs: { kind: "duration", meaning: "only those of the last so many ms", alias: "ms" },
      limit: {
        kind: "whole",
        meaning: "rows, the newest; 50 when not given",
        min: 1,
        max: REPORTS_KEPT,
      },
    },
    run: ({ since, sinceMs, limit = DEFAULT_REPORTS }, deps) =>
      deps.reports.select({ since: known(since), sinceMs: known(sinceMs), limit: Number(limit) }),
  },
};

const known = (value: unknown): number | undefined =>
  value === undefined ? undefined : Number(value);
