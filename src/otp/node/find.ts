/**
 * How operators name a process: by pid, registered name, supervisor id, path, or ref.
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
 * for (const target of ["#2", "demo/part", "top/demo/part", ref, "top", "nobody"]) {
 *   console.log(String(target), "is", inspector.resolve(target));
 * }
 * await node.stop();
 * ```
 *
 * ```text
 * #2 is #2
 * demo/part is #2
 * top/demo/part is #2
 * demo/part(#2) is #2
 * top is #1
 * nobody is undefined
 * ```
 */
import type { Kernel } from "../process/kernel.ts";
import { idText, type Process } from "../process/process.ts";
import type { ProcessRef } from "../process/ref.ts";
import { pathOf } from "../supervisor/ref.ts";

/** A pid such as "#12" ("#w1.12" in a worker thread), a registered name, a supervisor's id or path, or a ref. */
export type InspectTarget = string | ProcessRef;

/** The live process that is meant, or undefined. */
export function findProcess(kernel: Kernel, target: InspectTarget): Process | undefined {
  const text = typeof target === "string" ? target : target.id;
  if (/^#\d+$/.test(text)) return kernel.processes.get(Number(text.slice(1)));
  if (/^#\w+\./.test(text)) return kernel.foreign?.find(text);
  const named = kernel.registry.get(text);
  if (named !== undefined) return named;
  const peers = kernel.supervisors.get(text);
  if (peers?.size === 1) for (const only of peers) return only;
  for (const process of kernel.processes.values()) {
    if (pathOfProcess(process) === text) return process;
  }
  return undefined;
}

/** How errors name the target. */
export function nameOfTarget(target: InspectTarget): string {
  return typeof target === "string" ? target : target.name;
}

/** Ids from the root down to this process; a restarted process has the path of its predecessor. */
export function pathOfProcess(process: Process): string {
  if (process.behaviour.kind === "supervisor") return pathOf(process);
  const own = process.childId === undefined ? process.behaviour.name : idText(process.childId);
  return process.parent === undefined ? own : `${pathOf(process.parent)}/${own}`;
}
