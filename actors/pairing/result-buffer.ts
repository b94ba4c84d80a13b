/**
 * The last results, until somebody takes them, and the totals of all workers. Bounded: the oldest goes
 * when it is full, which is counted and told.
 *
 * Permanent; a restart loses the results that nobody has taken, and counts from 0.
 */
import { defineActor, keyFor, reply, type Ctx } from "../../src/otp/index.ts";
import { Deque } from "../../src/lib/deque.ts";
import type { PairingResult } from "../../src/pairing/protocol.ts";
import type { WorkDone } from "../../src/pairing/work.ts";

/** What the buffer is started with. */
export interface ResultBufferArgs {
  readonly capacity: number;
  /** Hears of every result, for whoever keeps an audit trail. */
  readonly onResult?: ((result: PairingResult) => void) | undefined;
}

/** Totals since the last reset. */
export interface ResultTotals {
  readonly processed: number;
  readonly errors: number;
  readonly size: number;
  readonly dropped: number;
}

interface State extends ResultBufferArgs {
  readonly results: Deque<PairingResult>;
  processed: number;
  errors: number;
  dropped: number;
  /** Dropped since it was told last. */
  untold: number;
}

/** How often drops are told at most, ms. */
const TELL_MS = 1_000;

/** The buffer. */
export const resultBuffer = defineActor({
  name: "pairing/result-buffer",
  mailbox: { max: 1_000_000 },
  init: (args: ResultBufferArgs): State => ({
    ...args,
    results: new Deque(),
    processed: 0,
    errors: 0,
    dropped: 0,
    untold: 0,
  }),
  calls: {
    /** All results, oldest first; they are gone from here. */
    take: (state, _arg: undefined) => reply(state, state.results.takeAll()),
    totals: (state, _arg: undefined) => {
      const { processed, errors, dropped, results } = state;
      const totals: ResultTotals = { processed, errors, dropped, size: results.size };
      return reply(state, totals);
    },
    reset: (state, _arg: undefined) => {
      state.processed = state.errors = state.dropped = 0;
      state.results.takeAll();
      return reply(state, "reset" as const);
    },
  },
  casts: {
    add: (state, { result }: WorkDone, ctx) => {
      const { results, capacity } = state;
      state.processed++;
      if (result.error !== null) state.errors++;
      if (results.size >= capacity) drop(state, ctx);
      results.push(result);
      state.onResult?.(result);
      return state;
    },
  },
  on: (state, info, ctx) => {
    if (info.type !== "timer") return state;
    ctx.emit("pairing.results.dropped", { count: state.untold, limit: state.capacity });
    state.untold = 0;
    return state;
  },
  formatState: ({ results, capacity, processed, errors, dropped }) => ({
    size: results.size,
    capacity,
    processed,
    errors,
    dropped,
  }),
});

/** Finds the buffer. */
export const resultBufferKey = keyFor(resultBuffer);

function drop(state: State, ctx: Ctx): void {
  state.results.shift();
  state.dropped++;
  if (state.untold++ === 0) ctx.after(TELL_MS, "dropped");
}
