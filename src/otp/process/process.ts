/**
 * The record of one process: mailbox, state, links, counters. The kernel gives it life.
 *
 * Hot fields live here; what most processes never use sits in `Extras`, made on demand, so that an
 * idle actor stays small.
 */
import type { AsyncResource } from "node:async_hooks";
import type { GroupEntry } from "../names/groups.ts";
import type { Profile } from "../node/profile.ts";
import { type Few, hasItem, itemsOf, withItem, withoutItem } from "../../lib/few.ts";
import { type Reason, textOf } from "../reason.ts";
import type { Debug } from "../sys/debug.ts";
import type { TimerEntry } from "../time/wheel.ts";
import type { PendingCall } from "./calls.ts";
import type { Kernel } from "./kernel.ts";
import { Mailbox } from "./mailbox.ts";
import type { CastType, Envelope } from "./message.ts";
import type { Facets, ProcessRef } from "./ref.ts";
import type { MonitorRecord } from "./signals.ts";
import type { OwnedTask } from "./task.ts";

/** What a full mailbox does with the next user message. */
export type Overflow = "reject" | "drop-oldest" | "exit";

/** How a start ended. */
export type StartOutcome =
  | { readonly ok: true; readonly process: Process; readonly extra?: unknown }
  | { readonly ok: false; readonly ignored: true }
  | { readonly ok: false; readonly ignored: false; readonly reason: Reason };

/** The outcome of a start that failed. */
export function notStarted(reason: Reason): StartOutcome {
  return { ok: false, ignored: false, reason };
}

/** What a process runs: actors share one per definition, supervisors and tasks have their own. */
export interface Behaviour {
  readonly name: string;
  readonly kind: "worker" | "supervisor" | "task";
  /** Version of the definition; 1 where there is none. */
  readonly version?: number;
  readonly trapExit: boolean;
  readonly maxMailbox: number;
  /** Mailbox length that is worth an event. */
  readonly highWater: number;
  readonly overflow: Overflow;
  /** Protocol of its refs; undefined where it has none. */
  readonly facets?: Facets;
  /** The same behaviour with the mailbox default of a node's profile. */
  under?(profile: Profile): Behaviour;
  /** What others hold; made on first use. */
  makeRef(process: Process): ProcessRef;
  /** Names of calls that this process answers. */
  hasCall(type: string): boolean;
  init(process: Process, args: unknown): StartOutcome | Promise<StartOutcome>;
  /** Handles one message; sets `busy` when it has to wait. */
  receive(process: Process, envelope: Envelope): void;
  /** Handles one cast without an envelope; where it is missing, `receive` gets one. */
  receiveCast?(process: Process, cast: CastType, arg: unknown): void;
  /** State for operators, redacted. */
  format(process: Process): unknown;
  /** Orderly end that an operator ordered; default: it just ends. */
  terminate?(process: Process, reason: Reason): void;
  /** Takes other code while suspended; a refusal, or a throw, means that nothing changed. */
  changeCode?(process: Process, next: unknown): Reason | undefined;
  /** Told when the process has ended. */
  ended?(): void;
}

/** Where a process is in its life. */
export type Status = "starting" | "running" | "stopping" | "dead";

/** One process. Only the kernel and behaviours touch it; users hold a `Ref`. */
export class Process {
  readonly kernel: Kernel;
  readonly id: number;
  behaviour: Behaviour;
  readonly parent: Process | undefined;
  readonly mailbox = new Mailbox();
  state: unknown = undefined;
  status: Status = "starting";
  alive = true;
  /** In the run queue. */
  queued = false;
  /** A turn is waiting for a promise. */
  busy = false;
  /** Suspended or debugged: takes its messages through sys. */
  isDetoured = false;
  trapExit: boolean;
  /** Stands for the process in user code. */
  ctx: unknown = undefined;
  private ownRef: ProcessRef | undefined = undefined;
  resource: AsyncResource | undefined = undefined;
  links: Few<Process> = undefined;
  /** Monitors held on this process. */
  watchers: Few<MonitorRecord> = undefined;
  /** Calls waiting for this process, newest first. */
  calls: PendingCall | undefined = undefined;
  extras: Extras | undefined = undefined;
  exitReason: Reason | undefined = undefined;
  /** Name of the handler of the current or last turn. */
  handler = "";
  turns = 0;
  /** Whole us: a fraction would cost every process a boxed number. */
  handlerUs = 0;
  readonly startedAtMs: number;
  /** Id under which its supervisor keeps it. */
  childId: unknown = undefined;
  /** The supervisor's record of this child. */
  record: unknown = undefined;

  constructor(kernel: Kernel, id: number, behaviour: Behaviour, parent: Process | undefined) {
    this.kernel = kernel;
    this.id = id;
    this.behaviour = behaviour;
    this.parent = parent;
    this.trapExit = behaviour.trapExit;
    // Whole ms, for the same reason.
    this.startedAtMs = Math.floor(kernel.recentMs());
  }

  get pid(): string {
    return `#${this.id}`;
  }

  /** Registered name, else child path, else what it runs. */
  get label(): string {
    const name = this.extras?.names?.[0];
    if (name !== undefined) return name;
    const { childId, parent } = this;
    if (childId === undefined || this.behaviour.kind === "supervisor") return this.behaviour.name;
    if (typeof childId === "string") return childId;
    return `${parent?.behaviour.name ?? this.behaviour.name}/${idText(childId)}`;
  }

  get ref(): ProcessRef {
    this.ownRef ??= this.behaviour.makeRef(this);
    return this.ownRef;
  }

  /** Receives only system messages and its parent's exit. */
  get suspended(): boolean {
    return this.extras?.suspended === true;
  }

  /** Runs other code from the next turn on; refs made from now on speak its protocol. */
  become(behaviour: Behaviour): void {
    if (this.behaviour.trapExit !== behaviour.trapExit) this.trapExit = behaviour.trapExit;
    this.behaviour = behaviour;
    this.ownRef = undefined;
  }

  more(): Extras {
    this.extras ??= new Extras();
    return this.extras;
  }

  addLink(other: Process): void {
    this.links = withItem(this.links, other);
  }

  dropLink(other: Process): boolean {
    const { links } = this;
    if (links === undefined || !hasItem(links, other)) return false;
    this.links = withoutItem(links, other);
    return true;
  }

  linked(): Generator<Process, void, undefined> {
    return itemsOf(this.links);
  }
}

/** A child id as text: ids may be any value, as in OTP. */
export function idText(id: unknown): string {
  return textOf(id);
}

/** Rarely used parts of a process. */
export class Extras {
  names: string[] | undefined = undefined;
  topics: string[] | undefined = undefined;
  /** Its entries in groups, by group. */
  groups: Map<string, GroupEntry[]> | undefined = undefined;
  /** Monitors this process holds on others. */
  watching: Few<MonitorRecord> = undefined;
  idleTimer: TimerEntry | undefined = undefined;
  timers: Map<string, TimerEntry> | undefined = undefined;
  sleeps: Set<TimerEntry> | undefined = undefined;
  tasks: Map<string, OwnedTask> | undefined = undefined;
  /** Task streams it has read; marks their keys. */
  streams = 0;
  tables: Set<{ ownerDied(): void }> | undefined = undefined;
  abort: AbortController | undefined = undefined;
  droppedAtMs = Number.NEGATIVE_INFINITY;
  dropped = 0;
  droppedTold = 0;
  highAtMs = Number.NEGATIVE_INFINITY;
  unknown = 0;
  suspended = false;
  /** The rest of its end, for its last visit. */
  farewell: (() => void) | undefined = undefined;
  /** Ends the suspension. */
  resumption: TimerEntry | undefined = undefined;
  /** Made while anything of it is debugged. */
  debug: Debug | undefined = undefined;
}
