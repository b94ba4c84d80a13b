/** Leaderboards and races as text for people. */
import type { HistoryReport, LeaderboardReport, RacesReport } from "../evidence/reports.ts";
import { clean, table, type Paint } from "./terminal.ts";

const percent = (ratio: number | null): string =>
  ratio === null ? "" : `${(ratio * 100).toFixed(1)} %`;
const score = (value: number | null): string => (value === null ? "" : value.toFixed(3));
const ms = (value: number | null): string => (value === null ? "" : `${value.toFixed(1)} ms`);

/** Leaderboards as one table. */
export function renderLeaderboards(chains: readonly LeaderboardReport[], paint: Paint): string {
  const lines = chains.flatMap(({ chain, leaderboard }) =>
    leaderboard.map((row) => [
      clean(chain),
      row.rank === null ? "" : String(row.rank),
      clean(row.provider),
      ["healthy", "unknown"].includes(row.state) ? paint.good(row.state) : paint.warn(row.state),
      score(row.score),
      score(row.pace_score),
      score(row.race_score),
      String(row.wins),
      String(row.races),
      percent(row.win_ratio),
      percent(row.miss_ratio),
      ms(row.avg_margin_ms),
      percent(row.reliability),
      ms(row.p50_ms),
    ]),
  );
  const head = ["CHAIN", "RANK", "PROVIDER", "STATE", "SCORE", "PACE", "RACE SCORE", "WON"];
  return table([...head, "RACES", "WINS", "MISSED", "LOST BY", "RELIABLE", "P50"], lines);
}

/** Earlier leaderboards, a line per provider and moment. */
export function renderHistory(chains: readonly HistoryReport[], paint: Paint): string {
  const lines = chains.flatMap(({ chain, history }) =>
    history.flatMap(({ at, leaderboard }) =>
      leaderboard.map((row, place) => [
        clean(chain),
        paint.dim(clean(at)),
        String(place + 1),
        clean(row.provider),
        score(row.pace_score),
        score(row.race_score),
        String(row.wins),
        String(row.races),
        percent(row.win_ratio),
        ms(row.avg_margin_ms),
        ms(row.p50_ms),
      ]),
    ),
  );
  if (lines.length === 0)
    return paint.dim("no snapshot yet: the first one is an hour after the start");
  const head = ["CHAIN", "AT", "PLACE", "PROVIDER", "PACE", "RACE SCORE", "WON", "RACES"];
  return table([...head, "WINS", "LOST BY", "P50"], lines);
}

/** Race rows, a line each. */
export function renderRaces({ races, last, next }: RacesReport, paint: Paint): string {
  if (races.length === 0) return paint.dim("no races");
  const lines = races.map((row) => raceLine(row, paint));
  const more = `${last - next} more; --since ${next} goes on`;
  return [...lines, ...(next < last ? [paint.dim(more)] : [])].join("\n");
}

/** One race row. */
export function raceLine(row: RacesReport["races"][number], paint: Paint): string {
  const { seq, at, provider, event, result, margin_ms: marginMs } = row;
  const mark = result === "win" ? paint.good : result === "missed" ? paint.bad : paint.dim;
  const margin = marginMs === null ? "" : `  ${marginMs.toFixed(3)} ms late`;
  return `${paint.dim(`${seq}  ${clean(at)}`)}  ${event}  ${clean(provider)}  ${mark(result)}${margin}`;
}
