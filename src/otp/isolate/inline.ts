/**
 * Isolation under virtual time: the same subtree as a child of its host in this thread.
 *
 * What another thread does cannot be waited for by a clock that stands still. Starts, stops,
 * restarts and a host's sudden end look as they do with a thread; what cannot cross is not refused,
 * pids are this node's, and nothing is preempted.
 */
import type { Process, StartOutcome } from "../process/process.ts";
import type { Reason } from "../reason.ts";
import { startSpec } from "../supervisor/start.ts";
import type { Origin } from "./frames.ts";
import { hubOf } from "./hub.ts";
import { loadSpec } from "./load.ts";

/** Starts the subtree under `host`. */
export async function startInline(host: Process, origin: Origin): Promise<StartOutcome> {
  const { kernel } = host;
  // A copy, as a thread would get one.
  const loading = loadSpec({ ...origin, args: structuredClone(origin.args) });
  hubOf(kernel).waitFor(loading);
  const spec = await loading;
  if (!("id" in spec)) return { ok: false, ignored: false, reason: spec.reason };
  return startSpec(kernel, spec, host);
}

/** Ends everything under `host` at once, as the end of a thread does. */
export function endInline(host: Process, reason: Reason): void {
  const { kernel } = host;
  const below: Process[] = [];
  for (const process of kernel.processes.values()) if (isUnder(process, host)) below.push(process);
  for (const process of below) kernel.finish(process, reason);
}

function isUnder(process: Process, host: Process): boolean {
  for (let at = process.parent; at !== undefined; at = at.parent) if (at === host) return true;
  return false;
}
