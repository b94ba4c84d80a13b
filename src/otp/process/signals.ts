/**
 * The node's one FIFO of signals: exits, links, monitors, and messages sent behind them.
 *
 * Signals are applied between turns, never inside one and never recursively. While the queue is
 * not empty messages queue behind it too, which keeps the order of everything A sends to B.
 */
import { withItem, withoutItem } from "../../lib/few.ts";
import { reasonText, type Reason } from "../reason.ts";
import type { Foreign } from "./foreign.ts";
import { type Envelope, Envelope as Message, Kind, type Monitor } from "./message.ts";
import type { Process } from "./process.ts";
import { Ring } from "./ring.ts";

/** One active monitor. */
export class MonitorRecord implements Monitor {
  readonly id: number;
  private readonly label: string | undefined;
  readonly watched: Process | undefined;
  readonly owner: Process | undefined;
  /** Runtime-internal monitors call back instead of mailing. */
  readonly callback: ((reason: Reason) => void) | undefined;
  active = true;

  constructor(
    id: number,
    label: string | undefined,
    watched: Process | undefined,
    owner: Process | undefined,
    callback?: (reason: Reason) => void,
  ) {
    this.id = id;
    this.label = label;
    this.watched = watched;
    this.owner = owner;
    this.callback = callback;
  }

  /** The name it was asked by, else the pid. */
  get target(): string {
    return this.label ?? this.watched?.pid ?? "#0";
  }
}

type Op = "exit" | "link-exit" | "link" | "unlink" | "monitor" | "down" | "message";

class Signal {
  readonly op: Op;
  readonly from: Process | undefined;
  readonly to: Process | undefined;
  readonly reason: Reason;
  readonly monitor: MonitorRecord | undefined;
  readonly envelope: Envelope | undefined;

  constructor(
    op: Op,
    from: Process | undefined,
    to: Process | undefined,
    reason: Reason,
    monitor: MonitorRecord | undefined,
    envelope: Envelope | undefined,
  ) {
    this.op = op;
    this.from = from;
    this.to = to;
    this.reason = reason;
    this.monitor = monitor;
    this.envelope = envelope;
  }
}

/** Takes `record` from the list of its owner. */
export function forgetWatching(owner: Process, record: MonitorRecord): void {
  const { extras } = owner;
  if (extras !== undefined) extras.watching = withoutItem(extras.watching, record);
}

/** What the queue needs from the kernel. */
export interface SignalHost {
  finish(process: Process, reason: Reason): void;
  deliver(process: Process, envelope: Envelope): void;
  wake(): void;
}

/** FIFO of signals of one node. */
export class SignalQueue {
  private readonly queue = new Ring<Signal>();
  private readonly host: SignalHost;
  private draining = false;
  /** Takes the signals for processes of other threads. */
  foreign: Foreign | undefined = undefined;

  constructor(host: SignalHost) {
    this.host = host;
  }

  get size(): number {
    return this.queue.size;
  }

  /** exit(to, reason) from `from` (undefined: from outside). */
  exit(from: Process | undefined, to: Process, reason: Reason): void {
    this.push(new Signal("exit", from, to, reason, undefined, undefined));
  }

  linkExit(from: Process, to: Process, reason: Reason): void {
    this.push(new Signal("link-exit", from, to, reason, undefined, undefined));
  }

  link(from: Process, to: Process): void {
    this.push(new Signal("link", from, to, "normal", undefined, undefined));
  }

  unlink(from: Process, to: Process): void {
    this.push(new Signal("unlink", from, to, "normal", undefined, undefined));
  }

  monitor(record: MonitorRecord): void {
    // Nothing is under way, so that nothing can be overtaken.
    if (this.queue.size === 0 && record.watched?.alive === true) this.applyMonitor(record);
    else this.push(new Signal("monitor", undefined, record.watched, "normal", record, undefined));
  }

  down(record: MonitorRecord, reason: Reason): void {
    this.push(new Signal("down", undefined, undefined, reason, record, undefined));
  }

  message(to: Process, envelope: Envelope): void {
    this.push(new Signal("message", undefined, to, "normal", undefined, envelope));
  }

  /** Applies everything queued, including what that causes. */
  drain(): void {
    if (this.draining) return;
    this.draining = true;
    try {
      for (let signal = this.queue.shift(); signal !== undefined; signal = this.queue.shift()) {
        this.apply(signal);
      }
    } finally {
      this.draining = false;
    }
  }

  private push(signal: Signal): void {
    this.queue.push(signal);
    if (!this.draining) this.host.wake();
  }

  private apply(signal: Signal): void {
    const { op, from, to } = signal;
    if (this.foreign !== undefined && to !== undefined) {
      if (this.foreign.takesSignal(op, from, to, signal.reason)) return;
    }
    switch (op) {
      case "message":
        this.host.deliver(to as Process, signal.envelope as Envelope);
        return;
      case "exit":
        this.applyExit(from, to as Process, signal.reason, false);
        return;
      case "link-exit":
        this.applyExit(from, to as Process, signal.reason, true);
        return;
      case "link":
        if ((to as Process).alive) (to as Process).addLink(from as Process);
        else this.linkExit(to as Process, from as Process, "noproc");
        return;
      case "unlink":
        (to as Process).dropLink(from as Process);
        return;
      case "monitor":
        this.applyMonitor(signal.monitor as MonitorRecord);
        return;
      case "down":
        this.applyDown(signal.monitor as MonitorRecord, signal.reason);
        return;
      default:
        op satisfies never;
    }
  }

  private applyExit(from: Process | undefined, to: Process, reason: Reason, isLink: boolean): void {
    if (!to.alive) return;
    if (isLink) {
      if (from === undefined || !to.dropLink(from)) return;
    } else if (reason === "kill") {
      this.host.finish(to, "killed");
      return;
    }
    if (to.trapExit) {
      const info = { type: "exit", from: from === undefined ? "outside" : from.pid, reason };
      this.host.deliver(to, new Message(Kind.exit, reasonText(reason), info, from));
    } else if (reason !== "normal") {
      this.host.finish(to, reason);
    } else if (from === to) {
      this.host.finish(to, "normal");
    }
  }

  private applyMonitor(record: MonitorRecord): void {
    const watched = record.watched;
    if (!record.active) return;
    if (watched === undefined || !watched.alive) {
      this.down(record, "noproc");
      return;
    }
    if (this.foreign !== undefined && this.foreign.takesMonitor(record)) return;
    watched.watchers = withItem(watched.watchers, record);
  }

  private applyDown(record: MonitorRecord, reason: Reason): void {
    if (!record.active) return;
    record.active = false;
    if (record.callback !== undefined) {
      record.callback(reason);
      return;
    }
    const owner = record.owner;
    if (owner === undefined || !owner.alive) return;
    forgetWatching(owner, record);
    const info = { type: "down", monitor: record, reason };
    this.host.deliver(owner, new Message(Kind.down, record.target, info, undefined));
  }
}
