/** Subtrees that run in real worker threads in the claims about isolation. */
import {
  child,
  type Ctx,
  defineActor,
  type Key,
  keyFor,
  later,
  next,
  reply,
  supervisor,
  type SupervisorSpec,
} from "../../../src/otp/index.ts";

/** Does what it is told by name: functions do not cross. */
export const subject = defineActor({
  name: "test/subject",
  init: (start: number) => ({ value: start, infos: [] as unknown[] }),
  calls: {
    get: (state) => reply(state, state.value),
    infos: (state) => reply(state, state.infos),
    echo: (state, value: unknown) => reply(state, value),
    never: (state) => later(state),
    ask: async (state, key: string, ctx) => reply(state, await askPeer(ctx, key)),
    spin: () => {
      for (;;);
    },
    link: (state, key: string, ctx) => {
      ctx.link(peerKey(key));
      return reply(state, "linked");
    },
  },
  casts: {
    set: (state, value: number) => ({ ...state, value }),
    crash: (_state, message: string) => {
      throw new Error(message);
    },
    spin: () => {
      for (;;);
    },
    exhaust: () => {
      const hoard: unknown[] = [];
      for (;;) hoard.push({ more: [hoard.length] });
    },
    exit: (state, code: number) => {
      process.exit(code);
      return state;
    },
    stray: (state) => {
      setTimeout(() => {
        throw new Error("stray of the subject");
      }, 1);
      return state;
    },
    unowned: (state) => {
      isDoomed = true;
      return state;
    },
    emit: (state, count: number, ctx) => {
      for (let i = 0; i < count; i += 1) ctx.emit("test.tick", { i });
      ctx.log.info({ count }, "ticked");
      return state;
    },
    monitor: (state, key: string, ctx: Ctx) => {
      ctx.monitor(peerKey(key));
      return state;
    },
  },
  on: (state, info) => next({ ...state, infos: [...state.infos, info] }),
});
export const subjectKey = keyFor(subject, "n");

/* Typed, so that the subject's own type does not depend on them. */
function askPeer(ctx: Ctx, name: string): Promise<unknown> | undefined {
  return ctx.whereis(subjectKey(name))?.try.get();
}
function peerKey(name: string): Key {
  return subjectKey(name);
}

let isDoomed = false;
// Made outside any process: what it throws belongs to nobody.
setInterval(() => {
  if (isDoomed) throw new Error("nobody's");
}, 2).unref();

/** The usual subtree: one subject by the name it is given. */
export const subtree = ({ name = "in", value = 0 } = {}): SupervisorSpec =>
  supervisor("inside", {
    intensity: 5,
    children: [child(subject, value, { register: subjectKey(name) })],
  });

/** Its first start is refused by the child. */
export const failing = (): SupervisorSpec =>
  supervisor("inside", {
    children: [
      child(
        defineActor({
          name: "test/failing",
          init: (): number => {
            throw new TypeError("no luck");
          },
        }),
        undefined as never,
        { id: "failing" },
      ),
    ],
  });

/** No spec at all. */
export const nothing = (): string => "nothing";

/** Its start never ends. */
export const hanging = (): SupervisorSpec =>
  supervisor("inside", {
    children: [
      child(
        defineActor({ name: "test/hanging", init: () => new Promise<number>(() => {}) }),
        undefined as never,
        { id: "hanging", startTimeoutMs: Number.POSITIVE_INFINITY },
      ),
    ],
  });

export const notAFunction = 7;
