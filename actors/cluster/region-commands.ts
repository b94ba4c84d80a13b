/**
 * Carries commands to other regions and theirs to this one, with their answers and streams.
 *
 * What is under way lies with the host (`Steering`); a restart loses the messages in the mailbox, and
 * whoever asked is told when its time is over. Permanent.
 */
import type { Message } from "../../src/cluster/protocol.ts";
import type { Steering } from "../../src/cluster/steering/steering.ts";
import { type Ctx, defineActor, keyFor } from "../../src/otp/index.ts";

/** What the process drives. */
export interface RegionCommandsArgs {
  readonly steering: Steering;
  readonly channel: { readonly isUp: boolean; publish(bytes: Buffer): void };
}

/** How often deadlines and leases are looked at, and batches of streams go out, ms. */
const TICK_MS = 100;

/** The way between the operators of two regions. */
export const regionCommands = defineActor({
  name: "cluster/region-commands",
  mailbox: { max: 2_000, overflow: "drop-oldest" },
  init: (args: RegionCommandsArgs, ctx): RegionCommandsArgs => {
    ctx.every(TICK_MS, "tick");
    return args;
  },
  casts: {
    take: (args, message: Message, ctx) => {
      if (!args.steering.take(message, ctx.now())) {
        const { region, kind } = message;
        ctx.emit("cluster.message_refused", { kind: "malformed", reason: `${kind} of ${region}` });
      }
      say(args, ctx);
      return args;
    },
    /** There is something to say that need not wait for the next tick. */
    say: (args, _: undefined, ctx) => {
      say(args, ctx);
      return args;
    },
  },
  on: (args, info, ctx) => {
    if (info.type !== "timer") return args;
    args.steering.tick(ctx.now());
    say(args, ctx);
    return args;
  },
  formatState: ({ steering: { counts } }) => counts,
});

/** Finds it. */
export const regionCommandsKey = keyFor(regionCommands);

const say = ({ steering, channel }: RegionCommandsArgs, ctx: Ctx): void => {
  if (!channel.isUp) steering.mute();
  else for (const bytes of steering.due(ctx.now())) channel.publish(bytes);
};
