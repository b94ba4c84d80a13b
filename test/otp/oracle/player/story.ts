/**
 * What has happened so far: events in order, who is who, and who is still there.
 *
 * Workers tell of their init themselves; supervisors are heard by telemetry, as the oracle hears
 * Erlang's by its logger and by process tracing.
 */
import type { ProcessRef, SupervisorRef, VirtualNode } from "../../../../src/otp/index.ts";
import type { TraceEvent } from "../scenario.ts";
import { termOf } from "../terms.ts";
import type { Worker } from "./worker.ts";

/** A supervisor that was up at its path. */
export interface KnownSupervisor {
  readonly ref: SupervisorRef<unknown>;
  readonly isDynamic: boolean;
}

/** Which start of a supervisor runs at a path. */
export interface SupervisorAttempt {
  n: number;
  readonly isDynamic: boolean;
}

const HEARD = ["otp.init", "otp.exit", "otp.report"];

/** Events and directory of one run. */
export class Story {
  readonly events: TraceEvent[] = [];
  /** Pid to path#incarnation. */
  readonly pids = new Map<string, string>();
  readonly workers = new Map<string, Worker>();
  readonly supervisors = new Map<string, KnownSupervisor>();
  readonly attempts = new Map<string, SupervisorAttempt>();
  private readonly node: VirtualNode;
  private readonly begun = new Set<string>();
  private readonly isUp = new Set<string>();
  private readonly mourners = new Map<string, () => void>();
  private defers = 0;

  constructor(node: VirtualNode) {
    this.node = node;
    node.telemetry.attach("story", HEARD, ({ name, fields, process }) =>
      this.watch(name, fields, process ?? "?"),
    );
  }

  add(event: TraceEvent): void {
    this.events.push(event);
  }

  /** A reason as traces print it. */
  term(reason: unknown): unknown {
    return termOf(reason, (pid) => this.pids.get(pid) ?? pid);
  }

  /** Number of a deferred answer: each has a timer of its own. */
  nextDefer(): number {
    this.defers += 1;
    return this.defers;
  }

  workerUp(path: string, ref: Worker, pn: string): void {
    this.isUp.add(ref.id);
    this.workers.set(path, ref);
    this.add({ e: "init", p: pn, r: "ok" });
  }

  /** The last process that was up at this path. */
  refOf(path: string): ProcessRef | undefined {
    return this.workers.get(path) ?? this.supervisors.get(path)?.ref;
  }

  /** True when a supervisor has at least begun its init at this path. */
  isKnown(path: string): boolean {
    return this.begun.has(path);
  }

  /** Resolves when the process is gone; at once when it already is. */
  death(ref: ProcessRef): Promise<void> {
    if (!ref.isAlive) return Promise.resolve();
    return new Promise((resolve) => {
      this.mourners.set(ref.id, resolve);
    });
  }

  private watch(name: string, fields: Readonly<Record<string, unknown>>, process: string): void {
    const pid = String(fields["pid"]);
    if (name === "otp.init") this.started(process, pid, fields["result"]);
    else if (name === "otp.exit") this.ended(pid, fields["reason"]);
    else this.reported(process, fields);
  }

  private started(path: string, pid: string, result: unknown): void {
    const attempt = this.attempts.get(path);
    if (attempt === undefined) return;
    const pn = `${path}#${attempt.n}`;
    this.pids.set(pid, pn);
    this.begun.add(path);
    const isOk = result === "ok";
    if (isOk) {
      this.isUp.add(pid);
      const ref = this.node.supervisor<unknown>(path);
      if (ref !== undefined) this.supervisors.set(path, { ref, isDynamic: attempt.isDynamic });
    }
    this.add({ e: "init", p: pn, r: isOk ? "ok" : this.term(result) });
  }

  private ended(pid: string, reason: unknown): void {
    if (this.isUp.has(pid)) {
      this.add({ e: "exit", p: this.pids.get(pid), reason: this.term(reason) });
    }
    this.mourners.get(pid)?.();
    this.mourners.delete(pid);
  }

  private reported(sup: string, fields: Readonly<Record<string, unknown>>): void {
    const offender = fields["childPid"];
    const count = fields["nb_children"];
    this.add({
      e: "report",
      sup,
      context: fields["context"],
      reason: this.term(fields["reason"]),
      child: typeof offender === "string" ? this.offender(offender) : fields["child"],
      ...(count === undefined ? {} : { nb_children: count }),
    });
  }

  private offender(pid: string): string {
    const isRestarting = pid.startsWith("restarting:");
    const name = this.pids.get(isRestarting ? pid.slice("restarting:".length) : pid) ?? pid;
    return isRestarting ? `restarting:${name}` : name;
  }
}
