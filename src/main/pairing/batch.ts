/** Many requests at once, a slice at a time: the loop is free for others between slices. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { PairingMarket } from "../../pairing/market.ts";
import type { BatchReport, PairingResult, PairRequest } from "../../pairing/protocol.ts";

/** Who pairs many requests at once. */
export type BatchRunner = (
  market: PairingMarket,
  requests: readonly PairRequest[],
  signal: AbortSignal | undefined,
) => Promise<BatchReport>;

/** Time that a slice may take, ms. */
const SLICE_MS = 5;

/** Pairs them in this thread. After an abort, what is done is what there is. */
export const pairHere: BatchRunner = async (market, requests, signal) => {
  const results: (PairingResult | undefined)[] = Array.from({ length: requests.length });
  let sliceMs = performance.now();
  for (const [i, request] of requests.entries()) {
    if (signal?.aborted === true) break;
    results[i] = market.answer(request);
    if (performance.now() - sliceMs < SLICE_MS) continue;
    await nextTurn();
    sliceMs = performance.now();
  }
  return { results, threads: 0 };
};
