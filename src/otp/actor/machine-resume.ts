/**
 * A machine taken up again from its value and context: at an upgrade the process, its mailbox and
 * its timers live on, only the machine is another (otp.md 5.4).
 *
 * ```ts
 * import { setup } from "xstate";
 * import { child, createVirtualNode, defineMachineActor, keyFor, supervisor } from "paceline/otp";
 *
 * const lamp = (version: number, onMs: number) => {
 *   const machine = setup({ types: { events: {} as { type: "PUSH" } } }).createMachine({
 *     initial: "off",
 *     states: { off: { on: { PUSH: "on" } }, on: { after: { [onMs]: "off" } } },
 *   });
 *   return defineMachineActor(machine, {
 *     name: "demo/lamp",
 *     version,
 *     input: () => undefined,
 *     calls: { state: (snapshot) => snapshot.value },
 *     migrate: ({ value }) => ({ value, context: {} }),
 *   });
 * };
 * const first = lamp(1, 1_000);
 * const lampKey = keyFor(first);
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", { children: [child(first, undefined, { register: lampKey() })] }),
 * );
 * const ref = node.via(lampKey());
 * ref.cast.PUSH();
 * await node.advance(500);
 * await node.inspector.upgrade("demo/lamp", lamp(2, 5_000));
 * await node.advance(4_999);
 * console.log(await ref.call.state());
 * await node.advance(1);
 * console.log(await ref.call.state());
 * await node.stop();
 * ```
 *
 * ```text
 * on
 * off
 * ```
 */
import type { AnyMachineSnapshot, AnyStateMachine, AnyStateNode, StateValue } from "xstate";
import type { Ctx } from "./context.ts";
import { timerKeys } from "./machine-timers.ts";

/** What of a snapshot outlives its machine. */
export interface SavedMachine<C = unknown> {
  readonly value: StateValue;
  readonly context: C;
}

/** Process timers of machines: this, then the id that xstate gave the delay. */
export const TIMER_PREFIX = "xstate:";
const AFTER_PREFIX = "xstate.after.";

/** Key of the process timer for a delay of a machine. */
export function timerKey(id: string | undefined): string {
  return TIMER_PREFIX + String(id);
}

/** Snapshot of `machine` with these; throws, with nothing changed, when it has no such state. */
export function resumeMachine(
  machine: AnyStateMachine,
  saved: SavedMachine,
  ctx: Ctx,
): AnyMachineSnapshot {
  const { value, context } = saved;
  const snapshot = machine.resolveState({ value, context }) as AnyMachineSnapshot;
  const wanted = delaysOf(machine, snapshot);
  const running = new Set(timerKeys(ctx, TIMER_PREFIX + AFTER_PREFIX));
  for (const key of running) if (!wanted.has(key)) ctx.cancel(key);
  for (const [key, { delayMs, type }] of wanted) {
    if (!running.has(key)) ctx.after(delayMs, key, { type });
  }
  return snapshot;
}

interface Delay {
  readonly delayMs: number;
  readonly type: string;
}

/** The delays that the active states of a snapshot wait for. */
function delaysOf(machine: AnyStateMachine, snapshot: AnyMachineSnapshot): Map<string, Delay> {
  const delays = new Map<string, Delay>();
  for (const node of snapshot._nodes as readonly AnyStateNode[]) {
    for (const { eventType, delay } of node.after) {
      const delayMs = delayMsOf(machine, snapshot, delay);
      delays.set(timerKey(eventType), { delayMs, type: eventType });
    }
  }
  return delays;
}

function delayMsOf(machine: AnyStateMachine, snapshot: AnyMachineSnapshot, delay: unknown): number {
  const found: unknown = typeof delay === "string" ? machine.implementations.delays[delay] : delay;
  if (typeof found === "number") return found;
  if (typeof found !== "function") throw new Error(`delay ${String(delay)} is not known`);
  const input = { context: snapshot.context, event: { type: "xstate.init" } };
  return Number((found as (input: unknown, params: unknown) => unknown)(input, undefined));
}
