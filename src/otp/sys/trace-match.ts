/**
 * What a trace covers: which processes, now and later, and which of their messages.
 */
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
  const isType = type === undefined ? undefined : globOf(type);
  return (event) =>
    (direction === undefined || event.direction === direction) &&
    (kinds === undefined || kinds.includes(event.kind)) &&
    (isType === undefined || isType(event.type));
}

/** A pattern with `*`; matches greedily from both ends, so that no pattern is slow. */
function globOf(glob: string): (text: string) => boolean {
  const [first = "", ...rest] = glob.split("*");
  if (rest.length === 0) return (text) => text === glob;
  const last = rest.pop() ?? "";
  return (text) => {
    if (text.length < first.length + last.length) return false;
    if (!text.startsWith(first) || !text.endsWith(last)) return false;
    const end = text.length - last.length;
    let at = first.length;
    for (const part of rest) {
      const found = text.indexOf(part, at);
      if (found < 0 || found + part.length > end) return false;
      at = found + part.length;
    }
    return true;
  };
}
