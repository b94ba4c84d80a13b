/** The subtree that bench/isolate.ts runs in a worker thread. */
import {
  child,
  defineActor,
  keyFor,
  reply,
  supervisor,
  type SupervisorSpec,
  transfer,
} from "../../src/otp/index.ts";

export const echo = defineActor({
  name: "bench/echo",
  mailbox: { max: 10_000_000 },
  init: (_args: undefined) => 0,
  calls: {
    echo: (state, value: unknown) => reply(state, value),
    /** The buffer moves back as it came. */
    bounce: (state, value: Uint8Array) => reply(state, transfer(value)),
    count: (state) => reply(state, state),
  },
  casts: {
    add: (state, by: number) => state + by,
    spin: () => {
      for (;;);
    },
  },
});
export const echoKey = keyFor(echo, "n");

/** One echo by the name it is given. */
export const subtree = (name: string): SupervisorSpec =>
  supervisor("isolated", {
    intensity: 1_000_000,
    children: [child(echo, undefined, { register: echoKey(name) })],
  });
