/**
 * Call cycles: two actors that wait for each other's answer do so until the deadline.
 *
 * In dev mode (virtual nodes, `isDev`) the node keeps who waits for whom and tells at call time
 * that a ring has closed. Only processes that are busy waiting count: a call whose promise is left
 * alone blocks nobody.
 */
import type { Process } from "./process.ts";

/** Who waits for whom. */
export class CallGraph {
  private readonly waits = new Map<Process, Set<Process>>();

  /** Notes a call; the ring it closes, from caller back to caller, or undefined. */
  add(caller: Process, callee: Process): readonly Process[] | undefined {
    const targets = this.waits.get(caller);
    if (targets === undefined) this.waits.set(caller, new Set([callee]));
    else targets.add(callee);
    return this.findRing(caller, callee, new Set());
  }

  /** Forgets a settled call. */
  drop(caller: Process, callee: Process): void {
    const targets = this.waits.get(caller);
    targets?.delete(callee);
    if (targets?.size === 0) this.waits.delete(caller);
  }

  /** Forgets a dead process. */
  forget(process: Process): void {
    this.waits.delete(process);
  }

  private findRing(
    caller: Process,
    at: Process,
    seen: Set<Process>,
  ): readonly Process[] | undefined {
    if (at === caller) return [caller];
    if (!at.busy || seen.has(at)) return undefined;
    seen.add(at);
    for (const next of this.waits.get(at) ?? []) {
      const rest = this.findRing(caller, next, seen);
      if (rest !== undefined) return [at, ...rest];
    }
    return undefined;
  }
}
