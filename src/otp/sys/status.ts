/**
 * What `get_status` answers: everything about a process that its formatState lets out.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, keyFor, reply, supervisor } from "paceline/otp";
 *
 * const part = defineActor({
 *   name: "demo/part",
 *   init: (_args: undefined) => 0,
 *   calls: { get: (state) => reply(state, state) },
 *   casts: { add: (state, by: number) => state + by },
 * });
 * const partKey = keyFor(part);
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", { children: [child(part, undefined, { register: partKey() })] }),
 * );
 * const ref = node.via(partKey());
 * const { inspector } = node;
 * ref.cast.add(7);
 * const { status, behaviour, version, state, log } = await inspector.getStatus("demo/part");
 * console.log(status, behaviour, version, state, log);
 * await node.stop();
 * ```
 *
 * ```text
 * running demo/part 1 7 []
 * ```
 */
import type { Process } from "../process/process.ts";
import type { DebugList } from "./debug.ts";
import type { SysEventRow } from "./event.ts";

/** Status of one process, as it answers itself. */
export interface ProcessStatus {
  readonly status: "running" | "suspended";
  readonly pid: string;
  readonly name: string;
  readonly kind: "supervisor" | "worker" | "task";
  /** Name and version of the definition that runs. */
  readonly behaviour: string;
  readonly version: number;
  readonly parent: string | undefined;
  readonly debug: DebugList;
  /** Last messages, without their arguments; empty unless the log is on. */
  readonly log: readonly SysEventRow[];
  /** formatState, or the redacted state where there is none. */
  readonly state: unknown;
}

const NO_DEBUG: DebugList = {
  trace: false,
  statistics: false,
  log: 0,
  functions: [],
  sessions: 0,
};

/** Status of a process now. */
export function statusOf(process: Process): ProcessStatus {
  const { behaviour, parent, extras } = process;
  return {
    status: process.suspended ? "suspended" : "running",
    pid: process.pid,
    name: process.label,
    kind: behaviour.kind,
    behaviour: behaviour.name,
    version: behaviour.version ?? 1,
    parent: parent?.pid,
    debug: extras?.debug?.list ?? NO_DEBUG,
    log: extras?.debug?.logRows ?? [],
    state: formatted(process),
  };
}

/** State for operators: formatState's word, or that it failed. */
export function formatted(process: Process): unknown {
  try {
    return process.behaviour.format(process);
  } catch {
    // The error may quote the state.
    return { formatState: "failed" };
  }
}
