/**
 * The last requests that were slow, and the last that failed: two bounded lists, so that a storm of
 * failures does not wash out the slow ones. Parameters are outlined, never kept.
 */
import type { AttemptRow } from "./record.ts";
import { attemptRows, tenths } from "./attempts.ts";
import type { ParamsOutline } from "./params.ts";
import type { Told } from "./told.ts";

/** Bounds of the log. */
export interface SlowLogLimits {
  /** A request that takes longer is slow, ms. */
  readonly thresholdMs: number;
  /** Entries of each list. */
  readonly entries: number;
}

/** One request of the log. */
export interface SlowEntry {
  /** Counts the entries of this run, from 1 and without gaps. */
  readonly seq: number;
  readonly why: "slow" | "failed";
  readonly request_id: string;
  readonly client_request_id: string | null;
  readonly chain: string;
  readonly method: string;
  readonly strategy: string;
  readonly protocol: "http" | "ws";
  readonly outcome: "ok" | "error" | "gone";
  readonly reason: string | null;
  readonly provider: string | null;
  readonly cache: string;
  readonly total_ms: number;
  readonly attempts: readonly AttemptRow[];
  readonly attempts_omitted: number;
  readonly params: ParamsOutline | null;
  /** When it ended, engine ms. */
  readonly endMs: number;
}

/** Attempts that an entry lists. */
const MAX_ATTEMPTS = 16;

/** The log of one node. */
export class SlowLog {
  #limits: SlowLogLimits;
  readonly #slow: SlowEntry[] = [];
  readonly #failed: SlowEntry[] = [];
  #count = 0;

  constructor(limits: SlowLogLimits) {
    this.#limits = limits;
  }

  /** Other bounds, at a reload. */
  resize(limits: SlowLogLimits): void {
    this.#limits = limits;
    for (const list of [this.#slow, this.#failed]) {
      list.splice(0, Math.max(0, list.length - limits.entries));
    }
  }

  /** Whether a request belongs here; `hasFailed` when it ended in what no client has asked for. */
  wants(durationMs: number, hasFailed: boolean): boolean {
    return hasFailed || durationMs > this.#limits.thresholdMs;
  }

  /** Adds a request that `wants` said yes to. */
  add(told: Told, hasFailed: boolean, params: ParamsOutline | undefined): void {
    const { thresholdMs, entries } = this.#limits;
    if (entries === 0) return;
    const isSlow = told.durationMs > thresholdMs;
    const list = isSlow ? this.#slow : this.#failed;
    const endMs = told.startMs + told.durationMs;
    const attempts = told.attempts.slice(0, MAX_ATTEMPTS);
    list.push({
      seq: ++this.#count,
      why: hasFailed ? "failed" : "slow",
      request_id: told.requestId,
      client_request_id: told.clientRequestId ?? null,
      chain: told.chain,
      method: told.method,
      strategy: told.strategy,
      protocol: told.protocol,
      outcome: told.outcome,
      reason: told.reason ?? null,
      provider: told.provider ?? null,
      cache: told.cache,
      total_ms: tenths(told.durationMs),
      attempts: attemptRows(
        { attempts, provider: told.provider, outcome: told.outcome, startMs: told.startMs },
        endMs,
      ),
      attempts_omitted: told.attemptCount - attempts.length,
      params: params ?? null,
      endMs,
    });
    if (list.length > entries) list.shift();
  }

  /** Those after `since`, oldest first, at most the newest `limit`; and how many there were of them. */
  select(
    since: number,
    limit: number,
  ): { readonly total: number; readonly entries: readonly SlowEntry[] } {
    const found = [...this.#slow, ...this.#failed]
      .filter(({ seq }) => seq > since)
      .sort((a, b) => a.seq - b.seq);
    return { total: found.length, entries: limit === 0 ? [] : found.slice(-limit) };
  }
}
