/**
 * A node: one runtime with its clock, its tree and its operator's view.
 *
 * ```ts
 * import { child, createNode, defineActor, keyFor, supervisor } from "paceline/otp";
 *
 * const greeter = defineActor({
 *   name: "demo/greeter",
 *   trapExit: true,
 *   init: (word: string, ctx) => {
 *     ctx.log.info({}, "up");
 *     return word;
 *   },
 *   casts: {
 *     greet: (word, who: string) => {
 *       console.log(word, who);
 *       return word;
 *     },
 *   },
 *   terminate: (_word, reason) => console.log("ends:", reason),
 * });
 * const greeterKey = keyFor(greeter);
 *
 * const node = createNode({
 *   log: (level, { process }, message) => console.log(level, process, message),
 * });
 * await node.start(
 *   supervisor("demo", { children: [child(greeter, "hello", { register: greeterKey() })] }),
 * );
 * node.whereis(greeterKey())?.cast.greet("world");
 * await node.stop(5_000);
 * console.log(await node.ended);
 * ```
 *
 * ```text
 * info demo/greeter up
 * hello world
 * ends: shutdown
 * shutdown
 * ```
 *
 * | option | meaning | default |
 * |---|---|---|
 * | `clock` | monotonic and wall time, ms | the host's |
 * | `random` | uniform in [0, 1) | Math.random |
 * | `profile` | defaults of the extensions to OTP: `paceline` or `otp` (node/profile.ts) | paceline |
 * | `log` | gets every record of `ctx.log` | dropped |
 * | `isDev` | reports rings of waiting calls (`otp.call.cycle`), freezes messages, tells of dead scopes that go on (`otp.scope.resumed`) | false |
 * | `maxWorkers` | worker threads that may run isolated subtrees at once | cores - 1, at least 1 |
 * | `onStray` | decides about errors that no process owns | log, stop the node in order, rethrow to the host |
 * | `watchdog` | names who blocks the main loop, from a thread (node/watchdog.ts) | off |
 *
 * `start` resolves when the whole tree is up; it rejects with ExitError and the reason of the child
 * that failed, after what was up has been stopped. One tree a node: `OTP_ALREADY_STARTED`. While a tree
 * runs the host stays up, with or without sockets.
 *
 * `stop(timeoutMs = Infinity, reason = "shutdown")` stops in reverse order, each child within its own
 * `shutdown`; what is left after `timeoutMs` is killed. `ended` resolves with the root's reason, by
 * stop or by itself: a root that gives up ends with `shutdown`, and the program decides what then.
 *
 * Stray errors (unhandled rejections, throws in timers and socket callbacks) end the process whose code
 * caused them, as its own throw would; only those that no process owns reach `onStray`.
 */
import { setImmediate as hostImmediate } from "node:timers";
import { whereis } from "../actor/context.ts";
import type { AnyDef, Ref } from "../actor/definition.ts";
import type { GroupView } from "../names/groups.ts";
import type { Key } from "../names/key.ts";
import type { PubSub } from "../names/pubsub.ts";
import type { Registry } from "../names/registry.ts";
import type { Table } from "../names/table.ts";
import { DevKernel } from "../process/dev-kernel.ts";
import { Kernel, type KernelOptions } from "../process/kernel.ts";
import { Envelope, Kind } from "../process/message.ts";
import type { Process, StartOutcome } from "../process/process.ts";
import { RefImpl } from "../process/ref.ts";
import { realHooks } from "../process/scheduler.ts";
import { isZombie, runOutside } from "../process/scope.ts";
import { ExitError, OtpError, reasonOfThrown, reasonText, type Reason } from "../reason.ts";
import { findSupervisor, type SupervisorRef } from "../supervisor/ref.ts";
import type { ChildSpec, SupervisorSpec } from "../supervisor/spec.ts";
import { startSpec } from "../supervisor/start.ts";
import { type Clock, realClock } from "../time/clock.ts";
import { HostTimer } from "../time/host-timer.ts";
import { Inspector } from "./inspector.ts";
import type { LogSink } from "./log.ts";
import type { ProfileName } from "./profile.ts";
import { catchStrays, type StrayPolicy } from "./stray.ts";
import type { Telemetry } from "./telemetry.ts";
import { makeWatchdog, type WatchdogOptions } from "./watchdog.ts";

/** What a node may be given. */
export interface NodeOptions {
  /** Monotonic and wall time, ms; default the host's. */
  readonly clock?: Clock;
  /** Uniform in [0, 1); default Math.random. */
  readonly random?: () => number;
  /** Defaults of the extensions to OTP: "paceline" (default) bounds everything, "otp" nothing. */
  readonly profile?: ProfileName;
  /** Rings of waiting calls and dead scopes that go on are told, messages are frozen; default false. */
  readonly isDev?: boolean;
  /** Gets `ctx.log` records; default: dropped. */
  readonly log?: LogSink;
  /** Worker threads that may run isolated subtrees at once; default: cores - 1, at least 1. */
  readonly maxWorkers?: number;
  /** Decides about errors that no process owns; default: log, stop the node, then rethrow to the host. */
  readonly onStray?: StrayPolicy;
  /**
   * Watches the main loop from a thread (10 MB) and names the process and function that blocks it;
   * `true` takes the defaults. Default: off.
   */
  readonly watchdog?: boolean | WatchdogOptions;
}

/** One runtime. */
export class Node {
  /** Events of this node. */
  readonly telemetry: Telemetry;
  /** The operator's view and levers. */
  readonly inspector: Inspector;
  /** Names: `listen` to changes, `select` by prefix. */
  readonly registry: Pick<Registry, "listen" | "select">;
  readonly groups: GroupView;
  /** Resolves with the reason when the tree has ended, by stop or by itself. */
  readonly ended: Promise<Reason>;
  protected readonly kernel: Kernel;
  private readonly holdHost: ((isHeld: boolean) => void) | undefined;
  private root: Process | undefined = undefined;
  private launching: Promise<StartOutcome> | undefined = undefined;
  private readonly onStray: StrayPolicy | undefined;
  private releaseStrays: (() => void) | undefined = undefined;
  private tellEnded!: (reason: Reason) => void;

  constructor(
    kernel: Kernel,
    onStray: StrayPolicy | undefined,
    holdHost?: (isHeld: boolean) => void,
  ) {
    this.kernel = kernel;
    this.holdHost = holdHost;
    this.onStray = onStray;
    this.telemetry = kernel.telemetry;
    this.registry = kernel.registry;
    this.groups = kernel.groups;
    this.inspector = new Inspector(kernel, () => (this.root === undefined ? [] : [this.root]));
    this.ended = new Promise((resolve) => {
      this.tellEnded = resolve;
    });
  }

  /** For the runtime itself. */
  static kernelOf(node: Node): Kernel {
    return node.kernel;
  }

  /** Monotonic ms of the node's clock. */
  nowMs(): number {
    return this.kernel.now();
  }

  /** Starts the tree; resolves when it is up, rejects with ExitError and the start error. */
  async start<A>(spec: SupervisorSpec<A>): Promise<SupervisorRef<A>> {
    if (this.root?.alive === true) {
      throw new OtpError("OTP_ALREADY_STARTED", `node already runs ${this.root.label}`);
    }
    this.releaseStrays ??= catchStrays(this.onStray);
    this.holdHost?.(true);
    this.launching = this.launch(spec);
    const outcome = await this.launching;
    this.launching = undefined;
    if (!outcome.ok) {
      this.holdHost?.(false);
      this.releaseStrays();
      this.releaseStrays = undefined;
      throw new ExitError(outcome.ignored ? "ignore" : outcome.reason, spec.id, "start");
    }
    const root = outcome.process;
    this.root = root;
    this.kernel.onDown(root, (reason) => {
      this.holdHost?.(false);
      this.releaseStrays?.();
      this.releaseStrays = undefined;
      this.tellEnded(root.exitReason ?? reason);
    });
    return root.ref as unknown as SupervisorRef<A>;
  }

  /**
   * Stops the tree in reverse order with its shutdown timeouts; what is left after `timeoutMs` is
   * killed. A tree that is still starting is killed and its start rejects.
   */
  async stop(timeoutMs = Number.POSITIVE_INFINITY, reason: Reason = "shutdown"): Promise<void> {
    const { kernel } = this;
    if (this.launching !== undefined) {
      // A boot cannot be asked: its root is killed, and what was up hears of it by its link.
      for (const process of kernel.processes.values()) {
        if (process.parent === undefined) kernel.signals.exit(undefined, process, "kill");
      }
      await this.launching;
    }
    const { root } = this;
    if (root === undefined || !root.alive) return;
    const order = { op: "stop", reason };
    kernel.send(root, new Envelope(Kind.internal, "stop", order, undefined));
    const deadline =
      timeoutMs === Number.POSITIVE_INFINITY
        ? undefined
        : kernel.wakeAt(timeoutMs, () => this.killAll());
    await this.ended;
    if (deadline !== undefined) kernel.wheel.cancel(deadline);
    await kernel.foreign?.quiet();
  }

  /** The process that holds `key`, or undefined. */
  whereis<D extends AnyDef>(key: Key<D>): Ref<D> | undefined {
    return whereis<D>(this.kernel.registry.get(key.name));
  }

  /** A ref that resolves `key` at every send. */
  via<D extends AnyDef>(key: Key<D>): Ref<D> {
    return new RefImpl(this.kernel, undefined, key.name, key.facets) as unknown as Ref<D>;
  }

  /** The supervisor with this registered name, path or unique id. */
  supervisor<A = ChildSpec>(name: string): SupervisorRef<A> | undefined {
    return findSupervisor<A>(this.kernel, name);
  }

  /** An open table by name. */
  table<V = unknown>(name: string): Table<V> | undefined {
    return this.kernel.tables.get(name) as Table<V> | undefined;
  }

  /** Mails `payload` to the subscribers of a topic. */
  broadcast(...args: Parameters<PubSub["broadcast"]>): number {
    return isZombie("broadcast") ? 0 : this.kernel.pubsub.broadcast(args[0], args[1]);
  }

  /** Emits a telemetry event. */
  emit(name: string, fields?: Readonly<Record<string, unknown>>): void {
    this.kernel.telemetry.emit(name, fields);
  }

  /** Starts the root outside any scope. */
  protected launch(spec: ChildSpec): Promise<StartOutcome> {
    return Promise.resolve(runOutside(() => startSpec(this.kernel, spec, undefined)));
  }

  private killAll(): void {
    for (const process of [...this.kernel.processes.values()].reverse()) {
      this.kernel.signals.exit(undefined, process, "kill");
    }
  }
}

/** The kernel of a node, for the runtime itself. */
export function kernelOf(node: Node): Kernel {
  return Node.kernelOf(node);
}

/** Creates a node on real time. */
export function createNode(options: NodeOptions = {}): Node {
  const clock = options.clock ?? realClock;
  const log = options.log ?? (() => {});
  const driver = new HostTimer(clock);
  const watchdog = makeWatchdog(options.watchdog);
  const kernelOptions: KernelOptions = {
    clock,
    random: options.random ?? Math.random,
    profile: options.profile,
    isDev: options.isDev ?? false,
    hooks: realHooks,
    log,
    armTimer: (deadlineMs) => driver.timerStarted(deadlineMs),
    board: watchdog?.board,
    isToldElsewhere: (tookMs) => watchdog?.claims(tookMs) === true,
    maxWorkers: options.maxWorkers,
  };
  const kernel = kernelOptions.isDev ? new DevKernel(kernelOptions) : new Kernel(kernelOptions);
  driver.kernel = kernel;
  const stopAndRethrow: StrayPolicy = (error) => {
    log("error", { error }, `stray error without an owner: ${reasonText(reasonOfThrown(error))}`);
    // An orderly stop first; then the host gives its own verdict, as if nobody had listened.
    const rethrow = (): void => {
      hostImmediate(() => {
        throw error;
      });
    };
    node.stop().then(rethrow, rethrow);
  };
  const node: Node = new Node(kernel, options.onStray ?? stopAndRethrow, (isHeld) => {
    driver.hold(isHeld);
    if (isHeld) watchdog?.start(kernel);
    else watchdog?.stop();
  });
  return node;
}
