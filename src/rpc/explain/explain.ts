/** Makes the explanation of a request from what it tells. */
import { isPaired } from "../selection/paired.ts";
import type { Selected } from "../selection/selected.ts";
import { attemptRows, tenths, winner } from "./attempts.ts";
import { candidateRows, excludedRows, viewIn } from "./candidates.ts";
import type { ExplainRecord, HedgeRow } from "./record.ts";
import type { Told } from "./told.ts";

/** The explanation as of `nowMs`, the engine's time. */
export const explain = (told: Told, nowMs: number): ExplainRecord => {
  const { selected, attempts } = told;
  const won = winner(told);
  const record: ExplainRecord = {
    v: 1,
    request_id: told.requestId,
    client_request_id: told.clientRequestId ?? null,
    chain: told.chain,
    method: told.method,
    strategy: told.strategy,
    fallback: selected?.ranking.fallback ?? null,
    protocol: told.protocol,
    outcome: told.isDone ? told.outcome : "running",
    reason: told.reason ?? null,
    provider: told.provider ?? null,
    seed: selected?.demand.seed ?? null,
    snapshot: selected === undefined ? null : snapshotOf(selected),
    candidates: selected === undefined ? [] : candidateRows(selected, nowMs),
    excluded: selected === undefined ? [] : excludedRows(selected, nowMs),
    attempts: attemptRows(told, nowMs),
    attempts_omitted: Math.max(0, told.attemptCount - attempts.length),
    hedge: hedgeRow(told),
    timings: {
      select_us: selected === undefined ? null : Math.round(selected.tookMs * 1000),
      upstream_ms:
        won === undefined ? null : tenths(won.isSettled ? won.durationMs : nowMs - won.startMs),
      total_ms: tenths(told.isDone ? told.durationMs : nowMs - told.startMs),
    },
    cost: selected === undefined ? null : costOf(told, selected),
    pin: null,
    cache: { status: told.cache },
    flight: null,
    help: null,
    quorum: null,
    integrity: null,
    logs: null,
    write: null,
    client: null,
    pairing: selected === undefined ? null : pairingOf(selected),
    params: told.paramsBytes > 0 ? { bytes: told.paramsBytes } : null,
  };
  for (let note = told.notes; note !== undefined; note = note.next) note.describe(record);
  return record;
};

/** The caller's list, and who of the chain is not on it. */
const pairingOf = ({ demand, snapshot }: Selected): ExplainRecord["pairing"] => {
  const { paired, hasLeftList } = demand;
  if (paired === undefined) return null;
  const { consumer, epoch, revision, seed, mode, ids, members } = paired;
  const leftOut = snapshot.endpoints.filter((view) => !isPaired(paired, view));
  return {
    consumer,
    epoch,
    revision,
    seed,
    mode,
    ids: [...ids],
    gone: ids.filter((id) => !members.has(id)),
    left_out: leftOut.map(({ provider }) => provider),
    served_by: hasLeftList === true ? "market" : "list",
  };
};

const snapshotOf = ({ snapshot, atMs }: Selected): ExplainRecord["snapshot"] => ({
  version: snapshot.version,
  age_ms: Math.max(0, Math.round(atMs - snapshot.builtAtMs)),
  tip: snapshot.tip < 0 ? null : snapshot.tip,
});

const hedgeRow = ({ hedge, attempts, startMs }: Told): HedgeRow | null => {
  const sent = attempts.find(({ kind }) => kind === "hedge");
  if (hedge === undefined && sent === undefined) return null;
  const afterMs = hedge?.afterMs ?? (sent === undefined ? undefined : sent.startMs - startMs);
  return {
    fired: sent !== undefined || hedge?.fired === true,
    after_ms: afterMs === undefined ? null : tenths(afterMs),
    budget_left: hedge?.budgetLeft ?? null,
    denied_because: hedge?.deniedBecause ?? null,
  };
};

const MILLION = 1_000_000;

/** Units and price of all attempts together: a hedge is paid for as well. */
const costOf = ({ attempts, method }: Told, selected: Selected): ExplainRecord["cost"] => {
  let units = 0;
  let price = 0;
  for (const { provider } of attempts) {
    const cost = viewIn(selected, provider)?.cost;
    if (cost === undefined) continue;
    const each = cost.unitsByMethod[method] ?? cost.defaultUnits;
    units += each;
    price += (each * cost.pricePerMillionUnits) / MILLION;
  }
  return { units, price };
};
