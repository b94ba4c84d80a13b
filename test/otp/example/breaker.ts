/** The machine's events are its casts. */
import { defineMachineActor, keyFor } from "../../../src/otp/index.ts";
import { type BreakerInput, breakerMachine } from "./breaker.machine.ts";

export const breaker = defineMachineActor(breakerMachine, {
  name: "rpc/breaker",
  input: (args: BreakerInput) => args,
  calls: { admit: (snapshot) => ({ ok: !snapshot.matches("open") }) },
  effects: {
    announce: ({ open }, _after, ctx) => ctx.emit("rpc.breaker.moved", { open: Number(open) }),
  },
});
export const breakerKey = keyFor(breaker, "chain", "endpoint");
