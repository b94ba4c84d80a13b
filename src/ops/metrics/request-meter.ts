/**
 * Counts requests and attempts on the request path: a few map look-ups and cell bumps, no labels.
 *
 * The scrape copies the cells (`samplers/`). Every map is bounded: beyond its bound a name counts
 * under `_OTHER`, so that a client's invented methods cost one cell.
 */
import { DurationCells } from "../../lib/duration-cells.ts";
import { methodClassOf } from "./method-class.ts";
import { OTHER } from "./table.ts";

const MAX_CHAINS = 256;
const MAX_PROVIDERS = 256;
const MAX_METHODS = 64;
const MAX_REASONS = 64;

/** The end of a client's request, as far as it is counted. */
export interface CountedRequest {
  readonly chain: string;
  readonly method: string;
  readonly protocol: "http" | "ws";
  readonly outcome: "ok" | "error" | "gone";
  readonly reason: string | undefined;
  readonly durationMs: number;
}

/** The end of one attempt, as far as it is counted. */
export interface CountedAttempt {
  readonly row: {
    readonly chain: string;
    readonly provider: string;
    readonly transport: "http" | "ws";
  };
  readonly method: string;
  readonly errorClass: string;
  readonly durationMs: number;
}

/** How an error class counts in the per-method counters. */
type AttemptOutcome = "ok" | "failed" | "neutral";

const OUTCOME_OF: Readonly<Record<string, AttemptOutcome>> = {
  ok: "ok",
  empty: "ok",
  revert: "ok",
  invalid_params: "ok",
  tx_rejected: "ok",
  tx_known: "ok",
  user: "ok",
  transport: "failed",
  server: "failed",
  malformed: "failed",
  wrong_chain: "failed",
  timeout: "failed",
  auth: "failed",
};

/** Attempts over one transport of one provider. */
export class EndpointCells {
  readonly byClass = new Map<string, number>();
  readonly durations = new DurationCells();
}

/** Attempts at one provider. */
export class ProviderCells {
  readonly http = new EndpointCells();
  readonly ws = new EndpointCells();
  readonly byMethod = new Map<string, Record<AttemptOutcome, number>>();
}

/** Requests for one chain. */
export class ChainCells {
  readonly requests = {
    http: { ok: 0, error: 0, gone: 0 },
    ws: { ok: 0, error: 0, gone: 0 },
  };
  readonly reasons = new Map<string, number>();
  readonly durations = new Map<string, DurationCells>();
  readonly providers = new Map<string, ProviderCells>();
}

/** Implements the request path's observer; one for the whole program. */
export class RequestMeter {
  readonly #chains = new Map<string, ChainCells>();

  /** The cells, for the scrape. */
  get chains(): ReadonlyMap<string, ChainCells> {
    return this.#chains;
  }

  /** Counts the end of a client's request. */
  request(record: CountedRequest): void {
    const cells = entry(this.#chains, record.chain, MAX_CHAINS, newChain);
    cells.requests[record.protocol][record.outcome] += 1;
    if (record.outcome === "error") bump(cells.reasons, record.reason ?? "unknown", MAX_REASONS);
    // Few classes, so this map needs no bound.
    entry(cells.durations, methodClassOf(record.method), MAX_METHODS, newDurations).record(
      record.durationMs,
    );
  }

  /** Counts the end of one attempt. */
  attempt(outcome: CountedAttempt): void {
    const { chain, provider, transport } = outcome.row;
    const providers = entry(this.#chains, chain, MAX_CHAINS, newChain).providers;
    const cells = entry(providers, provider, MAX_PROVIDERS, newProvider);
    const endpoint = cells[transport];
    bump(endpoint.byClass, outcome.errorClass, MAX_REASONS);
    endpoint.durations.record(outcome.durationMs);
    const method = entry(cells.byMethod, outcome.method, MAX_METHODS, newOutcomes);
    method[OUTCOME_OF[outcome.errorClass] ?? "neutral"] += 1;
  }

  /** Forgets chains and providers that no longer run. */
  retain(isLive: (chain: string, provider: string | undefined) => boolean): void {
    for (const [chain, cells] of this.#chains) {
      if (chain !== OTHER && !isLive(chain, undefined)) this.#chains.delete(chain);
      for (const provider of cells.providers.keys()) {
        if (provider !== OTHER && !isLive(chain, provider)) cells.providers.delete(provider);
      }
    }
  }
}

const newChain = (): ChainCells => new ChainCells();
const newProvider = (): ProviderCells => new ProviderCells();
const newDurations = (): DurationCells => new DurationCells();
const newOutcomes = (): Record<AttemptOutcome, number> => ({ ok: 0, failed: 0, neutral: 0 });

function entry<Value>(
  map: Map<string, Value>,
  key: string,
  limit: number,
  create: () => Value,
): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const room = map.size < limit ? key : OTHER;
  const value = map.get(room) ?? create();
  map.set(room, value);
  return value;
}

function bump(map: Map<string, number>, key: string, limit: number): void {
  const known = map.get(key);
  const room = known !== undefined || map.size < limit ? key : OTHER;
  map.set(room, (map.get(room) ?? 0) + 1);
}
