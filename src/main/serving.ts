/** When the ready line may be printed: a client that reads it may call at once. */
import type { ChainState } from "../rpc/chain-state.ts";
import { firstUsable } from "../rpc/selection/pick.ts";
import { rank } from "../rpc/selection/rank.ts";

/** What waiting needs of the host. */
export interface Serving {
  readonly states: () => readonly ChainState[];
  /** Whether every endpoint was tried once, with whatever result. */
  readonly isAllTried: () => boolean;
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<void>;
}

/** Waits until each chain has a provider for a request, or was refused by all; `maxWaitMs` at most. */
export const untilServing = async (serving: Serving, maxWaitMs: number): Promise<void> => {
  const untilMs = serving.now() + maxWaitMs;
  while (serving.now() < untilMs) {
    const waiting = serving.states().filter((state) => !canServe(state, serving.now()));
    if (waiting.length === 0) return;
    if (serving.isAllTried() && waiting.every((state) => !hasUsableRow(state))) return;
    await serving.sleep(POLL_MS);
  }
};

const canServe = ({ snapshot }: ChainState, nowMs: number): boolean =>
  snapshot !== undefined &&
  firstUsable(rank(snapshot, { method: "eth_blockNumber" }), nowMs) !== undefined;

/** A usable row without a place in the snapshot gets one at its next build. */
const hasUsableRow = (state: ChainState): boolean =>
  state.config.providers.some(({ id }) => {
    const { http, ws } = state.rows(id);
    return http.isUsable || ws.isUsable;
  });

const POLL_MS = 10;

/** Waits until it is true, or the time is over. */
export const untilTrue = async (
  isTrue: () => boolean,
  sleep: (ms: number) => Promise<void>,
  timeoutMs: number,
): Promise<void> => {
  for (let leftMs = timeoutMs; leftMs > 0 && !isTrue(); leftMs -= LOOK_MS) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    await sleep(LOOK_MS);
  }
};

/** Between two looks, ms. */
const LOOK_MS = 10;
