/** The breaker of the reference's example: a machine is data, `announce` only names an effect. */
import { assign, setup } from "xstate";

export interface BreakerInput {
  readonly threshold: number;
  readonly cooldownMs: number;
}

export const breakerMachine = setup({
  types: {
    context: {} as BreakerInput & { failures: number },
    events: {} as { type: "OK" } | { type: "FAILED" },
    input: {} as BreakerInput,
  },
  delays: { cooldown: ({ context }) => context.cooldownMs },
  guards: { exhausted: ({ context }) => context.failures + 1 >= context.threshold },
  actions: {
    count: assign({ failures: ({ context }) => context.failures + 1 }),
    reset: assign({ failures: 0 }),
    announce: (_args, _params: { readonly open: boolean }) => {},
  },
}).createMachine({
  id: "breaker",
  context: ({ input }) => ({ ...input, failures: 0 }),
  initial: "closed",
  states: {
    closed: {
      on: {
        FAILED: [{ guard: "exhausted", target: "open" }, { actions: "count" }],
        OK: { actions: "reset" },
      },
    },
    open: { entry: { type: "announce", params: { open: true } }, after: { cooldown: "half" } },
    half: {
      on: { OK: { target: "closed", actions: "reset" }, FAILED: "open" },
      exit: { type: "announce", params: { open: false } },
    },
  },
});
