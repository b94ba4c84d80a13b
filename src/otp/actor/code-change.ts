/**
 * Code change of a running actor: its state under the new definition, or why it stays as it is.
 */
import type { Behaviour, Process } from "../process/process.ts";
import type { ChildSpec } from "../supervisor/spec.ts";
import { badReturn, isNoState } from "./bad-return.ts";
import type { ErasedActor } from "./behaviour.ts";
import type { Ctx } from "./context.ts";
import { Refuse } from "./control.ts";

/** The state under `actor`, at `version`, of a process that ran `fromVersion`. */
export function migrated(
  process: Process,
  actor: ErasedActor,
  version: number,
  fromVersion: number,
): unknown {
  const { migrate } = actor;
  if (migrate === undefined) {
    if (fromVersion === version) return process.state;
    return new Refuse(["no_migrate", fromVersion, version]);
  }
  const state = migrate(process.state, fromVersion, process.ctx as Ctx);
  if (state instanceof Refuse) return state;
  // The process waits for this one turn: a promise would be its state.
  const isBad = state instanceof Promise || isNoState(state, process.state);
  return isBad ? new Refuse(badReturn("migrate", state)) : state;
}

/**
 * The next start of this child runs the new code, as newly loaded code does on BEAM; nothing to do
 * when its supervisor keeps something else by now.
 */
export function keepForRestart(
  process: Process,
  isOld: (behaviour: unknown) => boolean,
  next: Behaviour,
): void {
  const kept = process.record as { spec: ChildSpec } | undefined;
  if (kept === undefined || !isOld(kept.spec.start.behaviour)) return;
  kept.spec = { ...kept.spec, start: { ...kept.spec.start, behaviour: next } };
}
