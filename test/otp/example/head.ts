/** A head tracker: a restart fails its waiting calls. */
import {
  defineActor,
  type From,
  keyFor,
  later,
  next,
  reply,
  stop,
} from "../../../src/otp/index.ts";
import { breakerKey } from "./breaker.ts";

export interface HeadArgs {
  readonly chain: string;
  readonly url: string;
  readonly fetchHead: (url: string, signal: AbortSignal) => Promise<number>;
}

interface HeadState extends HeadArgs {
  readonly head: number;
  readonly misses: number;
  readonly waiting: readonly From<number>[];
}

const seen = (state: HeadState, block: number): HeadState => {
  for (const from of state.waiting) from.reply(block);
  return { ...state, head: Math.max(state.head, block), misses: 0, waiting: [] };
};

export const head = defineActor({
  name: "rpc/head",
  trapExit: true,
  mailbox: { max: 1_000, overflow: "reject" },
  init: (args: HeadArgs, ctx): HeadState => {
    ctx.every(1_000, "poll");
    return { ...args, head: 0, misses: 0, waiting: [] };
  },
  calls: {
    above: (state, floor: number, _ctx, from: From<number>) =>
      state.head > floor
        ? reply(state, state.head)
        : later({ ...state, waiting: [...state.waiting, from] }),
  },
  casts: { pushed: (state, block: { readonly number: number }) => seen(state, block.number) },
  on: (state, info, ctx) => {
    // The mailbox never waits for I/O.
    if (info.type === "timer") ctx.task("fetch", (signal) => state.fetchHead(state.url, signal));
    if (info.type !== "task") return next(state, { timeoutMs: 30_000 });
    const health = ctx.whereis(breakerKey(state.chain, state.url))?.cast;
    if (info.result.ok) {
      health?.OK();
      return seen(state, Number(info.result.value));
    }
    health?.FAILED();
    return state.misses < 4
      ? { ...state, misses: state.misses + 1 }
      : stop(state, { error: new Error("endpoint is silent") });
  },
  terminate: (state, reason, ctx) =>
    ctx.log.info({ chain: state.chain, reason }, "head tracker stops"),
  formatState: (state) => ({
    head: state.head,
    misses: state.misses,
    waiting: state.waiting.length,
  }),
});
export const headKey = keyFor(head, "chain", "endpoint");
