/**
 * Child specs and supervisor specs: plain data that says what runs and what restarts it.
 *
 * ```ts
 * import {
 *   child,
 *   createVirtualNode,
 *   defineActor,
 *   dynamicSupervisor,
 *   keyFor,
 *   supervisor,
 * } from "paceline/otp";
 *
 * const part = defineActor({
 *   name: "demo/part",
 *   init: (name: string, ctx) => {
 *     ctx.log.info({}, `start ${name}`);
 *     return name;
 *   },
 * });
 * const partKey = keyFor(part, "p");
 *
 * const pipeline = supervisor("pipeline", {
 *   strategy: "rest_for_one",
 *   intensity: 3,
 *   period: 10,
 *   children: [
 *     child(part, "source", { register: partKey("source") }),
 *     child(part, "parser", { register: partKey("parser"), shutdown: 1_000 }),
 *     child(part, "sink", { register: partKey("sink") }),
 *   ],
 * });
 * const jobs = dynamicSupervisor("jobs", {
 *   template: (name: string) => child(part, name, { id: name, restart: "temporary" }),
 *   maxChildren: 100,
 * });
 *
 * const node = createVirtualNode({ log: (_level, _fields, message) => console.log(message) });
 * await node.start(supervisor("top", { children: [pipeline, jobs] }));
 * console.log("the parser dies");
 * node.inspector.exit(partKey("parser").name, "kill");
 * await node.settle();
 * await node.supervisor<string>("jobs")?.startChild("job 1");
 * await node.stop();
 * ```
 *
 * ```text
 * start source
 * start parser
 * start sink
 * the parser dies
 * start parser
 * start sink
 * start job 1
 * ```
 *
 * | option of a child (and of a supervisor as a child) | meaning | default |
 * |---|---|---|
 * | `id` | name inside its supervisor, unique there | the name of `register` |
 * | `register` | key that it holds while it lives | none |
 * | `restart` | `permanent` always, `transient` after unclean ends, `temporary` never | permanent |
 * | `shutdown` | ms to stop in, then it is killed; `infinity`; `kill` at once | 5000 ms; supervisor: infinity |
 * | `significant` | its own end may end the supervisor | false |
 * | `backoff` | delay of a restart, below | none: at once |
 * | `startTimeoutMs` | ms that its init may take, then it is killed | 30 000 ms; supervisor: Infinity |
 *
 * | option of a supervisor | meaning | default |
 * |---|---|---|
 * | `strategy` | `one_for_one` the dead child; `one_for_all` all; `rest_for_one` it and those started after it | one_for_one |
 * | `children` | specs, in start order | none |
 * | `intensity` | restarts allowed inside `period`, integer >= 0 | 1 restart |
 * | `period` | window in seconds, integer > 0; fractions with clock `ms` | 5 s |
 * | `autoShutdown` | `never`, `any_significant`, `all_significant` | never |
 * | `clock` | `second`: whole seconds as OTP, so a window is up to 1 s longer; `ms`: exact | second |
 * | `orphans` | `wait`: a killed child supervisor is replaced when its orphans are gone; `ignore` | wait |
 * | `register` | name besides its id | none |
 * | `template` (dynamic) | makes the spec of a child from startChild's argument | none |
 * | `maxChildren` (dynamic) | children at once | 10 000 children |
 *
 * | option of `backoff` | meaning | default |
 * |---|---|---|
 * | `minMs`, `maxMs` | first delay, doubled each time, and its limit, ms | none |
 * | `jitter` | share of the delay taken off at random, 0..1 | 0.2 |
 * | `resetAfterMs` | a child that lived this long starts over at `minMs`, ms | maxMs |
 *
 * | option of a supervisor in a worker thread | meaning | default |
 * |---|---|---|
 * | `isolate` | `"worker"`: the subtree runs in a thread of its own (docs/otp/isolation.md) | inline |
 * | `from` | `{ module, export, args }`: the exported function that returns its spec there | export `subtree` |
 * | `heapMb` | old generation of its heap, MiB; beyond it the thread ends | 64 MiB |
 * | `spare` | keep a booted thread for the next restart | true, unless temporary |
 * | `maxInFlight` | messages unread in the port, each way | 10 000 messages |
 * | `shutdown`, `startTimeoutMs` | as for a child | 5000 ms, 30 000 ms |
 *
 * Children start left to right, each start waits for init, and stop right to left. A restart that is
 * one too many for `intensity` makes the supervisor stop its children and exit `shutdown`: its parent
 * decides next. A failed restart counts and is tried again. A dynamic supervisor stops its children in
 * parallel. `backoff`, `clock`, `orphans`, `maxChildren` and `startTimeoutMs` are extensions over OTP;
 * all else is OTP's semantics (otp.md 1.1 to 1.9).
 *
 * Bad flags and specs refuse the start with OTP's terms, e.g.
 * `["supervisor_data", ["invalid_period", 0]]` or `["start_spec", ["duplicate_child_name", id]]`;
 * nothing is started then.
 */
import type { AnyDef, ArgsOf } from "../actor/definition.ts";
import type { Key } from "../names/key.ts";
import type { Behaviour, StartOutcome } from "../process/process.ts";
import { type IsolatedFrom, type Isolation, originOf, refused } from "../isolate/origin.ts";

/** When a child is restarted: always, after abnormal ends, never. */
export type RestartType = "permanent" | "transient" | "temporary";
/** Who goes down with a dead child. */
export type RestartStrategy = "one_for_one" | "one_for_all" | "rest_for_one";
/** Ms to stop in, "infinity", or "kill" at once. */
export type Shutdown = number | "infinity" | "kill";
/** When a supervisor ends because its significant children did. */
export type AutoShutdown = "never" | "any_significant" | "all_significant";

/** Delay between a death and the restart; each attempt still counts against the budget. */
export interface Backoff {
  /** First delay in ms; each further attempt doubles it. */
  readonly minMs: number;
  /** Longest delay in ms. */
  readonly maxMs: number;
  /** Share of the delay that is random, 0..1; default 0.2. */
  readonly jitter?: number;
  /** A child that lived this long (ms) starts over at minMs; default maxMs. */
  readonly resetAfterMs?: number;
}

/** How a supervisor treats one child. */
export interface ChildPolicy {
  /** When it is started again; default permanent. */
  readonly restart?: RestartType;
  /** Ms it may take to stop; default 5000 ms for a worker, infinity for a supervisor. */
  readonly shutdown?: Shutdown;
  /** Its end may end the supervisor, see autoShutdown; default false. */
  readonly significant?: boolean;
  /** Delay of a restart; default none: at once. */
  readonly backoff?: Backoff;
  /** An init that takes longer is killed; default 30 000 ms (profile "otp": Infinity), for supervisors Infinity. */
  readonly startTimeoutMs?: number;
}

declare const speaks: unique symbol;

/** One child as its supervisor keeps it. */
export interface ChildSpec<D extends AnyDef = AnyDef> {
  readonly id: unknown;
  readonly type: "worker" | "supervisor";
  readonly restart: RestartType;
  readonly shutdown: Shutdown;
  readonly significant: boolean;
  readonly backoff: Backoff | undefined;
  /** Undefined: the node's profile decides. */
  readonly startTimeoutMs: number | undefined;
  /** Name that the process holds, when it registers one. */
  readonly name: string | undefined;
  readonly start: StartPlan;
  readonly [speaks]?: D;
}

/** What a start runs: a behaviour with its init argument, or a failure known beforehand. */
export interface StartPlan {
  /** A supervisor keeps state of its own: its setup makes a new behaviour at each start. */
  readonly behaviour: Behaviour | SupervisorSetup;
  readonly args: unknown;
  /** Decides before there is a process: a failure or "ignore" that it returns is the outcome. */
  readonly before?: () => StartOutcome | undefined;
  /** Handed to who asked for this start, with the ref. */
  readonly extra?: () => unknown;
}

/** Options of `child`: a policy and an id, a registered key, or both. */
export type ChildOptions<D extends AnyDef> = ChildPolicy &
  (
    | { readonly id: string | number; readonly register?: Key<D> }
    | { readonly id?: string | number; readonly register: Key<D> }
  );

/** Flags of a supervisor; unknown values are refused when it starts. */
export interface SupervisorFlags {
  /** Restarts allowed inside `period`, a whole number >= 0; default 1 restart. */
  readonly intensity?: number;
  /** Window in whole seconds > 0, with clock "ms" also fractions; default 5 s. */
  readonly period?: number;
  /** Whether the ends of significant children end the supervisor; default never. */
  readonly autoShutdown?: AutoShutdown;
  /** "second" (default) counts in whole seconds as OTP; "ms" exactly. */
  readonly clock?: "second" | "ms";
  /** "wait" (default; profile "otp": "ignore"): a killed child supervisor is replaced only when its orphans are gone. */
  readonly orphans?: "wait" | "ignore";
  /** Name under which the supervisor can be found besides its id; default none. */
  readonly register?: string;
}

/** What `supervisor` takes. */
export interface SupervisorOptions extends SupervisorFlags, ChildPolicy {
  /** Who goes down with a dead child; default one_for_one. */
  readonly strategy?: RestartStrategy;
  /** Specs in start order; they stop in reverse. */
  readonly children: readonly ChildSpec[];
  readonly isolate?: never;
}

/** What `supervisor` takes for a subtree in a worker thread; its flags are those of its own spec. */
export interface IsolatedOptions extends ChildPolicy {
  readonly isolate: "worker";
  /** The module that makes the subtree's spec. */
  readonly from: IsolatedFrom;
  readonly children?: never;
  /** Old generation of the thread's heap, MiB; beyond it the thread ends; default 64. */
  readonly heapMb?: number;
  /** Keep one more thread booted, so that a restart takes a few ms; default: unless temporary. */
  readonly spare?: boolean;
  /** Messages that may lie in the port unread, each way; default 10 000. */
  readonly maxInFlight?: number;
  /** Name under which the supervisor can be found besides its id; default none. */
  readonly register?: string;
}

/** What `dynamicSupervisor` takes. */
export interface DynamicOptions<A> extends SupervisorFlags, ChildPolicy {
  /** Makes the spec of a child from the argument of startChild. */
  readonly template: (args: A) => ChildSpec;
  /** startChild beyond this gives max_children; default 10 000 children (profile "otp": no bound). */
  readonly maxChildren?: number;
}

/** Flags with everything filled in. */
export interface SupervisorSetup {
  readonly id: string;
  readonly strategy: RestartStrategy | "simple_one_for_one";
  readonly intensity: number;
  readonly period: number;
  readonly autoShutdown: AutoShutdown;
  readonly clock: "second" | "ms";
  /** Undefined: the node's profile decides. */
  readonly orphans: "wait" | "ignore" | undefined;
  readonly children: readonly ChildSpec[];
  readonly template: ((args: unknown) => ChildSpec) | undefined;
  /** Undefined: the node's profile decides. */
  readonly maxChildren: number | undefined;
  /** The subtree runs in a thread: it is made there, and `children` is empty. */
  readonly isolation?: Isolation;
}

declare const takes: unique symbol;

/** Spec of a supervisor; a child spec like any other. `A` is what its startChild takes. */
export interface SupervisorSpec<A = ChildSpec> extends ChildSpec {
  readonly id: string;
  readonly type: "supervisor";
  readonly setup: SupervisorSetup;
  readonly [takes]?: A;
}

const WORKER_SHUTDOWN_MS = 5000;
const HEAP_MB = 64;
const THREAD_START_TIMEOUT_MS = 30_000;

/** Child spec of an actor; the id defaults to the name of `register`. */
export function child<D extends AnyDef>(
  def: D,
  args: ArgsOf<D>,
  options: ChildOptions<D>,
): ChildSpec<D> {
  const name = options.register?.name;
  return {
    id: options.id ?? name,
    type: "worker",
    restart: options.restart ?? "permanent",
    shutdown: options.shutdown ?? WORKER_SHUTDOWN_MS,
    significant: options.significant ?? false,
    backoff: options.backoff,
    startTimeoutMs: options.startTimeoutMs,
    name,
    start: { behaviour: def.behaviour, args },
  };
}

/**
 * Supervisor with static children; `startChild` adds specs at run time.
 *
 * With `isolate: "worker"` the whole subtree runs in a thread of its own and is made there, by a
 * function that a module exports. Shutdown then defaults to 5000 ms and startTimeoutMs to 30 000 ms.
 * Throws OTP_BAD_ISOLATION for what could never start.
 */
export function supervisor(
  id: string,
  options: SupervisorOptions | IsolatedOptions,
): SupervisorSpec {
  if (options.isolate !== undefined) return isolated(id, options);
  return superviseAs(id, options, {
    strategy: options.strategy ?? "one_for_one",
    children: options.children,
    template: undefined,
    maxChildren: undefined,
  });
}

function isolated(id: string, options: IsolatedOptions): SupervisorSpec {
  const { heapMb = HEAP_MB, restart } = options;
  if (options.isolate !== "worker") throw refused(id, 'isolate must be "worker"');
  if (options.children !== undefined) throw refused(id, "children are made inside, by `from`");
  if (!(heapMb > 0)) throw refused(id, `heapMb must be above 0, not ${String(heapMb)}`);
  const policy: ChildPolicy = {
    ...options,
    shutdown: options.shutdown ?? WORKER_SHUTDOWN_MS,
    startTimeoutMs: options.startTimeoutMs ?? THREAD_START_TIMEOUT_MS,
  };
  return superviseAs(id, policy, {
    strategy: "one_for_one",
    children: [],
    template: undefined,
    maxChildren: undefined,
    isolation: {
      origin: originOf(id, options.from),
      heapMb,
      hasSpare: options.spare ?? restart !== "temporary",
      maxInFlight: options.maxInFlight,
    },
  });
}

/** Supervisor of many like children, started on demand: `startChild(args)`. */
export function dynamicSupervisor<A>(id: string, options: DynamicOptions<A>): SupervisorSpec<A> {
  const spec = superviseAs(id, options, {
    strategy: "simple_one_for_one",
    children: [],
    template: options.template as (args: unknown) => ChildSpec,
    maxChildren: options.maxChildren,
  });
  return spec as SupervisorSpec<A>;
}

function superviseAs(
  id: string,
  options: SupervisorFlags & ChildPolicy,
  kind: Pick<SupervisorSetup, "strategy" | "children" | "template" | "maxChildren" | "isolation">,
): SupervisorSpec {
  const setup: SupervisorSetup = {
    id,
    ...kind,
    intensity: options.intensity ?? 1,
    period: options.period ?? 5,
    autoShutdown: options.autoShutdown ?? "never",
    clock: options.clock ?? "second",
    orphans: options.orphans,
  };
  return {
    id,
    type: "supervisor",
    restart: options.restart ?? "permanent",
    shutdown: options.shutdown ?? "infinity",
    significant: options.significant ?? false,
    backoff: options.backoff,
    startTimeoutMs: options.startTimeoutMs,
    name: options.register,
    start: { behaviour: setup, args: undefined },
    setup,
  };
}
