/** What travels from the queue to the workers and on to the results. */
import type { PairingResult, PairRequest } from "./protocol.ts";

/** One request on its way. */
export interface WorkItem {
  readonly id: number;
  readonly market: string;
  readonly request: PairRequest;
  /** Workers that have died of it, or with it. */
  readonly crashes: number;
}

/** What a worker gets when it has pulled: work, or that there will be none before the queue opens again. */
export type WorkMessage =
  | { readonly type: "work"; readonly item: WorkItem }
  | { readonly type: "closed"; readonly error: string };

/** A result with who made it; no worker for what never reached one. */
export interface WorkDone {
  readonly worker: number | undefined;
  readonly result: PairingResult;
}

/** So many workers may die with one request, then it is poison. */
export const MOST_CRASHES = 2;

/** The error of a request that workers die of. */
export const CRASHED_TWICE = "worker crashed twice";

/** The error of what was left in the queue when the time to stop was over. */
export const REJECTED_AT_STOP = "the service stopped before it was this policy's turn";
