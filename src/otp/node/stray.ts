/**
 * Stray errors: an unhandled rejection or a throw outside any turn is charged to the process whose
 * code caused it and ends that process, not the program (otp.md 4.3).
 */
import { currentProcess } from "../process/scope.ts";

/** What a node does with an error that no process owns. */
export type StrayPolicy = (error: unknown) => void;

interface Registration {
  readonly policy: StrayPolicy | undefined;
}

const registrations = new Set<Registration>();

/**
 * Charges stray errors to processes, and gives those of nobody to `policy` until the returned
 * function is called.
 *
 * Listening itself never ends: what a driver still throws in the scope of a process that ended with
 * its node is that process's, and must not take the host down after an orderly stop.
 */
export function catchStrays(policy: StrayPolicy | undefined): () => void {
  const registration: Registration = { policy };
  for (const event of ["unhandledRejection", "uncaughtException"] as const) {
    if (!process.listeners(event as "uncaughtException").includes(onStray)) {
      process.on(event, onStray);
    }
  }
  registrations.add(registration);
  return () => registrations.delete(registration);
}

function onStray(error: unknown): void {
  const owner = currentProcess();
  if (owner !== undefined) {
    owner.kernel.crash(owner, error);
    return;
  }
  for (const { policy } of registrations) {
    if (policy === undefined) continue;
    policy(error);
    return;
  }
  // Nobody decides, and listening has switched off the host's own verdict: repeat it.
  if (process.listenerCount("uncaughtException") > 1) return;
  setImmediate(() => {
    throw error;
  });
  process.off("uncaughtException", onStray);
}
