/**
 * An operator's restart of one child, through its supervisor.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, keyFor, supervisor } from "paceline/otp";
 *
 * const part = defineActor({ name: "demo/part", init: (_args: undefined) => 0 });
 * const partKey = keyFor(part);
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", { children: [child(part, undefined, { register: partKey() })] }),
 * );
 * console.log(await node.inspector.restart("demo/part"));
 * console.log(await node.inspector.restart("demo/part", { forgive: true }));
 * console.log(node.inspector.tree()?.restarts.count, await node.inspector.restart("top"));
 * await node.stop();
 * ```
 *
 * ```text
 * { ok: true, from: '#2', pid: '#3' }
 * { ok: true, from: '#3', pid: '#4' }
 * 1 { ok: false, reason: 'not_supervised' }
 * ```
 */
import { placeCall } from "../process/calls.ts";
import { Kind } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import type { Reason } from "../reason.ts";
import type { Child } from "../supervisor/child.ts";
import type { AdminCommand, AdminResult } from "../supervisor/ref.ts";
import { SupervisorBehaviour } from "../supervisor/supervisor.ts";

/** Reason of a child that ends so that its supervisor starts it again. */
const RESTART_REASON: Reason = ["restart", "operator"];

/** A child that was started again. */
export interface Restarted {
  readonly from: string;
  /** Undefined while its restart waits for a delay, or failed and is tried again. */
  readonly pid: string | undefined;
}

/**
 * Ends a child as its supervisor would and lets the supervisor restart it, its group included, or
 * with `forgive` stops and starts that child alone, which counts against no budget.
 */
export async function restartChild(
  process: Process,
  forgive: boolean,
): Promise<AdminResult<Restarted>> {
  const supervisor = process.parent;
  const owner = supervisor?.behaviour;
  const child = owner instanceof SupervisorBehaviour ? owner.childOf(process) : undefined;
  if (supervisor === undefined || child === undefined) return refused("not_supervised");
  if (child.spec.restart === "temporary") return refused("temporary");
  const from = process.pid;
  if (forgive) {
    const { id } = child.spec;
    const stopped = await ask(supervisor, { op: "terminate", target: id });
    if (!stopped.ok) return stopped;
    const started = await ask(supervisor, { op: "restart", target: id });
    return started.ok ? { ok: true, from, pid: child.process?.pid } : started;
  }
  await ended(supervisor, process, child);
  // Its mailbox holds the EXIT already: what it answers next, it answers after the restart.
  await ask(supervisor, { op: "count" });
  return { ok: true, from, pid: child.process?.pid };
}

/** Asks like the supervisor's stop does: its exit signal, then kill when the time is over. */
function ended(supervisor: Process, process: Process, child: Child): Promise<void> {
  const { kernel } = process;
  const { shutdown } = child.spec;
  return new Promise((resolve) => {
    const deadline =
      typeof shutdown === "number" && shutdown !== Number.POSITIVE_INFINITY
        ? kernel.wakeAt(shutdown, () => kernel.signals.exit(supervisor, process, "kill"))
        : undefined;
    kernel.onDown(process, () => {
      if (deadline !== undefined) kernel.wheel.cancel(deadline);
      resolve();
    });
    const reason = shutdown === "kill" ? "kill" : RESTART_REASON;
    kernel.signals.exit(supervisor, process, reason);
  });
}

async function ask(supervisor: Process, command: AdminCommand): Promise<AdminResult> {
  const { label } = supervisor;
  const timeoutMs = Number.POSITIVE_INFINITY;
  const answer = (await placeCall(
    supervisor,
    label,
    Kind.admin,
    command.op,
    command,
    timeoutMs,
    true,
  )) as { readonly ok: true; readonly value: unknown } | { ok: false; reason: Reason };
  if (!answer.ok) return answer;
  return command.op === "count" ? { ok: true } : (answer.value as AdminResult);
}

function refused(reason: Reason): { readonly ok: false; readonly reason: Reason } {
  return { ok: false, reason };
}
