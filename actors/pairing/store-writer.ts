/**
 * Writes to the database what the journal holds, in batches, one at a time. The service never waits for
 * it: while the database is away it goes on, and the writer tries again with growing pauses.
 *
 * Permanent. A restart loses nothing: the journal belongs to the host, and a batch may be written twice.
 * What the host loses when it is killed is what was not written yet: about a tenth of a second.
 */
import {
  defineActor,
  isCleanReason,
  keyFor,
  reasonText,
  stop,
  type Ctx,
} from "../../src/otp/index.ts";
import { fullJitterMs } from "../../src/lib/backoff.ts";
import type { Journal } from "../../src/pairing/store/journal.ts";
import { type MarketReader, rewriteMarket } from "../../src/pairing/store/rewrite.ts";
import type { StoreWrite } from "../../src/pairing/store/writes.ts";

/** The database; everything rejects while it is away. */
export interface StorePort {
  write(writes: readonly StoreWrite[], nowMs: number): Promise<void>;
  /** Forgets what is older. */
  prune(beforeMs: number): Promise<void>;
}

/** What a writer is started with. */
export interface StoreWriterArgs {
  readonly store: StorePort;
  readonly journal: Journal;
  /** Reads a market that has to be written as a whole; undefined while it is not there. */
  readonly read: MarketReader;
  /** Lets other work go on. */
  readonly yieldTurn: () => Promise<void>;
  /** How long rankings, and what providers were, are kept. */
  readonly retentionMs: number;
  readonly redact: (text: string) => string;
}

interface State extends StoreWriterArgs {
  isWriting: boolean;
  /** Failures since the last success. */
  failures: number;
  lastError: string | undefined;
  batches: number;
}

/** What happens within this time is written together, ms. */
const GATHER_MS = 50;
/** Rows of one batch. */
const BATCH_ROWS = 2_000;
const BACKOFF = { baseMs: 500, capMs: 15_000 };
/** Longest batch; a large market may take minutes as a whole. */
const WRITE_TIMEOUT_MS = 120_000;
const REWRITE_TIMEOUT_MS = 600_000;
const PRUNE_EVERY_MS = 600_000;

/** The writer. */
export const storeWriter = defineActor({
  name: "pairing/store-writer",
  trapExit: true,
  init: (args: StoreWriterArgs, ctx): State => {
    const { self } = ctx;
    args.journal.adopt(() => self.send("work"));
    ctx.every(PRUNE_EVERY_MS, "prune");
    return { ...args, isWriting: false, failures: 0, lastError: undefined, batches: 0 };
  },
  on: (state, info, ctx) => {
    if (info.type === "exit") return isCleanReason(info.reason) ? state : stop(state, info.reason);
    if (info.type === "info") gather(state, ctx);
    else if (info.type === "timer" && info.key === "flush") flush(state, ctx);
    else if (info.type === "timer") prune(state, ctx);
    else if (info.type === "task" && info.key !== "prune") {
      if (info.result.ok) succeeded(state, ctx);
      else failed(state, reasonText(info.result.reason), ctx);
    }
    return state;
  },
  terminate: async (state, reason, ctx) => {
    if (isCleanReason(reason)) await writeRest(state, ctx);
  },
  formatState: ({ failures, lastError, batches, journal }) => ({
    failures,
    lastError,
    batches,
    waiting: journal.size,
  }),
});

/** Finds the writer. */
export const storeWriterKey = keyFor(storeWriter);

const gather = (state: State, ctx: Ctx): void => {
  const { isWriting, failures, journal } = state;
  if (isWriting || failures > 0) return;
  // The sooner a market is read, the less changes before it is.
  ctx.after(journal.unwritten === undefined ? GATHER_MS : 0, "flush");
};

/** Begins to write the next thing. */
const flush = (state: State, ctx: Ctx): void => {
  if (state.isWriting) return;
  const { store, journal, read, yieldTurn } = state;
  const write = (writes: readonly StoreWrite[]) => store.write(writes, ctx.wallNow());
  state.isWriting = true;
  const market = journal.unwritten;
  if (market === undefined) {
    const batch = journal.take(BATCH_ROWS);
    ctx.task("write", () => write(batch), { timeoutMs: WRITE_TIMEOUT_MS });
  } else {
    journal.begin(market);
    const rewriting = { read, write, yieldTurn };
    ctx.task("write", () => rewriteMarket(market, rewriting), { timeoutMs: REWRITE_TIMEOUT_MS });
  }
};

const succeeded = (state: State, ctx: Ctx): void => {
  const { journal, failures } = state;
  state.isWriting = false;
  state.batches++;
  state.failures = 0;
  state.lastError = undefined;
  journal.written();
  if (failures > 0) ctx.emit("pairing.store.up", { failures, queued: journal.size });
  tellLosses(state, ctx);
  if (!journal.isEmpty) ctx.after(0, "flush");
};

const failed = (state: State, error: string, ctx: Ctx): void => {
  const { journal } = state;
  state.isWriting = false;
  journal.giveBack();
  const delayMs = Math.ceil(fullJitterMs(BACKOFF, state.failures++, ctx.random())) + 1;
  state.lastError = state.redact(error);
  const queued = journal.size;
  ctx.emit("pairing.store.down", { reason: state.lastError, delayMs, queued });
  tellLosses(state, ctx);
  ctx.after(delayMs, "flush");
};

const tellLosses = ({ journal }: State, ctx: Ctx): void => {
  const { rankings } = journal.losses();
  if (rankings > 0) ctx.emit("pairing.audit.dropped", { count: rankings });
};

const prune = ({ store, retentionMs, failures }: State, ctx: Ctx): void => {
  if (failures > 0) return;
  const beforeMs = ctx.wallNow() - retentionMs;
  ctx.task("prune", () => store.prune(beforeMs), { timeoutMs: PRUNE_EVERY_MS });
};

/** The end of the tree: what is left is written, or lost if the database does not take it. */
const writeRest = async ({ store, journal, read, yieldTurn }: State, ctx: Ctx): Promise<void> => {
  const write = (writes: readonly StoreWrite[]) => store.write(writes, ctx.wallNow());
  journal.giveBack();
  while (!journal.isEmpty) {
    const market = journal.unwritten;
    if (market === undefined) await ctx.guard(write(journal.take(BATCH_ROWS)));
    else {
      journal.begin(market);
      await ctx.guard(rewriteMarket(market, { read, write, yieldTurn }));
    }
    journal.written();
  }
};
