/**
 * Keeps log and metrics attached to the runtime's telemetry, and the host figures fresh.
 *
 * Handlers run in the emitter, so this process is never in an event's way; it only attaches them,
 * again at every tick: a handler that threw was detached, and levels of the log may have changed.
 * Permanent; a restart loses nothing, because the counters live outside and the handlers stay.
 */
import { defineActor, keyFor, type Ctx, type TelemetryHandler } from "../../src/otp/index.ts";

const TICK_MS = 15_000;
/** The first figures come sooner, so that a fresh start does not show zeros for long. */
const FIRST_TICK_MS = 1_000;

/** The part of the runtime's telemetry that is needed. */
export interface TelemetryPort {
  attach(id: string, names: readonly string[], handler: TelemetryHandler): void;
}

/** One listener and the events it wants now. */
export interface TelemetryListener {
  /** Stable id, e.g. `ops/log`. */
  readonly id: string;
  readonly names: () => readonly string[];
  readonly handle: TelemetryHandler;
}

/** What the process is started with. */
export interface TelemetryArgs {
  readonly telemetry: () => TelemetryPort;
  readonly listeners: readonly TelemetryListener[];
  /** Figures of the host process; `undefined` where nobody measures them, as in simulations. */
  readonly probe: { roll(): void; countDescriptors(): Promise<void> } | undefined;
  /** Forgets the series of chains and providers that are gone. */
  readonly prune: () => void;
}

/** The keeper of log and metrics. */
export const telemetryKeeper = defineActor({
  name: "ops/telemetry",
  init: (args: TelemetryArgs, ctx): TelemetryArgs => {
    attachAll(args);
    ctx.after(FIRST_TICK_MS, "first");
    ctx.every(TICK_MS, "tick");
    return args;
  },
  casts: {
    /** The levels of the log changed: listen to what it wants now. */
    refresh: (state, _arg: undefined) => {
      attachAll(state);
      return state;
    },
  },
  on: async (state, info, ctx) => {
    if (info.type === "timer") await tick(state, ctx);
    return state;
  },
  formatState: ({ listeners }) => ({
    listeners: listeners.map(({ id, names }) => ({ id, events: names().length })),
  }),
});

/** Finds the keeper of log and metrics. */
export const telemetryKey = keyFor(telemetryKeeper);

const tick = async (args: TelemetryArgs, ctx: Ctx): Promise<void> => {
  attachAll(args);
  args.prune();
  args.probe?.roll();
  if (args.probe !== undefined) await ctx.guard(args.probe.countDescriptors());
};

const attachAll = ({ telemetry, listeners }: TelemetryArgs): void => {
  for (const { id, names, handle } of listeners) telemetry().attach(id, names(), handle);
};
