/**
 * What a trace covers: which processes, now and later, and which of their messages.
 */
import { NameGlobs } from "../../lib/name-globs.ts";
import { findProcess, nameOfTarget, pathOfProcess } from "../node/find.ts";
import type { Kernel } from "../process/kernel.ts";
import type { Process } from "../process/process.ts";
import { ExitError } from "../reason.ts";
import type { SysEvent } from "./event.ts";
import type { TracePattern, TraceRequest } from "./trace.ts";

/** Which processes a trace covers. */
export interface Scope {
  covers(process: Process): boolean;
  /** Only ever one incarnation: its death ends the trace. */
  readonly isOne: boolean;
  /** Registered name whose next holders are covered too. */
  readonly name: string | undefined;
}

/** Finds the target; throws ExitError noproc when nobody is there. */
export function scopeOf(kernel: Kernel, target: TraceRequest["target"]): Scope {
  const isSubtree = typeof target === "object" && "subtree" in target;
  const inner = isSubtree ? target.subtree : target;
  const text = nameOfTarget(inner);
  const root = findProcess(kernel, inner);
  if (root === undefined) throw new ExitError("noproc", text, "trace");
  const path = pathOfProcess(root);
  // A restarted process keeps its path, and so does the head of a subtree.
  const isRoot = (process: Process): boolean => process === root || pathOfProcess(process) === path;
  if (isSubtree)
    return { covers: (process) => hasAbove(process, isRoot), isOne: false, name: undefined };
  if (/^#\d+$/.test(text))
    return { covers: (process) => process === root, isOne: true, name: undefined };
  const covers = (process: Process): boolean =>
    process.extras?.names?.includes(text) === true || isRoot(process);
  return { covers, isOne: false, name: text };
}

function hasAbove(process: Process, isRoot: (process: Process) => boolean): boolean {
  for (let at: Process | undefined = process; at !== undefined; at = at.parent) {
    if (isRoot(at)) return true;
  }
  return false;
}

/** The pattern as a question to one message. */
export function matcher(pattern: TracePattern): (event: SysEvent) => boolean {
  const { direction, kinds, type } = pattern;
  const types = type === undefined ? undefined : new NameGlobs([type]);
  return (event) =>
    (direction === undefined || event.direction === direction) &&
    (kinds === undefined || kinds.includes(event.kind)) &&
    (types === undefined || types.has(event.type));
}
