/**
 * The port that clients connect to: opened last, drained first.
 *
 * The server itself belongs to the host program, so that a killed listener process loses no
 * connection: its next incarnation finds the port open. Permanent; an orderly stop closes the port.
 */
import { defineActor, isCleanReason, keyFor, reply, stop } from "../../src/otp/index.ts";

/** The host's server; opening and closing twice is harmless. */
export interface Listener {
  /** From now on an error in a callback of the server is the caller's. */
  adopt(): void;
  open(): Promise<ListenAddress>;
  close(): Promise<void>;
  readonly address: ListenAddress | undefined;
  readonly inFlight: number;
}

/** Where clients connect. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** What the process holds. */
export interface HttpListenerArgs {
  readonly listener: Listener;
}

/** The HTTP and WebSocket listener. */
export const httpListener = defineActor({
  name: "ops/http-listener",
  trapExit: true,
  init: (args: HttpListenerArgs): HttpListenerArgs => {
    args.listener.adopt();
    return args;
  },
  calls: {
    /** Opens the port, once everything behind it is up. */
    open: async (state, _arg: undefined, ctx) =>
      reply(state, await ctx.guard(state.listener.open())),
  },
  // Only the tree's own end closes the port; any other exit restarts the process beside it.
  on: (state, info) =>
    info.type === "exit" && !isCleanReason(info.reason) ? stop(state, info.reason) : state,
  terminate: async (state, reason) => {
    if (isCleanReason(reason)) await state.listener.close();
  },
  formatState: ({ listener: { address, inFlight } }) => ({ address, inFlight }),
});

/** Finds the listener. */
export const httpListenerKey = keyFor(httpListener);
