/** The worker that scenarios are made of: a gen_server that does what its messages say. */
import {
  type Ctx,
  defineActor,
  exit,
  type From,
  ignore,
  type Info,
  later,
  type ProcessRef,
  type Reason,
  type Ref,
  refuse,
  reply,
  stop,
} from "../../../../src/otp/index.ts";
import { type Json, type NodeSpec } from "../scenario.ts";
import { Raised, reasonOf } from "../terms.ts";
import type { Story } from "./story.ts";

/** What one start of a worker is told. */
export interface WorkerArgs {
  readonly story: Story;
  readonly path: string;
  readonly spec: NodeSpec;
  /** Which start this is, and what it shall do. */
  readonly attempt: { n: number; act: Json };
}

/** State of a worker; `v` is what get, set and replace_state see. */
export interface WorkerState {
  readonly args: WorkerArgs;
  readonly pn: string;
  readonly v: Json;
  readonly monitors: ReadonlyMap<unknown, string>;
}

/** What a call asks for. */
export type Do = Readonly<Record<string, Json>> | "get" | "noreply";

function start(args: WorkerArgs, ctx: Ctx): unknown {
  const { story, path, spec, attempt } = args;
  const pn = `${path}#${attempt.n}`;
  if (spec.trap_exit === false) ctx.trapExit(false);
  story.pids.set(ctx.self.id, pn);
  const { act } = attempt;
  const up = (): WorkerState => {
    story.workerUp(path, ctx.self as Worker, pn);
    return { args, pn, v: spec.state ?? 0, monitors: new Map() };
  };
  const failed = (kind: string, reason: Json): void =>
    story.add({ e: "init", p: pn, r: [kind, reason] });
  if (typeof act === "string") {
    if (act !== "ignore") return up();
    story.add({ e: "init", p: pn, r: "ignore" });
    return ignore;
  }
  const plan = act as Readonly<Record<string, Json>>;
  if ("throw" in plan) {
    failed("throw", plan["throw"]);
    throw new Raised(plan["throw"]);
  }
  if ("sleep" in plan) {
    return ctx.sleep(plan["sleep"] as number).then(() => {
      if (!("stop" in plan)) return up();
      failed("stop", plan["stop"]);
      return refuse(reasonOf(plan["stop"])) as never;
    });
  }
  if ("stop" in plan) {
    failed("stop", plan["stop"]);
    return refuse(reasonOf(plan["stop"]));
  }
  return up();
}

function perform(state: WorkerState, what: Do, ctx: Ctx, from: From<unknown>) {
  if (what === "get") return reply(state, state.v);
  if (what === "noreply") return later(state);
  if ("stop" in what) {
    const step = stop(state, reasonOf(what["stop"]));
    return "reply" in what ? reply(step, what["reply"]) : later(step);
  }
  if ("reply" in what) return reply(state, what["reply"]);
  if ("reply_after" in what) {
    return ctx.sleep(what["reply_after"] as number).then(() => reply(state, what["value"]));
  }
  if ("defer" in what) {
    ctx.after(what["defer"] as number, `defer-${state.args.story.nextDefer()}`, {
      from,
      value: what["value"],
    });
    return later(state);
  }
  if ("throw" in what) throw new Raised(what["throw"]);
  return reply({ ...state, v: what["set"] as Json }, "ok");
}

/** A worker; it traps exits unless its spec says otherwise, as OTP's init would. */
export const workerDef = defineActor({
  name: "oracle/worker",
  trapExit: true,
  init: (args: WorkerArgs, ctx): WorkerState => start(args, ctx) as WorkerState,
  calls: {
    do: (state, what: Do, ctx, from: From<unknown>) =>
      perform(state, what, ctx, from) as ReturnType<typeof reply<WorkerState, unknown>>,
  },
  casts: {
    stop: (state, reason: Reason) => stop(state, reason),
    raise: (_state, term: Json) => {
      throw new Raised(term);
    },
    link: (state, other: ProcessRef, ctx) => {
      ctx.link(other);
      return state;
    },
    monitor: (state, other: { name: string; ref: ProcessRef }, ctx) => {
      const monitor = ctx.monitor(other.ref);
      return { ...state, monitors: new Map([...state.monitors, [monitor, other.name]]) };
    },
    trap: (state, isOn: boolean, ctx) => {
      ctx.trapExit(isOn);
      return state;
    },
  },
  on: (state, info) => {
    hear(state, info);
    return state;
  },
  terminate: (state, reason, ctx) => {
    const { story, spec } = state.args;
    story.add({ e: "terminate", p: state.pn, reason: story.term(reason) });
    const end = spec.on_terminate as Readonly<Record<string, Json>> | "ok" | undefined;
    if (end === undefined || end === "ok") return undefined;
    if ("sleep" in end) return ctx.sleep(end["sleep"] as number);
    return exit(reasonOf(end["exit"]));
  },
  formatState: () => "worker",
});

function hear(state: WorkerState, info: Info): void {
  const { story } = state.args;
  if (info.type === "exit") {
    const from = story.pids.get(info.from) ?? "?";
    story.add({ e: "info", p: state.pn, msg: ["EXIT", from, story.term(info.reason)] });
  }
  if (info.type === "down") {
    const name = state.monitors.get(info.monitor) ?? "?";
    story.add({ e: "info", p: state.pn, msg: ["DOWN", name, story.term(info.reason)] });
  }
  if (info.type === "timer") {
    const { from, value } = info.payload as { from: From<unknown>; value: Json };
    from.reply(value);
  }
}

/** A running or dead worker. */
export type Worker = Ref<typeof workerDef>;
