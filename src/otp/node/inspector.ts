/**
 * What operators see and do. Views read the runtime's records directly and send no message, so that
 * they are safe to poll and work while processes hang; sys calls ask the process.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, keyFor, supervisor } from "paceline/otp";
 *
 * const vault = defineActor({
 *   name: "demo/vault",
 *   init: (token: string, ctx) => {
 *     ctx.every(1_000, "tick");
 *     return { token, opened: 0 };
 *   },
 * });
 * const vaultKey = keyFor(vault);
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", { children: [child(vault, "s3cret", { register: vaultKey() })] }),
 * );
 * const { inspector } = node;
 * const info = inspector.info("demo/vault");
 * console.log(info?.path, info?.status, info?.timers, info?.state);
 * console.log(
 *   await inspector.replaceState("demo/vault", (state) => ({ ...(state as object), opened: 1 })),
 * );
 * inspector.exit("demo/vault", "kill");
 * await node.settle();
 * const [row] = inspector.tree()?.children ?? [];
 * console.log(row?.name, row?.pid, row?.restarts, row?.last_exit);
 * await node.stop();
 * ```
 *
 * ```text
 * top/demo/vault running [ { key: 'tick', inMs: 1000 } ] { token: '***', opened: 0 }
 * { token: 's3cret', opened: 1 }
 * demo/vault #3 { count: 1, intensity: 1, period_ms: 5000 } killed
 * ```
 *
 * A target is a pid such as `"#12"`, a registered name, a supervisor's id, a path of ids from the root
 * joined by `/`, or a ref. Unknown targets give undefined or false.
 *
 * Looking (`tree`, `processes`, `info`, `names`, `tables`, `counters`) is synchronous and free of side
 * effects. Acting on a process from outside is either a signal (`exit`) or a system message, answered
 * between turns in mailbox order within 5000 ms, else the promise rejects with `timeout`: `suspend`,
 * `resume`, `getState`, `replaceState`, `getStatus`, `terminate`, `statistics`, `log`, `traceEvents`,
 * `installDebug`, `upgrade` and more. A process that hangs in a turn answers none of them, but can
 * still be looked at (`mailbox`, `dump`), traced (`trace`, always bounded) and killed. `state` in `info`
 * is `formatState`'s view, or a bounded copy in which everything named like a secret is `***`;
 * `getState` gives the state itself.
 */
import type { Kernel } from "../process/kernel.ts";
import { IsolateHost } from "../isolate/host.ts";
import type { Process } from "../process/process.ts";
import type { Reason } from "../reason.ts";
import { SysClient } from "../sys/client.ts";
import { type Dump, dumpOf, type DumpOptions, type MailboxRow, peek } from "./dump.ts";
import type { InspectTarget } from "./find.ts";
import { infoOf, type ProcessInfo, type ProcessRow, rowOf } from "./process-view.ts";
import { treeOf, type TreeNode } from "./tree-view.ts";

/** View on one node. */
export class Inspector extends SysClient {
  private readonly roots: () => readonly Process[];

  constructor(kernel: Kernel, roots: () => readonly Process[]) {
    super(kernel);
    this.roots = roots;
  }

  /** The supervision tree; undefined while nothing is started. */
  tree(): TreeNode | undefined {
    const root = this.roots()[0];
    return root?.alive === true ? treeOf(root) : undefined;
  }

  /** Every live process, in pid order; those of isolated subtrees as they were a moment ago. */
  processes(): ProcessRow[] {
    const rows: ProcessRow[] = [];
    for (const process of this.kernel.processes.values()) {
      rows.push(rowOf(process));
      const { behaviour } = process;
      if (behaviour instanceof IsolateHost) rows.push(...(behaviour.subtree?.rows ?? []));
    }
    return rows;
  }

  /** Everything about one process; undefined when there is none. */
  info(target: InspectTarget): ProcessInfo | undefined {
    const process = this.find(target);
    return process === undefined ? undefined : infoOf(this.kernel, process);
  }

  /** Pid of a target, or undefined. */
  resolve(target: InspectTarget): string | undefined {
    return this.find(target)?.pid;
  }

  /** Sends an exit signal from outside; "kill" cannot be trapped. False: no such process. */
  exit(target: InspectTarget, reason: Reason): boolean {
    const process = this.find(target);
    if (process === undefined) return false;
    this.kernel.signals.exit(undefined, process, reason);
    return true;
  }

  /** The oldest waiting messages, redacted, without taking them; undefined: no such process. */
  mailbox(target: InspectTarget, limit?: number): readonly MailboxRow[] | undefined {
    const process = this.find(target);
    return process === undefined ? undefined : peek(process, limit);
  }

  /** Tree, processes with formatted states, timers and mailboxes, as bounded JSON data. */
  dump(options: DumpOptions = {}): Dump {
    const root = this.roots()[0];
    return dumpOf(this.kernel, root?.alive === true ? root : undefined, this.counters(), options);
  }

  /** Registered names that begin with `prefix`. */
  names(prefix = ""): { readonly name: string; readonly pid: string }[] {
    return this.kernel.registry.select(prefix);
  }

  /** Open tables with their sizes. */
  tables(): { readonly name: string; readonly rows: number; readonly owner: string | undefined }[] {
    return [...this.kernel.tables.values()].map((table) => ({
      name: table.name,
      rows: table.size,
      owner: table.ownerPid,
    }));
  }

  /** Counters of the runtime itself. */
  counters(): Readonly<Record<string, number>> {
    const { kernel } = this;
    return {
      ...kernel.counters,
      processes: kernel.processes.size,
      names: kernel.registry.size,
      timers: kernel.wheel.size,
      runQueue: kernel.scheduler.length,
      turns: kernel.scheduler.turns,
      slices: kernel.scheduler.slices,
    };
  }
}
