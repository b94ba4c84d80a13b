/** What a request must tell so that it can be explained: while it runs, at its end, or from the ring. */
import type { ErrorClass } from "../errors/classes.ts";
import type { ChainName, ProviderId, Transport } from "../ids.ts";
import type { Selected } from "../selection/selected.ts";
import type { AttemptKind, Note } from "./record.ts";

/** One attempt. */
export interface ToldAttempt {
  readonly provider: ProviderId;
  readonly row: { readonly transport: Transport };
  readonly kind: AttemptKind;
  readonly errorClass: ErrorClass;
  /** False while its answer streams or is waited for. */
  readonly isSettled: boolean;
  /** HTTP status or close code. */
  readonly status?: number | undefined;
  readonly error?: { readonly code: number } | undefined;
  readonly failureKind?: string | undefined;
  readonly cancelledBecause?: "client_gone" | "lost" | undefined;
  readonly startMs: number;
  readonly durationMs: number;
  readonly expiresAtMs: number;
}

/** The hedge, as far as the exchange thought of one. */
export interface ToldHedge {
  readonly fired: boolean;
  readonly afterMs: number | undefined;
  readonly budgetLeft: number | undefined;
  readonly deniedBecause: string | undefined;
}

/** One request. */
export interface Told {
  readonly requestId: string;
  readonly clientRequestId: string | undefined;
  readonly chain: ChainName;
  readonly method: string;
  readonly strategy: string;
  readonly protocol: Transport;
  /** False while it runs or its answer streams. */
  readonly isDone: boolean;
  readonly outcome: "ok" | "error" | "gone";
  readonly reason: string | undefined;
  readonly provider: ProviderId | undefined;
  readonly cache: string;
  readonly startMs: number;
  /** From request to answer; 0 while it runs. */
  readonly durationMs: number;
  readonly selected: Selected | undefined;
  readonly attempts: readonly ToldAttempt[];
  /** More than `attempts` when only some of them are kept. */
  readonly attemptCount: number;
  readonly hedge?: ToldHedge | undefined;
  readonly notes: Note | undefined;
  /** Bytes of the parameters; 0 without. */
  readonly paramsBytes: number;
}
