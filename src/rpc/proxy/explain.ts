/** Says how a call was served: the attempts header and the explanation record. */
import type { Attempt } from "./attempt/attempt.ts";
import type { CallRecord } from "./call-record.ts";

/** `alchemy=primary:timeout:812;infura=failover:ok:44:won` */
export function attemptsText(record: CallRecord): string {
  const { attempts } = record;
  // Nearly every call: one attempt, one string.
  if (attempts.length === 1) return attemptText(record, attempts[0] as Attempt);
  return attempts.map((attempt) => attemptText(record, attempt)).join(";");
}

function attemptText(record: CallRecord, attempt: Attempt): string {
  const { provider, kind, isSettled } = attempt;
  // A streaming attempt is still running when the headers leave.
  const durationMs = isSettled ? attempt.durationMs : record.now() - attempt.startMs;
  const outcome = isSettled ? attempt.errorClass : "ok";
  const won = provider === record.provider ? ":won" : "";
  return `${provider}=${kind}:${outcome}:${Math.round(durationMs)}${won}`;
}

/** The explanation as JSON text; the ranking's components say why each provider stood where it did. */
export function metaText(record: CallRecord): string {
  const { ranking, call } = record;
  return JSON.stringify({
    request_id: record.requestId,
    chain: record.chain,
    method: record.method,
    strategy: record.strategy,
    snapshot: call.chain.snapshot?.version ?? null,
    candidates:
      ranking?.candidates.map(({ view, row, score, tier, relaxed }, index) => ({
        provider: view.provider,
        transport: row.transport,
        rank: index + 1,
        score,
        tier,
        ...(relaxed.length === 0 ? {} : { relaxed }),
      })) ?? [],
    excluded: ranking?.excluded ?? [],
    attempts: record.attempts.map((attempt) => ({
      provider: attempt.provider,
      transport: attempt.row.transport,
      kind: attempt.kind,
      class: attempt.isSettled ? attempt.errorClass : "ok",
      ms: Math.round(attempt.durationMs * 10) / 10,
    })),
    cache: record.cache,
    timings: { total_ms: Math.round(record.durationMs * 10) / 10 },
  });
}
