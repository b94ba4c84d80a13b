/** The paths below `/api/v1/chains/:chain` that show evidence; docs/evidence.md has their shapes. */
import { PROVIDER_STATES } from "../status.ts";
import type { ClusterPort } from "../regions/port.ts";
import { sharedBoards } from "../regions/report.ts";
import type { ChainView } from "../views.ts";
import { RESULTS, STREAMS, type ChainEvidence } from "./port.ts";
import {
  momentField,
  nameField,
  readQuery,
  sinceField,
  wholeField,
  wordField,
  type QueryFault,
} from "./query.ts";
import {
  historyReport,
  LEADERBOARD_ORDERS,
  leaderboardReport,
  metricsReport,
  type Moment,
  providersReport,
  racesReport,
} from "./reports.ts";

/** What one question is answered from. */
export interface Asked {
  readonly chain: ChainView;
  readonly evidence: ChainEvidence | undefined;
  readonly moment: Moment;
  readonly query: URLSearchParams;
  readonly cluster: ClusterPort;
}

/** A body, or what is wrong with the question. */
export type EvidenceAnswer = { readonly ok: true; readonly body: unknown } | QueryFault;

/** Rows that an answer holds at most. */
export const MAX_ROWS = 1_000;
/** Race rows when nothing is said. */
export const USUAL_RACES = 100;
/** Points of the history that are kept, at most. */
export const MAX_POINTS = 300;
/** Points when nothing is said: a day of hours. */
export const USUAL_POINTS = 24;

const rows = wholeField(1, MAX_ROWS);

/** What is answered at each path. */
export const EVIDENCE_PATHS: Readonly<Record<string, (asked: Asked) => EvidenceAnswer>> = {
  leaderboard: ({ chain, evidence, moment, query, cluster }) => {
    const fields = { by: wordField(LEADERBOARD_ORDERS), limit: rows, region: nameField };
    const read = readQuery(query, fields);
    if (!read.ok) return read;
    const { by = "rank", limit = MAX_ROWS, region } = read.values;
    const own = leaderboardReport(chain, evidence, moment, { by, limit });
    if (region === undefined) return { ok: true, body: own };
    const regions = sharedBoards(cluster.boardsOf(chain.name), { region, limit });
    return { ok: true, body: { ...own, regions } };
  },
  "leaderboard/history": ({ chain, evidence, moment, query }) => {
    const read = readQuery(query, {
      since: momentField(moment.wallMs),
      until: momentField(moment.wallMs),
      limit: wholeField(1, MAX_POINTS),
    });
    if (!read.ok) return read;
    const { since = 0, until = moment.wallMs, limit = USUAL_POINTS } = read.values;
    const wanted = { sinceMs: since, untilMs: until, limit };
    return { ok: true, body: historyReport(chain, evidence, wanted) };
  },
  metrics: ({ chain, evidence, moment, query }) => {
    const read = readQuery(query, {
      provider: nameField,
      event: wordField(STREAMS),
      transport: wordField(["http", "ws"] as const),
      method: nameField,
      limit: rows,
    });
    if (!read.ok) return read;
    const { limit = MAX_ROWS, ...only } = read.values;
    return { ok: true, body: metricsReport(chain, evidence, moment, { ...only, limit }) };
  },
  races: ({ chain, evidence, moment, query }) => {
    const read = readQuery(query, {
      since: sinceField(moment.wallMs),
      limit: rows,
      provider: nameField,
      event: wordField(STREAMS),
      result: wordField(RESULTS),
    });
    if (!read.ok) return read;
    const { limit = USUAL_RACES, ...only } = read.values;
    return { ok: true, body: racesReport(chain, evidence, moment, { ...only, limit }) };
  },
  providers: ({ chain, moment, query }) => {
    const read = readQuery(query, {
      state: wordField(PROVIDER_STATES),
      after: nameField,
      limit: rows,
    });
    if (!read.ok) return read;
    const { limit = MAX_ROWS, ...only } = read.values;
    return { ok: true, body: providersReport(chain, moment, { ...only, limit }) };
  },
};
