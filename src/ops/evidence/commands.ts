/** The leaderboard and the races behind it, over the admin socket. */
import { anyone, type Command } from "../admin/command.ts";
import { chainsNamed } from "../admin/chains.ts";
import { AdminError } from "../admin/protocol.ts";
import type { AdminDeps } from "../admin/ports.ts";
import { MAX_POINTS, MAX_ROWS } from "./api.ts";
import { RESULTS, STREAMS } from "./port.ts";
import {
  historyReport,
  LEADERBOARD_ORDERS,
  type LeaderboardOrder,
  leaderboardReport,
  type Moment,
  racesReport,
  type RacesWanted,
} from "./reports.ts";

const momentOf = (deps: AdminDeps): Moment => ({ nowMs: deps.now(), wallMs: deps.wallNow() });

/** Race rows shown when nothing is said. */
const USUAL_ROWS = 20;

/** The commands. */
export const EVIDENCE_COMMANDS: Readonly<Record<string, Command>> = {
  leaderboard: {
    summary: "Providers by what races and calls have shown, best first; or how they stood before.",
    role: anyone,
    args: {
      chain: { kind: "text", meaning: "only this chain" },
      by: {
        kind: "choice",
        meaning: "the chain's ranking, or a race score",
        choices: LEADERBOARD_ORDERS,
      },
      sinceMs: {
        kind: "duration",
        meaning: "the hourly leaderboards of the last so long instead",
        min: 1,
        max: 86_400_000,
      },
    },
    run: ({ chain, by, sinceMs }, deps) => {
      const moment = momentOf(deps);
      const chains = chainsNamed(deps, chain);
      if (sinceMs !== undefined) {
        const wanted = {
          sinceMs: moment.wallMs - Number(sinceMs),
          untilMs: moment.wallMs,
          limit: MAX_POINTS,
        };
        return {
          chains: chains.map((view) => historyReport(view, deps.evidence(view.name), wanted)),
        };
      }
      const order = { by: by as LeaderboardOrder | undefined, limit: MAX_ROWS };
      return {
        chains: chains.map((view) =>
          leaderboardReport(view, deps.evidence(view.name), moment, order),
        ),
      };
    },
  },
  races: {
    summary: "Results of races, one per provider and event: won, lost by how much, missed.",
    role: anyone,
    args: {
      chain: { kind: "text", meaning: "the chain, when several run" },
      since: { kind: "whole", meaning: "only those after this seq", min: 0 },
      sinceMs: { kind: "duration", meaning: "only those of the last so long", min: 1 },
      limit: { kind: "whole", meaning: "rows", min: 1, max: MAX_ROWS },
      provider: { kind: "text", meaning: "only of this provider" },
      event: { kind: "choice", meaning: "only of this stream", choices: STREAMS },
      result: { kind: "choice", meaning: "only those that ended so", choices: RESULTS },
    },
    run: ({ chain, since, sinceMs, limit = USUAL_ROWS, ...only }, deps) => {
      const chains = chainsNamed(deps, chain);
      const [view] = chains;
      if (view === undefined || chains.length > 1) {
        const names = chains.map(({ name }) => name).join(", ");
        throw new AdminError("OPS_BAD_ARGS", `of which chain? ${names || "none runs"}`);
      }
      const moment = momentOf(deps);
      const wanted = { ...only, limit: Number(limit), since: sinceOf(since, sinceMs, moment) };
      return racesReport(view, deps.evidence(view.name), moment, wanted);
    },
  },
};

const sinceOf = (seq: unknown, agoMs: unknown, { wallMs }: Moment): RacesWanted["since"] => {
  if (seq !== undefined) return { seq: Number(seq) };
  return agoMs === undefined ? undefined : { wallMs: wallMs - Number(agoMs) };
};
