/** `paceline leaderboard` and `paceline races`. */
import type { HistoryReport, LeaderboardReport, RacesReport } from "../../evidence/reports.ts";
import { askAndShow, withClient } from "../ask.ts";
import { type InstanceOptions, type Since, watchMs } from "../options.ts";
import { raceLine, renderHistory, renderLeaderboards, renderRaces } from "../render-evidence.ts";
import { type Paint, paintFor, type Terminal } from "../terminal.ts";

/** `paceline leaderboard`. */
export function showLeaderboard(
  chain: string | undefined,
  options: InstanceOptions & { readonly by?: string; readonly since?: number },
  terminal: Terminal,
): Promise<number> {
  const { by, since } = options;
  const question = {
    cmd: "leaderboard",
    args: since === undefined ? { chain, by } : { chain, sinceMs: since },
    render: (
      { chains }: { readonly chains: readonly (LeaderboardReport | HistoryReport)[] },
      paint: Paint,
    ) =>
      since === undefined
        ? renderLeaderboards(chains as readonly LeaderboardReport[], paint)
        : renderHistory(chains as readonly HistoryReport[], paint),
  };
  return askAndShow(question, options, terminal);
}

/** While watching nothing is left out: as many as the instance answers with. */
const ALL = 1_000;

interface RacesOptions extends InstanceOptions {
  readonly since?: Since;
  readonly limit?: number;
  readonly provider?: string;
}

/** `paceline races`. */
export function showRaces(
  chain: string | undefined,
  options: RacesOptions,
  terminal: Terminal,
): Promise<number> {
  const { provider, limit } = options;
  const intervalMs = watchMs(options);
  const args = { chain, provider, limit, ...options.since };
  if (intervalMs === undefined) {
    const question = {
      cmd: "races",
      args,
      render: (reply: RacesReport, paint: Paint) => renderRaces(reply, paint),
    };
    return askAndShow(question, options, terminal);
  }
  const paint = paintFor(terminal);
  return withClient(options, terminal, "viewer", async (client) => {
    let next: object = args;
    for (;;) {
      const reply = (await client.ask("races", { ...next })) as RacesReport;
      for (const row of reply.races) {
        terminal.out(`${options.json === true ? JSON.stringify(row) : raceLine(row, paint)}\n`);
      }
      if (reply.missed > 0) terminal.err(`${reply.missed} rows are gone: too many to keep up\n`);
      next = { chain, provider, since: reply.next, limit: ALL };
      await new Promise((done) => setTimeout(done, intervalMs));
    }
  });
}
