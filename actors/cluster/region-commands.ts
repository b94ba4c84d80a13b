/**
 * Carries commands to other regions and theirs to this one, with their answers and streams.
 *
 * What is under way lies with the host (`Steering`); a restart loses the messages in the mailbox, and
 * whoever asked is told when its time is over. Permanent.
 */
import type { Message } from "../../src/cluster/protocol.ts";
import { refusalsTold, tellMalformed } from "../../src/cluster/refusals.ts";
import type { Steering } from "../../src/cluster/steering/steering.ts";
import type { Seldom } from "../../src/lib/seldom.ts";
import { type Ctx, defineActor, keyFor } from "../../src/otp/index.ts";

/** What the process drives. */
export interface RegionCommandsArgs {
  readonly steering: Steering;
  readonly channel: { readonly isUp: boolean; publish(bytes: Buffer): void };
}

interface State extends RegionCommandsArgs {
  readonly told: Seldom;
  /** The next tick is on its way. */
  isTicking: boolean;
}

/** How often deadlines and leases are looked at, and batches of streams go out, while there are any, ms. */
const TICK_MS = 100;

/** The way between the operators of two regions. */
export const regionCommands = defineActor({
  name: "cluster/region-commands",
  mailbox: { max: 2_000, overflow: "drop-oldest" },
  init: (args: RegionCommandsArgs, ctx): State => {
    const state = { ...args, told: refusalsTold(), isTicking: false };
    // What was under way before a restart still is.
    keepTicking(state, ctx);
    return state;
  },
  casts: {
    take: (state, message: Message, ctx) => {
      if (!state.steering.take(message, ctx.now())) {
        tellMalformed(state.told, message, ctx);
      }
      say(state, ctx);
      return state;
    },
    /** There is something to say that need not wait for the next tick. */
    say: (state, _: undefined, ctx) => {
      say(state, ctx);
      return state;
    },
  },
  on: (state, info, ctx) => {
    if (info.type !== "timer") return state;
    state.isTicking = false;
    state.steering.tick(ctx.now());
    say(state, ctx);
    return state;
  },
  formatState: ({ steering: { counts } }) => counts,
});

/** Finds it. */
export const regionCommandsKey = keyFor(regionCommands);

const say = (state: State, ctx: Ctx): void => {
  const { steering, channel } = state;
  if (!channel.isUp) steering.mute();
  else for (const bytes of steering.due(ctx.now())) channel.publish(bytes);
  keepTicking(state, ctx);
};

const keepTicking = (state: State, ctx: Ctx): void => {
  if (state.isTicking || !state.steering.isBusy) return;
  state.isTicking = true;
  ctx.after(TICK_MS, "tick");
};
