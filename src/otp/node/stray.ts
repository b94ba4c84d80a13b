/**
 * Stray errors: an unhandled rejection or a throw outside any turn is charged to the process whose
 * code caused it and ends that process, not the program (otp.md 4.3).
 */
import type { Kernel } from "../process/kernel.ts";
import { currentProcess } from "../process/scope.ts";

/** What a node does with an error that no process owns. */
export type StrayPolicy = (error: unknown) => void;

interface Registration {
  readonly kernel: Kernel;
  readonly policy: StrayPolicy | undefined;
}

const registrations = new Set<Registration>();

/** Charges stray errors of this kernel's processes until the returned function is called. */
export function catchStrays(kernel: Kernel, policy: StrayPolicy | undefined): () => void {
  const registration: Registration = { kernel, policy };
  if (registrations.size === 0) {
    process.on("unhandledRejection", onStray);
    process.on("uncaughtException", onStray);
  }
  registrations.add(registration);
  return () => {
    if (!registrations.delete(registration) || registrations.size > 0) return;
    process.off("unhandledRejection", onStray);
    process.off("uncaughtException", onStray);
  };
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
