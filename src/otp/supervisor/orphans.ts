/**
 * Orphans: processes of a subtree whose supervisor was killed (extension, otp.md 1.17).
 *
 * Their replacement may only start when they are gone, else names collide. They were told by their
 * link; whoever traps gets its own shutdown time, then is killed.
 */
import type { Process } from "../process/process.ts";
import type { Shutdown } from "./spec.ts";
import type { SupervisorBehaviour } from "./supervisor.ts";

const MAX_WAIT_MS = 5000;

/** Resolves when everything below a dead child is gone; undefined when it already is. */
export function killOrphans(waiter: Process, child: Process): Promise<void> | undefined {
  const { behaviour: dead } = child;
  if (!isSupervisor(dead)) return undefined;
  const orphans: Process[] = [];
  const waitMs = collect(dead, orphans);
  if (orphans.length === 0) return undefined;
  const { kernel } = waiter;
  kernel.block(waiter);
  kernel.event("otp.orphans", waiter, { child: dead.name, count: orphans.length, delayMs: waitMs });
  return new Promise((resolve) => {
    let left = orphans.length;
    const timer = kernel.wakeAt(waitMs, () => {
      for (const orphan of orphans) kernel.signals.exit(waiter, orphan, "kill");
    });
    for (const orphan of orphans) {
      kernel.onDown(orphan, () => {
        left -= 1;
        if (left > 0 || !waiter.alive) return;
        kernel.wheel.cancel(timer);
        kernel.unblock(waiter);
        resolve();
      });
    }
  });
}

function collect(dead: SupervisorBehaviour, into: Process[]): number {
  let waitMs = 0;
  for (const child of dead.children) {
    const { process } = child;
    if (process?.alive !== true) continue;
    into.push(process);
    waitMs = Math.max(waitMs, millis(child.spec.shutdown));
    const { behaviour } = process;
    if (isSupervisor(behaviour)) waitMs = Math.max(waitMs, collect(behaviour, into));
  }
  return waitMs;
}

function isSupervisor(behaviour: Process["behaviour"]): behaviour is SupervisorBehaviour {
  // The host of a thread keeps no children here.
  return behaviour.kind === "supervisor" && "children" in behaviour;
}

function millis(shutdown: Shutdown): number {
  return typeof shutdown === "number" ? Math.min(shutdown, MAX_WAIT_MS) : MAX_WAIT_MS;
}
