/**
 * The taps of one node: where messages of debugged processes are seen.
 *
 * A kernel has taps only while some process is debugged or some trace runs. Sends, replies and
 * spawns ask one question (`taps === undefined`); receiving asks none, because a debugged process
 * takes its messages through `takeDetoured`.
 */
import type { Kernel } from "../process/kernel.ts";
import { type Envelope, Kind, kindName } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import { currentProcess } from "../process/scope.ts";
import { Debug } from "./debug.ts";
import { received, type SysEvent } from "./event.ts";
import type { TraceSession } from "./trace.ts";

/** Taps of one node. */
export class Taps {
  readonly sessions = new Set<TraceSession>();
  private debugged = 0;
  /** Casts and infos carry no sender: it is noted here while somebody wants to know. */
  private readonly senders = new WeakMap<Envelope, string>();
  /** Set while events are told and sys answers: what that sends is no event. */
  private isQuiet = false;

  /** Somebody sends a message. */
  sent(to: Process, envelope: Envelope): void {
    const { kind, type, arg } = envelope;
    if (this.isQuiet || (kind > Kind.info && kind !== Kind.admin)) return;
    const from = currentProcess();
    if (to.extras?.debug !== undefined) this.senders.set(envelope, from?.pid ?? "outside");
    if (from?.extras?.debug === undefined) return;
    const atMs = from.kernel.now();
    this.note(from, { atMs, direction: "out", kind: kindName(kind), type, arg, peer: to.pid });
  }

  /** A process answers a call. */
  replied(callee: Process, caller: string, request: string, value: unknown): void {
    if (callee.extras?.debug === undefined) return;
    const atMs = callee.kernel.now();
    this.note(callee, {
      atMs,
      direction: "out",
      kind: "reply",
      type: request,
      arg: value,
      peer: caller,
    });
  }

  /** A debugged process takes a message. */
  took(process: Process, envelope: Envelope): void {
    if (envelope.kind === Kind.sys) return;
    this.note(process, received(envelope, process.kernel.now(), this.senders.get(envelope)));
  }

  /** A process has begun, its init still to run. */
  spawned(process: Process): void {
    for (const session of this.sessions) session.consider(process);
  }

  /** Runs `body`; nothing that it sends or answers is an event. */
  quietly(body: () => void): void {
    const before = this.isQuiet;
    this.isQuiet = true;
    try {
      body();
    } finally {
      this.isQuiet = before;
    }
  }

  /** One process more, or one less, is debugged. */
  countDebugged(change: 1 | -1): void {
    this.debugged += change;
  }

  get isIdle(): boolean {
    return this.debugged === 0 && this.sessions.size === 0;
  }

  private note(process: Process, event: SysEvent): void {
    if (this.isQuiet) return;
    this.quietly(() => process.extras?.debug?.note(process, event));
    settleDebug(process);
  }
}

/** The node's taps, made on demand. */
export function tapsOf(kernel: Kernel): Taps {
  kernel.taps ??= new Taps();
  return kernel.taps;
}

/** Drops taps that nobody needs. */
export function settleTaps(kernel: Kernel): void {
  if (kernel.taps?.isIdle === true) kernel.taps = undefined;
}

/** Debugging of a process, switched on when it was off. */
export function debugOf(process: Process): Debug {
  const more = process.more();
  if (more.debug !== undefined) return more.debug;
  more.debug = new Debug();
  tapsOf(process.kernel).countDebugged(1);
  process.isDetoured = true;
  return more.debug;
}

/** Sends a process back on the fast way when nothing is debugged any more. */
export function settleDebug(process: Process): void {
  if (process.extras?.debug?.isIdle === true) dropDebug(process);
}

/** Ends all debugging of a process. */
export function dropDebug(process: Process): void {
  const { extras, kernel } = process;
  const debug = extras?.debug;
  if (extras === undefined || debug === undefined) return;
  extras.debug = undefined;
  process.isDetoured = extras.suspended;
  for (const session of debug.sessions) session.forget(process);
  kernel.taps?.countDebugged(-1);
  settleTaps(kernel);
}
