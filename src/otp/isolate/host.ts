/**
 * The host process of an isolated subtree: what the parent's supervisor starts, links and stops.
 *
 * It owns the thread and the bridge. To its supervisor it is a supervisor like any other: its start
 * waits for the subtree's, a shutdown is an orderly stop inside, a kill ends the thread at once.
 */
import { type Envelope, Kind } from "../process/message.ts";
import { type Behaviour, notStarted, type Process, type StartOutcome } from "../process/process.ts";
import type { LogLevel } from "../node/log.ts";
import { treeOf } from "../node/tree-view.ts";
import type { Reason } from "../reason.ts";
import { SupervisorBase } from "../supervisor/base.ts";
import type { SupervisorSetup } from "../supervisor/spec.ts";
import { Bridge } from "./bridge.ts";
import { decodeReason, encodeReason } from "./codec.ts";
import type { ControlFrame } from "./frames.ts";
import { type Hub, hubOf } from "./hub.ts";
import { endInline, startInline } from "./inline.ts";
import type { Isolation } from "./origin.ts";
import { ForeignProcess } from "./proxy.ts";
import { Thread, type ThreadEnd } from "./thread.ts";
import { type View, viewFrom } from "./view.ts";
import { countUnknown } from "../process/unknown.ts";

/** A thread that was ended from here ends with this code. */
const TERMINATED = 1;

/** Behaviour and state of one host. */
export class IsolateHost extends SupervisorBase implements Behaviour {
  private readonly setup: SupervisorSetup;
  private readonly isolation: Isolation;
  private hub!: Hub;
  private workerId = "";
  private thread: Thread | undefined = undefined;
  private bridge: Bridge | undefined = undefined;
  /** The subtree's own supervisor, or its stand-in. */
  private root: Process | undefined = undefined;
  private view: View | undefined = undefined;
  private startedAtMs = 0;
  private settleStart: ((outcome: StartOutcome) => void) | undefined = undefined;
  private end: ThreadEnd | undefined = undefined;

  constructor(setup: SupervisorSetup, isolation: Isolation) {
    super(setup.id);
    this.setup = setup;
    this.isolation = isolation;
  }

  init(process: Process): StartOutcome | Promise<StartOutcome> {
    this.me = process;
    const { kernel } = process;
    this.hub = hubOf(kernel);
    if (this.hub.workers >= this.hub.maxWorkers) {
      return notStarted(["max_workers", this.hub.maxWorkers]);
    }
    this.enlist();
    if (!kernel.isRealTime) return this.openInline();
    return new Promise((resolve) => {
      this.settleStart = resolve;
      this.open();
    });
  }

  receive(process: Process, envelope: Envelope): void {
    switch (envelope.kind) {
      case Kind.exit:
        if (envelope.origin === this.root) {
          this.finish((envelope.arg as { readonly reason: Reason }).reason);
        }
        // Strangers' exits are ignored, as by any supervisor.
        if (process.parent !== undefined && envelope.origin === process.parent) {
          this.stop((envelope.arg as { readonly reason: Reason }).reason);
        }
        return;
      case Kind.admin:
        if (this.root instanceof ForeignProcess) this.bridge?.forward(this.root, envelope);
        else if (this.root !== undefined) process.kernel.deliver(this.root, envelope);
        return;
      case Kind.internal:
        if (envelope.type === "stop") this.stop((envelope.arg as { reason: Reason }).reason);
        return;
      default:
        countUnknown(process, envelope.type);
    }
  }

  format(): unknown {
    const { origin, heapMb } = this.isolation;
    return { worker: this.workerId, module: origin.module, export: origin.export, heapMb };
  }

  /** What operators see of the subtree: with a thread as it was a moment ago. */
  get subtree(): View | undefined {
    const { view, bridge, root } = this;
    if (root !== undefined && bridge === undefined) return { tree: treeOf(root), rows: [] };
    return view === undefined || bridge === undefined ? undefined : viewFrom(bridge, view);
  }

  /** For the runtime: the process is gone, and its thread goes with it. */
  ended(): void {
    const { me, thread } = this;
    this.delist();
    if (thread === undefined) {
      endInline(me, ["worker_exit", TERMINATED]);
      return;
    }
    const code = this.end?.code ?? TERMINATED;
    thread.terminate();
    this.hub.workers -= 1;
    this.hub.spares.rest(this.setup);
    this.bridge?.close(["worker_exit", code]);
    const fields = { worker: this.workerId, code, reason: me.exitReason ?? "killed" };
    me.kernel.event("otp.worker.down", me, fields);
  }

  private async openInline(): Promise<StartOutcome> {
    const outcome = await startInline(this.me, this.isolation.origin);
    if (!outcome.ok) return outcome;
    this.root = outcome.process;
    return { ok: true, process: this.me };
  }

  // --- the thread -------------------------------------------------------------------------------

  private open(): void {
    const { me, hub, isolation } = this;
    hub.workers += 1;
    this.workerId = hub.nextWorkerId();
    this.startedAtMs = me.kernel.now();
    const thread = hub.spares.take(this.setup) ?? this.boot();
    this.thread = thread;
    hub.waitFor(thread.ended);
    void thread.ended.then((end) => this.threadEnded(end));
    const bridge = new Bridge(me.kernel, {
      id: this.workerId,
      port: thread,
      isOuter: true,
      onControl: (frame) => this.onControl(frame),
      ...(isolation.maxInFlight === undefined ? {} : { maxInFlight: isolation.maxInFlight }),
    });
    this.bridge = bridge;
    bridge.post(["start", isolation.origin]);
  }

  private boot(): Thread {
    const thread = new Thread({
      name: `paceline ${this.name}`,
      heapMb: this.isolation.heapMb,
      profile: this.me.kernel.profile.name,
    });
    this.hub.waitFor(thread.ended);
    return thread;
  }

  private onControl(frame: ControlFrame): void {
    const { me } = this;
    const { kernel } = me;
    switch (frame[0]) {
      case "up":
        this.up(frame);
        return;
      case "failed":
        this.settle(notStarted(decodeReason(frame[1])));
        return;
      case "ended":
        this.finish(decodeReason(frame[1]));
        return;
      case "event": {
        const [, name, process, fields] = frame;
        if (!kernel.telemetry.hears(name)) return;
        const inner = decodeReason(fields) as unknown as Readonly<Record<string, unknown>>;
        kernel.telemetry.emit(name, { ...inner, worker: this.workerId }, process);
        return;
      }
      case "log": {
        const [, level, fields, message] = frame;
        const inner = decodeReason(fields) as unknown as Readonly<Record<string, unknown>>;
        kernel.log(level as LogLevel, { ...inner, worker: this.workerId }, message);
        return;
      }
      case "view":
        this.view = frame[1] as View;
        return;
      default:
    }
  }

  private up(frame: ControlFrame & { 0: "up" }): void {
    const { me, hub, isolation } = this;
    this.root = this.bridge?.processOf(frame[1]);
    me.kernel.event("otp.worker.up", me, {
      worker: this.workerId,
      durationMs: me.kernel.now() - this.startedAtMs,
    });
    this.settle({ ok: true, process: me });
    // A root is not restarted.
    if (isolation.hasSpare && me.parent !== undefined) {
      hub.spares.prepare(this.setup, isolation.origin, me.parent, () => this.boot());
    }
  }

  private threadEnded(end: ThreadEnd): void {
    this.end = end;
    const { error, code } = end;
    this.finish(error === undefined ? ["worker_exit", code] : { error });
  }

  /** An orderly stop inside; the answer, or the thread's end, ends this process. */
  private stop(reason: Reason): void {
    const { me } = this;
    me.status = "stopping";
    me.busy = true;
    me.kernel.block(me);
    me.kernel.event("otp.terminate", me, { reason });
    if (this.bridge !== undefined) this.bridge.post(["stop", encodeReason(reason)]);
    else if (this.root !== undefined) {
      me.kernel.onDown(this.root, (last) => this.finish(this.root?.exitReason ?? last));
      me.kernel.signals.exit(me, this.root, reason);
    }
  }

  private finish(reason: Reason): void {
    if (!this.me.alive) return;
    if (this.settleStart !== undefined) this.settle(notStarted(reason));
    else this.me.kernel.finish(this.me, reason);
  }

  private settle(outcome: StartOutcome): void {
    const settle = this.settleStart;
    this.settleStart = undefined;
    settle?.(outcome);
  }
}
