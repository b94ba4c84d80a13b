/**
 * The bridge between two nodes of one program: the same code at both ends of a port.
 *
 * What is sent to a foreign process becomes a frame; frames of one microtask travel together.
 * Links are mirrored, monitors have a counterpart where the watched process lives, and each side
 * tells the other once of the death of every process that the other has a stand-in for. The port is
 * a FIFO, hence the order of signals between two processes is the order they were sent in.
 */
import type { PendingCall } from "../process/calls.ts";
import type { Kernel } from "../process/kernel.ts";
import { Envelope, Kind } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import type { CallFault, Reason } from "../reason.ts";
import { encodeCommand } from "./admin.ts";
import { decode, decodeReason, encodeReason } from "./codec.ts";
import type { ControlFrame, Frame, Handle, Port, SignalFrame, UserFrame } from "./frames.ts";
import { type Hub, hubOf } from "./hub.ts";
import { Monitors } from "./monitors.ts";
import { NameTable } from "./names.ts";
import { Outbox } from "./outbox.ts";
import { ForeignProcess } from "./proxy.ts";
import { decodeRef } from "./refs.ts";
import { RemoteCall } from "./remote-call.ts";
import { WaitingCalls } from "./waiting-calls.ts";
import { Watches } from "./watches.ts";

/** What a bridge is opened with. */
export interface BridgeOptions {
  /** What the other side is called here: "w1", or "main" inside a worker. */
  readonly id: string;
  readonly port: Port;
  /** The outer side keeps a name that both sides took at the same moment. */
  readonly isOuter: boolean;
  /** Messages that may lie in the port unread; default 10 000. */
  readonly maxInFlight?: number;
  /** Gets the frames that start and stop a subtree. */
  readonly onControl: (frame: ControlFrame) => void;
}

const MAX_IN_FLIGHT = 10_000;
/** User frames taken before the other side hears of it. */
const ACK_EVERY = 500;
const QUIET_MS = 1000;

/** One end. */
export class Bridge {
  readonly id: string;
  readonly kernel: Kernel;
  readonly names: NameTable;
  readonly monitors = new Monitors(this);
  private readonly hub: Hub;
  private readonly outbox: Outbox;
  private readonly options: BridgeOptions;
  private readonly proxies = new Map<number, ForeignProcess>();
  private readonly calls = new WaitingCalls(this);
  private readonly watches = new Watches(this);
  private inFlight = 0;
  private taken = 0;
  private droppedCount = 0;
  private droppedAtMs = Number.NEGATIVE_INFINITY;
  private isOpen = true;

  constructor(kernel: Kernel, options: BridgeOptions) {
    this.kernel = kernel;
    this.options = options;
    this.id = options.id;
    this.hub = hubOf(kernel);
    this.outbox = new Outbox(this, options.port);
    this.names = new NameTable(this);
    this.hub.add(this);
    options.port.onFrames((frames) => this.take(frames));
  }

  get isOuter(): boolean {
    return this.options.isOuter;
  }

  /** Sends a frame behind everything sent so far. */
  post(frame: SignalFrame | ControlFrame): void {
    if (this.isOpen) this.outbox.push(frame);
  }

  /** Sends what is waiting now: for the last words of a thread. */
  flush(): void {
    this.outbox.flush();
  }

  /** The other side is gone: everything behind the bridge ends with `reason`. */
  close(reason: Reason): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.names.close();
    this.hub.remove(this);
    this.watches.close();
    this.monitors.close(reason);
    for (const proxy of this.proxies.values()) this.end(proxy, reason, reason, "noconnection");
    // Calls that a host passed on wait with the host, not with a stand-in.
    this.calls.close();
  }

  /** A live process of this side by its number. */
  byId(id: number): Process | undefined {
    return this.hub.byId(id);
  }

  // --- who is who -------------------------------------------------------------------------------

  /** How the other side is told of a process. */
  handleOf(process: Process): Handle {
    const kind = process.behaviour.kind === "supervisor" ? "supervisor" : "worker";
    if (process instanceof ForeignProcess && process.bridge === this) {
      return [process.remoteId, process.label, kind, process.pid, true];
    }
    return [process.id, process.label, kind, process.pid];
  }

  /** The process that a handle means: one of ours, or the stand-in of one of theirs. */
  processOf(handle: Handle): Process | undefined {
    const [id, , , , isYours] = handle;
    if (isYours === true) return this.hub.byId(id);
    const known = this.proxies.get(id);
    if (known !== undefined) return known;
    const proxy = this.hub.makeProxy(this, handle);
    this.proxies.set(id, proxy);
    this.post(["watch", id]);
    return proxy;
  }

  /** A pid of theirs as it reads here. */
  pidOf(pid: string): string {
    return `#${this.id}.${pid.slice(1)}`;
  }

  // --- out --------------------------------------------------------------------------------------

  /** Sends a message to a foreign process; a call waits here for its answer. */
  forward(process: ForeignProcess, envelope: Envelope): void {
    const { kind, type, arg } = envelope;
    const to = process.remoteId;
    switch (kind) {
      case Kind.cast:
        this.send(["cast", to, type, arg, false]);
        return;
      case Kind.call:
      case Kind.sys:
        this.sendCall(to, kind, type, arg, envelope.origin as PendingCall);
        return;
      case Kind.admin:
        this.sendCall(to, kind, type, encodeCommand(this, arg), envelope.origin as PendingCall);
        return;
      default:
        this.send(["info", to, kind, type, arg, false]);
    }
  }

  sendExit(from: Process | undefined, to: ForeignProcess, reason: Reason): void {
    const sender = from === undefined ? undefined : this.handleOf(from);
    this.post(["exit", sender, to.remoteId, encodeReason(reason)]);
  }

  sendLinkExit(from: Process, to: ForeignProcess, reason: Reason): void {
    this.post(["link-exit", this.handleOf(from), to.remoteId, encodeReason(reason)]);
  }

  sendLink(op: "link" | "unlink", from: Process, to: ForeignProcess): void {
    this.post([op, this.handleOf(from), to.remoteId]);
  }

  sendReply(call: number, value: unknown): void {
    if (this.isOpen) this.outbox.pushUser(["reply", call, value, false], value);
  }

  private sendCall(
    to: number,
    kind: typeof Kind.call | typeof Kind.sys | typeof Kind.admin,
    type: string,
    arg: unknown,
    from: PendingCall,
  ): void {
    const call = this.calls.add(from, kind === Kind.admin ? type : undefined);
    const { deadlineMs } = from;
    // A call that never started its timer waits for ever.
    const timeoutMs = deadlineMs === 0 ? -1 : Math.max(0, deadlineMs - this.kernel.now());
    this.send(["call", to, kind, type, arg, false, call, timeoutMs, from.caller]);
  }

  private send(frame: UserFrame): void {
    if (this.inFlight >= (this.options.maxInFlight ?? MAX_IN_FLIGHT)) {
      this.refuse(frame, "overloaded");
      return;
    }
    this.inFlight += 1;
    this.outbox.pushUser(frame, frame[0] === "cast" ? frame[3] : frame[4]);
  }

  /** A user frame that cannot go: its caller hears, a message without one is counted. */
  refuse(frame: UserFrame, reason: CallFault | Reason): void {
    if (frame[0] === "call") {
      this.calls.fail(frame[6], reason);
      return;
    }
    if (frame[0] === "reply") {
      this.post(["fail", frame[1], encodeReason(reason)]);
      return;
    }
    this.kernel.counters.dropped += 1;
    this.droppedCount += 1;
    const nowMs = this.kernel.now();
    if (nowMs - this.droppedAtMs < QUIET_MS) return;
    this.droppedAtMs = nowMs;
    const type = frame[0] === "cast" ? frame[2] : frame[3];
    const fields = { worker: this.id, reason, type, count: this.droppedCount };
    this.droppedCount = 0;
    this.kernel.telemetry.emit("otp.worker.dropped", fields);
  }

  /** A user frame left the outbox without being sent. */
  unsent(): void {
    this.inFlight -= 1;
  }

  // --- in ---------------------------------------------------------------------------------------

  private take(frames: readonly Frame[]): void {
    if (!this.isOpen) return;
    for (const frame of frames) {
      this.apply(frame);
      if (!this.isOpen) return;
    }
    if (this.taken < ACK_EVERY) return;
    this.post(["ack", this.taken]);
    this.taken = 0;
  }

  private apply(frame: Frame): void {
    const { kernel, hub } = this;
    switch (frame[0]) {
      case "cast":
      case "info":
      case "call":
        this.taken += 1;
        this.deliver(frame);
        return;
      case "reply":
        this.calls.reply(frame[1], () => this.argOf(frame[2], frame[3]));
        return;
      case "fail":
        this.calls.fail(frame[1], decodeReason(frame[2]));
        return;
      case "exit": {
        const from = frame[1] === undefined ? undefined : this.processOf(frame[1]);
        const to = hub.byId(frame[2]);
        if (to !== undefined) kernel.signals.exit(from, to, decodeReason(frame[3]));
        return;
      }
      case "link-exit": {
        const from = this.processOf(frame[1]);
        const to = hub.byId(frame[2]);
        if (from === undefined || to === undefined) return;
        kernel.signals.linkExit(from, to, decodeReason(frame[3]));
        return;
      }
      case "link":
      case "unlink":
        this.applyLink(frame[0], this.processOf(frame[1]), hub.byId(frame[2]));
        return;
      case "watch":
        this.watches.hold(frame[1]);
        return;
      case "dead": {
        const proxy = this.proxies.get(frame[1]);
        // Its own side has told the links and calls that it knew of; the others met nobody.
        if (proxy !== undefined) this.end(proxy, decodeReason(frame[2]), "noproc", "noproc");
        return;
      }
      case "monitor":
        this.monitors.hold(frame[1], frame[2]);
        return;
      case "demonitor":
        this.monitors.release(frame[1]);
        return;
      case "down":
        this.monitors.down(frame[1], frame[2]);
        return;
      case "name":
        this.names.hold(frame[1], frame[2]);
        return;
      case "unname":
        this.names.release(frame[1], frame[2]);
        return;
      case "ack":
        this.inFlight -= frame[1];
        return;
      default:
        this.options.onControl(frame);
    }
  }

  /** A link to nobody ends with the stand-in, whose end is told. */
  private applyLink(
    op: "link" | "unlink",
    from: Process | undefined,
    to: Process | undefined,
  ): void {
    if (from === undefined || to === undefined) return;
    if (op === "link") from.addLink(to);
    else from.dropLink(to);
    this.kernel.signals[op](from, to);
  }

  private deliver(frame: UserFrame & { 0: "cast" | "info" | "call" }): void {
    const process = this.hub.byId(frame[1]);
    if (frame[0] === "cast") {
      const [, , type, arg, isCoded] = frame;
      this.mail(process, new Envelope(Kind.cast, type, this.argOf(arg, isCoded), undefined));
      return;
    }
    const [, , kind, type, arg, isCoded] = frame;
    const value = this.argOf(arg, isCoded);
    if (frame[0] === "info") this.mail(process, new Envelope(kind, type, value, undefined));
    else this.receiveCall(process, kind, type, value, frame[6], frame[7], frame[8]);
  }

  private receiveCall(
    process: Process | undefined,
    kind: Envelope["kind"],
    type: string,
    arg: unknown,
    call: number,
    timeoutMs: number,
    caller: string,
  ): void {
    if (process === undefined || !process.alive) {
      this.post(["fail", call, "noproc"]);
      return;
    }
    if (kind === Kind.call && !process.behaviour.hasCall(type)) {
      this.post(["fail", call, "bad_call"]);
      return;
    }
    const pending = new RemoteCall(this, process, kind, type, call, caller);
    if (timeoutMs >= 0) this.kernel.startTimer(pending, timeoutMs);
    this.kernel.send(process, new Envelope(kind, type, arg, pending));
  }

  private mail(process: Process | undefined, envelope: Envelope): void {
    if (process === undefined) this.kernel.deadLetter(this.id, envelope);
    else this.kernel.send(process, envelope);
  }

  private argOf(arg: unknown, isCoded: boolean): unknown {
    return isCoded ? decode(arg, (data) => decodeRef(this, data)) : arg;
  }

  private end(proxy: ForeignProcess, reason: Reason, linkReason: Reason, fault: CallFault): void {
    this.proxies.delete(proxy.remoteId);
    this.hub.forget(proxy);
    proxy.alive = false;
    proxy.status = "dead";
    proxy.exitReason = reason;
    for (const table of proxy.extras?.tables ?? []) table.ownerDied();
    while (proxy.calls !== undefined) proxy.calls.fail(fault);
    for (const linked of proxy.linked()) this.kernel.signals.linkExit(proxy, linked, linkReason);
    proxy.links = undefined;
  }
}
