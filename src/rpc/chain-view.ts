/**
 * What the request path reads of one chain: live cells and one immutable routing snapshot.
 *
 * Nothing here is a process. The processes of the chain own and refresh these records; the request
 * path only reads them and bumps counters, so a request never waits in a mailbox.
 */
import type { ErrorClass } from "./errors/classes.ts";
import type { ChainName, ProviderId, Transport } from "./ids.ts";

/** States of a circuit breaker as the request path sees them. */
export type BreakerState = "closed" | "open" | "half_open";

/** What may still be asked of a provider (`budget/provider-budget.ts`). */
export interface EndpointBudget {
  /** A user's call may be sent now. */
  admits(nowMs: number): boolean;
  /** What is spent, if anything: ms until a call may be sent, or units used of how many. */
  spent(nowMs: number):
    | {
        readonly rule: "rate" | "quota";
        readonly value: number;
        readonly limit: number | undefined;
      }
    | undefined;
  /** There is enough left for traffic that no user waits for. */
  sparesBackground(nowMs: number): boolean;
  /** A call of `method` was sent. */
  charge(method: string, nowMs: number): void;
}

/**
 * The admission cell of one provider x transport. One writer per field: the breaker process writes
 * `state`, `openUntilMs`, `generation`, `forced` and clears `dirty`; the provider pool writes
 * `cooldownUntilMs`, `isUsable`, `unusableReason`, `head`, `headHash`; the request path sets `dirty` and counts.
 */
export interface EndpointRow {
  readonly chain: ChainName;
  readonly provider: ProviderId;
  readonly transport: Transport;
  /** The other region that it is, which helps; undefined for a provider. */
  readonly region?: string | undefined;
  /** Position in the chain's provider list; the bit of this provider in a tried-mask. */
  readonly index: number;
  state: BreakerState;
  /** Monotonic ms; meaningful while open. */
  openUntilMs: number;
  /** Admission token: outcomes that carry an older generation are ignored by the breaker. */
  generation: number;
  forced: boolean;
  /** A failure was reported and the breaker has not come back to clean closed since. */
  dirty: boolean;
  /** Rate-limit cooldown, monotonic ms; 0 when none. */
  cooldownUntilMs: number;
  /** Stall rule verdict: attempts are in flight but none completes. */
  suspect: boolean;
  /** Hard verdict of the pool: false when cordoned, on a wrong chain, without this transport. */
  isUsable: boolean;
  unusableReason: string | undefined;
  /** Last head this provider reported, or -1 when it never did. */
  head: number;
  /** Hash of that head; only a provider that pushes its heads tells. */
  headHash?: string | undefined;
  /** When it reported that head, monotonic ms. */
  headAtMs?: number;
  /** Limits of the provider, written by the provider pool; undefined: none. */
  budget?: EndpointBudget | undefined;
  inFlight: number;
  /** Successes since start; bumped by the request path. */
  successes: number;
  /** Attempts finished in any way since start. */
  completed: number;
  /** Attempts that the endpoint itself ended, with whatever answer; the stall rule reads it. */
  answered: number;
}

/** How one dispatched attempt ended; exactly one per attempt. */
export interface AttemptOutcome {
  readonly row: EndpointRow;
  readonly generation: number;
  readonly method: string;
  readonly errorClass: ErrorClass;
  readonly durationMs: number;
  /** Retry-After or a cooldown hint of the provider, in ms. */
  readonly retryAfterMs?: number | undefined;
  /** HTTP status, or the WebSocket close code. */
  readonly status?: number | undefined;
  /** Redacted text of the failure, for logs and events. */
  readonly detail?: string | undefined;
  /** The highest block that the call named. */
  readonly block?: number | undefined;
}

/** The served tip of a chain (json-rpc reference, head truth). */
export interface HeadView {
  readonly number: number;
  readonly hash: string | undefined;
  readonly atMs: number;
  readonly blockTimeMs: number;
  /** How often the tip has fallen since the start: a height of another count may be gone. */
  readonly falls?: number;
  /** What providers name for the tags, once known; see `consistency/finality`. */
  readonly safe?: number | undefined;
  readonly finalized?: number | undefined;
}
