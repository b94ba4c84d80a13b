/**
 * How operators name a process: by pid, registered name, supervisor id, path, or ref.
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
