/**
 * Keeps the link to Redis open and says when it comes and goes.
 *
 * The link itself belongs to the host program: the request path uses it without asking this process,
 * and a killed process loses no connection. Permanent; an orderly stop closes the link.
 */
import { defineActor, isCleanReason, keyFor, stop, type Ctx } from "../../src/otp/index.ts";
import type {
  RedisChange,
  RedisCounters,
  RedisListener,
  RedisTrouble,
} from "../../src/io/redis/link.ts";
import type { RedisState } from "../../src/io/redis/link.machine.ts";

/** The host's link; opening and closing twice is harmless. */
export interface RedisPort {
  /** Callbacks are the caller's from now on, and it hears of every change. */
  adopt(listener: RedisListener): void;
  open(): void;
  close(): void;
  readonly state: RedisState;
  readonly pending: number;
  readonly counters: RedisCounters;
}

/** What the process holds. */
export interface RedisLinkArgs {
  readonly link: RedisPort;
  readonly redact: (text: string) => string;
}

/** The keeper of the link. */
export const redisLink = defineActor({
  name: "ops/redis-link",
  trapExit: true,
  init: (args: RedisLinkArgs, ctx): RedisLinkArgs => {
    const { self } = ctx;
    args.link.adopt({
      changed: (change) => self.send(change),
      troubled: (trouble) => self.send(trouble),
    });
    args.link.open();
    return args;
  },
  // Only the tree's own end closes the link; any other exit restarts the process beside it.
  on: (state, info, ctx) => {
    if (info.type === "exit" && !isCleanReason(info.reason)) return stop(state, info.reason);
    if (info.type === "info") tell(state, info.payload as RedisChange | RedisTrouble, ctx);
    return state;
  },
  terminate: ({ link }, reason) => {
    if (isCleanReason(reason)) link.close();
  },
  formatState: ({ link: { state, pending, counters } }) => ({ state, pending, ...counters }),
});

/** Finds the keeper of the link. */
export const redisLinkKey = keyFor(redisLink);

const tell = ({ redact }: RedisLinkArgs, change: RedisChange | RedisTrouble, ctx: Ctx): void => {
  if ("kind" in change) {
    ctx.emit("redis.trouble", { kind: change.kind, reason: redact(change.reason) });
    return;
  }
  const { from, to, reason = "", retryMs = 0 } = change;
  if (to === "up") ctx.emit("redis.up", { from });
  else if (to === "stalled") ctx.emit("redis.stalled", {});
  else if (to === "down") {
    ctx.emit("redis.down", { from, reason: redact(reason), delayMs: retryMs });
  }
};
