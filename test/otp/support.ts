/** Actors and recorders for claims about the runtime. */
import {
  child,
  type ChildSpec,
  type Ctx,
  createVirtualNode,
  defineActor,
  type From,
  type Info,
  keyFor,
  later,
  next,
  type Ref,
  reply,
  type Reason,
  stop,
  supervisor,
  type SupervisorOptions,
  type VirtualNode,
} from "../../src/otp/index.ts";

/** What a probe is told at its start. */
export interface ProbeArgs {
  readonly name: string;
  /** Gets a line for everything the probe does. */
  readonly log?: string[];
  /** Runs inside init with the number of the start attempt of this name. */
  readonly onInit?: () => unknown;
  readonly terminateMs?: number;
}

interface ProbeState extends ProbeArgs {
  readonly infos: readonly Info[];
  readonly value: number;
  readonly waiting: readonly From<unknown>[];
}

/** A worker that does what it is told, traps nothing. */
export const probe = defineActor({
  name: "test/probe",
  init: (args: ProbeArgs): ProbeState => {
    args.log?.push(`init ${args.name}`);
    args.onInit?.();
    return { ...args, infos: [], value: 0, waiting: [] };
  },
  calls: {
    get: (state) => reply(state, state.value),
    infos: (state) => reply(state, state.infos),
    never: (state, _arg: undefined, _ctx, from: From<unknown>) =>
      later({ ...state, waiting: [...state.waiting, from] }),
    stopWith: (state, reason: Reason) => reply(stop(state, reason), "bye"),
    run: async (state, body: (ctx: Ctx) => unknown, ctx) => reply(state, await body(ctx)),
  },
  casts: {
    set: (state, value: number) => ({ ...state, value }),
    note: (state, text: string) => {
      state.log?.push(`${state.name} ${text}`);
      return state;
    },
    stop: (state, reason: Reason) => stop(state, reason),
    crash: (_state, message: string) => {
      throw new Error(message);
    },
    act: (state, body: (ctx: Ctx) => void, ctx) => {
      body(ctx);
      return state;
    },
    wait: async (state, body: (ctx: Ctx) => Promise<void>, ctx) => {
      await body(ctx);
      return state;
    },
  },
  on: (state, info) => next({ ...state, infos: [...state.infos, info] }),
});
export const probeKey = keyFor(probe, "n");

/** A worker that traps exits and logs its end. */
export const trapper = defineActor({
  name: "test/trapper",
  trapExit: true,
  init: (args: ProbeArgs): ProbeState => {
    args.log?.push(`init ${args.name}`);
    args.onInit?.();
    return { ...args, infos: [], value: 0, waiting: [] };
  },
  calls: {
    infos: (state) => reply(state, state.infos),
    never: (state, _arg: undefined, _ctx, from: From<unknown>) =>
      later({ ...state, waiting: [...state.waiting, from] }),
    stopWith: (state, reason: Reason) => reply(stop(state, reason), "bye"),
  },
  casts: {
    stop: (state, reason: Reason) => stop(state, reason),
    hang: (state, _arg: undefined, ctx) => ctx.sleep(1e9).then(() => state),
  },
  on: (state, info) => ({ ...state, infos: [...state.infos, info] }),
  terminate: (state, reason, ctx) => {
    state.log?.push(`terminate ${state.name} ${textOf(reason)}`);
    return state.terminateMs === undefined ? undefined : ctx.sleep(state.terminateMs);
  },
});
export const trapperKey = keyFor(trapper, "n");

/** Names of a node's events with who and why, in order. */
export function recordEvents(node: VirtualNode, names: readonly string[]): string[] {
  const lines: string[] = [];
  node.telemetry.attach("record", names, ({ name, process, fields }) => {
    const why = fields["context"] ?? fields["reason"] ?? fields["result"];
    const child = fields["child"];
    const about = child === undefined ? String(process) : `${String(process)}>${textOf(child)}`;
    lines.push(`${name.replace("otp.", "")} ${about} ${textOf(why)}`);
  });
  return lines;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A virtual node that runs these children under one supervisor called "top". */
export async function startTop(
  children: readonly ChildSpec[],
  options: Omit<SupervisorOptions, "children"> = {},
  node: VirtualNode = createVirtualNode(),
): Promise<VirtualNode> {
  await node.start(supervisor("top", { intensity: 100, ...options, children }));
  return node;
}

/** A value that must be there. */
export function must<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("expected a value");
  return value;
}

/** Ref of a probe by its number. */
export function probeRef(node: VirtualNode, n: string): Ref<typeof probe> {
  return must(node.whereis(probeKey(n)));
}

/** A virtual node with these probes under "top". */
export function startProbes(...names: readonly string[]): Promise<VirtualNode> {
  return startTop(names.map((name) => child(probe, { name }, { register: probeKey(name) })));
}

/** What `body` gives inside a turn of a probe. */
export async function as<T>(node: VirtualNode, n: string, body: (ctx: Ctx) => T): Promise<T> {
  return (await node.drive(probeRef(node, n).call.run(body))) as T;
}
