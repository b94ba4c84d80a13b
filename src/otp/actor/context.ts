/**
 * `ctx`: what a handler may do. One per process; useless after its death.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, keyFor, supervisor } from "paceline/otp";
 *
 * const worker = defineActor({
 *   name: "demo/worker",
 *   init: (_args: undefined) => 0,
 *   casts: {
 *     fail: () => {
 *       throw new Error("broken");
 *     },
 *   },
 * });
 * const workerKey = keyFor(worker);
 *
 * const watcher = defineActor({
 *   name: "demo/watcher",
 *   init: (_args: undefined, ctx) => {
 *     ctx.every(1_000, "tick");
 *     ctx.subscribe("news");
 *     return ctx.monitor(workerKey());
 *   },
 *   on: (monitor, info, ctx) => {
 *     if (info.type === "timer") ctx.task("square", async () => 6 * 7);
 *     if (info.type === "task" && info.result.ok) ctx.broadcast("news", info.result.value);
 *     if (info.type === "info") console.log(`${ctx.now()} ms: news`, info.payload);
 *     if (info.type === "down") {
 *       console.log("down:", info.reason);
 *       return ctx.monitor(workerKey());
 *     }
 *     return monitor;
 *   },
 * });
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("demo", {
 *     children: [
 *       child(worker, undefined, { register: workerKey() }),
 *       child(watcher, undefined, { id: "watcher" }),
 *     ],
 *   }),
 * );
 * await node.advance(1_000);
 * node.inspector.exit(workerKey().name, "kill");
 * await node.settle();
 * await node.stop();
 * ```
 *
 * ```text
 * 1000 ms: news 42
 * down: killed
 * ```
 *
 * | to | use | unit, default |
 * |---|---|---|
 * | time and chance | `now`, `wallNow`, `random` | ms monotonic, ms since the epoch, [0, 1) |
 * | timers | `after`, `every`, `cancel` | ms; a key has one timer, the same key replaces |
 * | wait inside a turn | `sleep`, `guard` | ms; the process is busy meanwhile |
 * | work outside the mailbox | `task` | 5000 ms, 64 per owner |
 * | others' ends | `link`, `unlink`, `monitor`, `demonitor`, `exit`, `trapExit` | |
 * | names | `register`, `unregister`, `whereis`, `via`, `supervisor` | |
 * | topics | `subscribe`, `unsubscribe`, `broadcast`, `broadcastFrom` | |
 * | the rest | `self`, `name`, `signal`, `log`, `emit`, `table` | |
 *
 * Promises made here never settle once the process is dead: the code behind an `await` simply ends,
 * as on BEAM, and its `finally` does not run. Late operations of code that outlived its process throw
 * `OTP_DEAD_PROCESS` where a value is expected (sleep, guard, task, monitor) and are dropped and
 * counted elsewhere (`zombieOps`, event `otp.zombie`). A driver that must let go of something listens
 * to `signal`, which is aborted at death.
 *
 * A timer set by `after(.., { to: key })` survives its process and finds its receiver at expiry; all
 * others end with the process.
 */
import { Log } from "../node/log.ts";
import { mustSpeak, OwnGroups } from "../names/groups.ts";
import type { Key } from "../names/key.ts";
import type { Table } from "../names/table.ts";
import { isLate, mustLive } from "../process/late.ts";
import { Kind, type Monitor, type TaskResult } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import { processOf, type ProcessRef, RefImpl } from "../process/ref.ts";
import { forgetWatcher } from "../process/death.ts";
import { forgetWatching, type MonitorRecord } from "../process/signals.ts";
import { spawnBody } from "../process/spawn.ts";
import type { TaskOptions } from "../process/task.ts";
import type { Reason } from "../reason.ts";
import { type AdminResult, findSupervisor, type SupervisorRef } from "../supervisor/ref.ts";
import type { ChildSpec } from "../supervisor/spec.ts";
import { launchTask } from "../supervisor/task-supervisor.ts";
import type { AnyDef, Ref } from "./definition.ts";
import { checkConcurrency, streamTasks, type TaskStreamOptions } from "./task-stream.ts";
import { cancelTimer, sleep, startTimer } from "./timers.ts";

/** Options of `ctx.spawn`. */
export interface SpawnOptions {
  /** Link both ways; default false. */
  readonly link?: boolean;
}

/** Who is meant: a ref, or a key that is resolved now. */
export type Target = ProcessRef | Key;

/** Capabilities of one process. */
export class Ctx {
  private readonly process: Process;
  private logger: Log | undefined = undefined;

  constructor(process: Process) {
    this.process = process;
  }

  /** For the runtime itself. */
  static processOf(ctx: Ctx): Process {
    return ctx.process;
  }

  /** Reference to this process; `self.send(payload)` mails an info message to itself. */
  get self(): ProcessRef {
    return this.process.ref;
  }

  /** Registered name of this process, or what it runs. */
  get name(): string {
    return this.process.label;
  }

  /** Aborted at death; for drivers. Made on first use. */
  get signal(): AbortSignal {
    const more = this.process.more();
    more.abort ??= new AbortController();
    if (!this.process.alive) more.abort.abort();
    return more.abort.signal;
  }

  /** Structured log, marked with pid and name. */
  get log(): Log {
    const { process } = this;
    this.logger ??= new Log(
      (level, fields, message) => process.kernel.log(level, fields, message),
      () => ({ pid: process.pid, process: process.label }),
    );
    return this.logger;
  }

  /** Monotonic ms. */
  now(): number {
    return this.process.kernel.clock.monotonicMs();
  }

  /** Milliseconds since the epoch. */
  wallNow(): number {
    return this.process.kernel.clock.wallMs();
  }

  /** Uniform in [0, 1), from the node's injected source. */
  random(): number {
    return this.process.kernel.random();
  }

  /** Mails `timer` with `key` once after `delayMs`; the same key replaces. */
  after(delayMs: number, key: string, payload?: unknown, options?: { readonly to?: Key }): void {
    const { process } = this;
    if (!isLate(process, "timer")) startTimer(process, delayMs, 0, key, payload, options?.to?.name);
  }

  /** Mails `timer` with `key` every `intervalMs`, at most one queued at a time; the same key replaces. */
  every(intervalMs: number, key: string, payload?: unknown): void {
    const { process } = this;
    const everyMs = intervalMs >= 1 ? intervalMs : 1;
    if (!isLate(process, "timer")) startTimer(process, everyMs, everyMs, key, payload, undefined);
  }

  /** Milliseconds that were left, or false when no such timer runs; an expired message stays queued. */
  cancel(key: string): number | false {
    return isLate(this.process, "timer") ? false : cancelTimer(this.process, key);
  }

  /** Resolves after `delayMs`, never after death. The process stays busy meanwhile. */
  sleep(delayMs: number): Promise<void> {
    mustLive(this.process, "sleep");
    return sleep(this.process, delayMs);
  }

  /** The same promise, but one that never settles after this process's death. */
  guard<T>(promise: Promise<T>): Promise<T> {
    const { process } = this;
    mustLive(this.process, "guard");
    return new Promise((resolve, reject) => {
      promise.then(
        (value) => {
          if (process.alive) resolve(value);
        },
        (error: unknown) => {
          if (process.alive) reject(error);
        },
      );
    });
  }

  /**
   * Runs `run` in a process of its own and mails one `task` message with its outcome.
   *
   * The task dies with its owner; a running key is replaced and its older result dropped. Default
   * timeout 5 s; at most 64 run per owner, the next one fails with "overloaded". With `supervisor`
   * it hangs below that task supervisor instead of below this process.
   */
  task<T>(key: string, run: (signal: AbortSignal) => Promise<T> | T, options?: TaskOptions): void {
    mustLive(this.process, "task");
    launchTask(this.process, key, run, options);
  }

  /**
   * Runs `run` for every item, at most `maxConcurrency` (default 8) at a time, each as a task of
   * this process; yields one result per item, failures as values. The process stays busy while a
   * handler reads it: read it inside a task when the mailbox must not wait.
   */
  taskStream<T, R>(
    items: Iterable<T>,
    run: (item: T, signal: AbortSignal) => R | Promise<R>,
    options: TaskStreamOptions = {},
  ): AsyncGenerator<TaskResult<R>, void, undefined> {
    mustLive(this.process, "task");
    checkConcurrency(options);
    return streamTasks(this.process, items, run, options);
  }

  /**
   * Runs `body` as the one turn of a process of its own, as erlang's spawn: it exits `normal` when
   * the body is done, with the error when it threw. Nobody restarts it; its owner's end does not
   * end it, unless it is linked.
   */
  spawn(body: (ctx: Ctx) => unknown, options?: SpawnOptions): ProcessRef {
    mustLive(this.process, "spawn");
    return spawnBody(this.process, body, options?.link === true).ref;
  }

  /** As `spawn`; the end of the process comes as a `down` message. */
  spawnMonitor(body: (ctx: Ctx) => unknown, options?: SpawnOptions): Monitor {
    const { process } = this;
    mustLive(process, "spawn");
    const spawned = spawnBody(process, body, options?.link === true);
    return process.kernel.monitor(process, spawned, undefined);
  }

  /** Links both ways; a link to a dead process is its `noproc` exit. */
  link(target: Target): void {
    if (isLate(this.process, "link")) return;
    const other = this.find(target);
    if (other === this.process) return;
    if (other === undefined) this.process.kernel.signals.exit(undefined, this.process, "noproc");
    else {
      this.process.addLink(other);
      this.process.kernel.signals.link(this.process, other);
    }
  }

  /** Drops the link and an exit message of it that is already queued. */
  unlink(target: Target): void {
    if (isLate(this.process, "unlink")) return;
    const other = this.find(target);
    if (other === undefined) return;
    this.process.dropLink(other);
    this.process.mailbox.removeFirst((held) => held.kind === Kind.exit && held.origin === other);
    this.process.kernel.signals.unlink(this.process, other);
  }

  /** One `down` message when the target ends; at once, with noproc, when it is dead. */
  monitor(target: Target): Monitor {
    mustLive(this.process, "monitor");
    const other = this.find(target);
    return this.process.kernel.monitor(this.process, other, target.name);
  }

  /** Ends a monitor and removes its `down` message when it is already queued. */
  demonitor(monitor: Monitor): void {
    if (isLate(this.process, "demonitor")) return;
    const record = monitor as MonitorRecord;
    record.active = false;
    forgetWatcher(record);
    forgetWatching(this.process, record);
    this.process.mailbox.removeFirst(
      (held) => held.kind === Kind.down && (held.arg as { monitor: Monitor }).monitor === monitor,
    );
  }

  /** Sends an exit signal; "kill" cannot be trapped, "normal" stops nobody but oneself. */
  exit(target: Target, reason: Reason): void {
    if (isLate(this.process, "exit")) return;
    const other = this.find(target);
    if (other !== undefined) this.process.kernel.signals.exit(this.process, other, reason);
  }

  /** Changes whether exit signals become messages; returns what it was. */
  trapExit(isTrapping: boolean): boolean {
    const before = this.process.trapExit;
    if (isLate(this.process, "trapExit")) return before;
    this.process.trapExit = isTrapping;
    return before;
  }

  /** The process that holds `key` now, or undefined. The ref is a pid: it goes stale at a restart. */
  whereis<D extends AnyDef>(key: Key<D>): Ref<D> | undefined {
    return whereis(this.process.kernel.registry.get(key.name));
  }

  /** A ref that resolves `key` at every send, so that restarts are transparent. */
  via<D extends AnyDef>(key: Key<D>): Ref<D> {
    return new RefImpl(this.process.kernel, undefined, key.name, key.facets) as unknown as Ref<D>;
  }

  /**
   * Holds `key` until death; `["already_started", pid]` names somebody else who holds it. A key of
   * another definition throws OTP_KEY_PROTOCOL.
   */
  register(key: Key): AdminResult {
    if (isLate(this.process, "register")) return { ok: false, reason: "noproc" };
    const { process } = this;
    mustSpeak(process, key);
    const holder = process.kernel.registry.register(key.name, process);
    if (holder === undefined || holder === process) return { ok: true };
    return { ok: false, reason: ["already_started", holder.pid] };
  }

  /** Gives up `key`; false when this process does not hold it. */
  unregister(key: Key): boolean {
    if (isLate(this.process, "unregister")) return false;
    return this.process.kernel.registry.unregister(key.name, this.process);
  }

  /** Groups of processes under one key: join, leave, members, dispatch. */
  get groups(): OwnGroups {
    return new OwnGroups(this.process, (op) => isLate(this.process, op));
  }

  /** The supervisor with this registered name, path or unique id, or undefined. */
  supervisor<A = ChildSpec>(name: string): SupervisorRef<A> | undefined {
    return findSupervisor<A>(this.process.kernel, name);
  }

  /** Subscribes to a topic; twice delivers twice. */
  subscribe(topic: string, value?: unknown): void {
    if (isLate(this.process, "subscribe")) return;
    this.process.kernel.pubsub.subscribe(this.process, topic, value);
  }

  /** Drops all subscriptions of this process to `topic`. */
  unsubscribe(topic: string): void {
    if (isLate(this.process, "unsubscribe")) return;
    this.process.kernel.pubsub.unsubscribe(this.process, topic);
  }

  /** Mails `info` with `payload` to every subscriber; returns how many. */
  broadcast(topic: string, payload: unknown): number {
    if (isLate(this.process, "broadcast")) return 0;
    return this.process.kernel.pubsub.broadcast(topic, payload);
  }

  /** Like broadcast, but not to this process. */
  broadcastFrom(topic: string, payload: unknown): number {
    if (isLate(this.process, "broadcast")) return 0;
    return this.process.kernel.pubsub.broadcast(topic, payload, this.process);
  }

  /** An open table by name, or undefined. */
  table<V = unknown>(name: string): Table<V> | undefined {
    return this.process.kernel.tables.get(name) as Table<V> | undefined;
  }

  /** Emits a telemetry event. */
  emit(name: string, fields?: Readonly<Record<string, unknown>>): void {
    if (isLate(this.process, "emit")) return;
    this.process.kernel.telemetry.emit(name, fields, this.process.label);
  }

  private find(target: Target): Process | undefined {
    if (target instanceof RefImpl) return processOf(target);
    return this.process.kernel.registry.get(target.name);
  }
}

/** Typed ref of a process found by key. */
export function whereis<D extends AnyDef>(process: Process | undefined): Ref<D> | undefined {
  return process?.ref as unknown as Ref<D> | undefined;
}
