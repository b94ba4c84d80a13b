/**
 * Fits an explanation into a header: what says least about this request goes first, and the record
 * says that something went. Proxies and servers refuse header blocks of more than 8 KB.
 */
import type { CandidateRow, ExplainRecord } from "./record.ts";

/** Longest header value, characters of base64url. */
export const MAX_META_HEADER = 4096;
/** Bytes of JSON that fit it. */
const MAX_JSON_BYTES = Math.floor((MAX_META_HEADER * 3) / 4);

/** The explanation as base64url JSON of at most 4 KB. */
export const metaHeader = (record: ExplainRecord): string => {
  let json = JSON.stringify(record);
  for (const step of STEPS) {
    if (Buffer.byteLength(json) <= MAX_JSON_BYTES) break;
    json = JSON.stringify({ ...step(record), truncated: true });
  }
  return Buffer.from(json, "utf8").toString("base64url");
};

type Less = Readonly<Record<string, unknown>>;

/** Each leaves out more than the one before it. */
const STEPS: readonly ((record: ExplainRecord) => Less)[] = [
  (record) => ({ ...record, candidates: record.candidates.map(briefly) }),
  (record) => ({
    ...record,
    candidates: record.candidates.slice(0, FEW).map(briefly),
    excluded: record.excluded.slice(0, FEW),
    attempts: record.attempts.slice(0, MORE),
  }),
  ({ v, request_id, chain, method, strategy, provider, cache, attempts, timings }) => ({
    v,
    request_id,
    chain,
    method,
    strategy,
    provider,
    cache: { status: cache.status },
    attempts: attempts.slice(0, FEW),
    timings,
  }),
  ({ v, request_id }) => ({ v, request_id }),
];

const FEW = 5;
const MORE = 10;

const briefly = ({ provider, transport, rank, score, tier }: CandidateRow): Less => ({
  provider,
  transport,
  rank,
  score,
  tier,
});
