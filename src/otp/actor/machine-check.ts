/**
 * What a machine may not contain when it runs as pure logic; checked once, at definition.
 */
import type { AnyStateMachine, AnyStateNode } from "xstate";
import { OtpError } from "../reason.ts";

const REFUSED = new Set([
  "xstate.spawnChild",
  "xstate.stopChild",
  "xstate.sendTo",
  "xstate.sendParent",
  "xstate.forwardTo",
]);

interface ActionLike {
  readonly type?: unknown;
}

/** Refuses what cannot run here and returns the event types that the machine takes. */
export function checkMachine(
  machine: AnyStateMachine,
  name: string,
  effects: readonly string[],
): readonly string[] {
  const known = new Set(effects);
  const implemented = machine.implementations.actions as Readonly<Record<string, ActionLike>>;
  const refuse = (what: string): never => {
    throw new OtpError("OTP_MACHINE_REFUSED", `${name}: ${what}`);
  };
  const checkAction = (action: unknown, where: string): void => {
    const type = typeof action === "string" ? action : (action as ActionLike).type;
    if (typeof type === "string" && type.startsWith("xstate.")) {
      if (REFUSED.has(type)) {
        refuse(
          `${type} in ${where} is not run here: name an effect that starts a task or casts to a key`,
        );
      }
      return;
    }
    if (typeof action === "function") {
      refuse(`inline action in ${where}: name it in setup and give an effect`);
    }
    if (typeof type !== "string" || known.has(type) || isBuiltIn(implemented[type])) return;
    refuse(`action ${type} in ${where} has no effect`);
  };
  for (const [type, action] of Object.entries(implemented)) {
    if (isBuiltIn(action)) checkAction(action, `setup action ${type}`);
    else if (!known.has(type)) refuse(`action ${type} has no effect`);
  }
  for (const state of statesOf(machine.root)) checkState(state, checkAction, refuse);
  for (const effect of effects) {
    if (!(effect in implemented)) refuse(`effect ${effect} names no action of the machine`);
  }
  return machine.events.filter((type) => !type.startsWith("xstate.") && type !== "*");
}

/** Refuses to postpone what the machine does not know. */
export function checkPostponed(
  name: string,
  postponed: readonly string[],
  eventTypes: readonly string[],
): readonly string[] {
  for (const type of postponed) {
    if (eventTypes.includes(type)) continue;
    throw new OtpError("OTP_MACHINE_REFUSED", `${name}: postponed ${type} is no event of it`);
  }
  return postponed;
}

function checkState(
  state: AnyStateNode,
  checkAction: (action: unknown, where: string) => void,
  refuse: (what: string) => never,
): void {
  if (state.invoke.length > 0) refuse(`invoke in state ${state.id}: start a task from an effect`);
  for (const action of [...state.entry, ...state.exit]) checkAction(action, `state ${state.id}`);
  for (const transitions of state.transitions.values()) {
    for (const { actions, eventType } of transitions) {
      for (const action of actions) checkAction(action, `${state.id} on ${eventType}`);
    }
  }
  for (const { actions } of state.always ?? []) {
    for (const action of actions) checkAction(action, `${state.id} always`);
  }
}

function* statesOf(state: AnyStateNode): Generator<AnyStateNode, void, undefined> {
  yield state;
  for (const inner of Object.values(state.states)) yield* statesOf(inner);
}

function isBuiltIn(action: ActionLike | undefined): boolean {
  return typeof action?.type === "string" && action.type.startsWith("xstate.");
}
