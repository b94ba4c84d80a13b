/**
 * Runs a machine purely for its processes: transition, then effects in list order (otp.md 5.3).
 *
 * Inside one turn: what was raised, then postponed events that a new state takes; zero delays
 * come after these and before the mailbox.
 */
import {
  type AnyEventObject,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  initialTransition,
  transition,
} from "xstate";
import type { Info } from "../process/message.ts";
import type { Ctx } from "./context.ts";
import { Next, next, reply, type Reply, Stop, stop } from "./control.ts";
import { timerKey, TIMER_PREFIX } from "./machine-resume.ts";
import { cancelNow, timerNow } from "./machine-timers.ts";
import { isSameValue, Postponed } from "./postponed.ts";

/** Runs one named action. */
export type Effect = (params: unknown, after: unknown, ctx: Ctx) => void;
/** Answers one call. */
export type Answer = (
  snapshot: AnyMachineSnapshot,
  arg: unknown,
  send: (event: AnyEventObject) => AnyMachineSnapshot,
) => unknown;

/** What waits, and for how long. */
export interface Waiting {
  /** Event types that are postponed. */
  readonly types: readonly string[];
  /** Postponed events per process. */
  readonly max: number;
  readonly idleMs: ((snapshot: AnyMachineSnapshot) => number | undefined) | undefined;
}

type Decision = AnyMachineSnapshot | Next<AnyMachineSnapshot> | Stop<AnyMachineSnapshot>;

interface MachineAction {
  readonly type: string;
  readonly params: unknown;
}

interface RaisedParams {
  readonly id?: string;
  readonly delay?: unknown;
  readonly event?: AnyEventObject;
  readonly sendId?: string;
}

/** Zero delays that one turn has started, in order. */
type ZeroDelays = Map<string, AnyEventObject | undefined>;

/** What a process keeps beside its snapshot; it lives on when the definition is upgraded. */
interface Own {
  readonly postponed: Postponed;
  /** Timers so far that their machine did not name. */
  unnamed: number;
}

const owned = new WeakMap<Ctx, Own>();

/** A machine that is over at its start ends in a turn of its own. */
const OVER = "over";

/** Runs one definition. */
export class MachineRunner {
  private readonly machine: AnyStateMachine;
  private readonly effects: Readonly<Record<string, Effect>>;
  private readonly waiting: Waiting;
  private readonly postponable: ReadonlySet<string>;

  constructor(
    machine: AnyStateMachine,
    effects: Readonly<Record<string, Effect>>,
    waiting: Waiting,
  ) {
    this.machine = machine;
    this.effects = effects;
    this.waiting = waiting;
    this.postponable = new Set(waiting.types);
  }

  start(input: unknown, ctx: Ctx): Next<AnyMachineSnapshot> {
    const zero: ZeroDelays = new Map();
    const [snapshot, actions] = initialTransition(this.machine, input as never);
    this.perform(actions, snapshot, ctx, zero);
    armNow(zero, ctx);
    const decision = this.decide(snapshot as AnyMachineSnapshot);
    if (decision instanceof Stop) return next(decision.state, { continueWith: OVER });
    return decision instanceof Next ? decision : next(decision);
  }

  /** The event inside a message that the machine's own timers sent; undefined for all others. */
  eventOf(info: Info): AnyEventObject | undefined {
    const isOwn = info.type === "timer" && info.key.startsWith(TIMER_PREFIX);
    return isOwn ? (info.payload as AnyEventObject) : undefined;
  }

  feed(before: AnyMachineSnapshot, event: AnyEventObject, ctx: Ctx): Decision {
    if (this.postponable.has(event.type) && !before.can(event)) {
      ownOf(ctx).postponed.add(event, this.waiting.max, ctx);
      return this.decide(before);
    }
    const zero: ZeroDelays = new Map();
    const after = this.retried(before, this.step(before, event, ctx, zero), ctx, zero);
    armNow(zero, ctx);
    return this.decide(after);
  }

  answer(
    before: AnyMachineSnapshot,
    arg: unknown,
    ctx: Ctx,
    answer: Answer,
  ): Reply<AnyMachineSnapshot, unknown> {
    const zero: ZeroDelays = new Map();
    let snapshot = before;
    const value = answer(before, arg, (event) => {
      snapshot = this.step(snapshot, event, ctx, zero);
      return snapshot;
    });
    snapshot = this.retried(before, snapshot, ctx, zero);
    armNow(zero, ctx);
    return reply(this.decide(snapshot), value);
  }

  /** Goes on, perhaps with an idle timeout, or ends with the machine. */
  decide(snapshot: AnyMachineSnapshot): Decision {
    if (snapshot.status === "done") return stop(snapshot);
    if (snapshot.status === "error") {
      const { error } = snapshot;
      return stop(snapshot, { error: error instanceof Error ? error : new Error(String(error)) });
    }
    const timeoutMs = this.waiting.idleMs?.(snapshot);
    return timeoutMs === undefined ? snapshot : next(snapshot, { timeoutMs });
  }

  /** Feeds postponed events, oldest first, as often as the state value changes. */
  private retried(
    before: AnyMachineSnapshot,
    after: AnyMachineSnapshot,
    ctx: Ctx,
    zero: ZeroDelays,
  ): AnyMachineSnapshot {
    const queue = owned.get(ctx)?.postponed;
    if (queue === undefined || queue.size === 0) return after;
    let snapshot = after;
    let from = isSameValue(before.value, after.value) ? queue.size : 0;
    while (snapshot.status === "active") {
      const taken = queue.take(snapshot, from);
      if (taken === undefined) break;
      const [event, at] = taken;
      const stepped = this.step(snapshot, event, ctx, zero);
      // A new state is a new chance for all of them; else those before this one have had theirs.
      from = isSameValue(snapshot.value, stepped.value) ? at : 0;
      snapshot = stepped;
    }
    return snapshot;
  }

  private step(
    before: AnyMachineSnapshot,
    event: AnyEventObject,
    ctx: Ctx,
    zero: ZeroDelays,
  ): AnyMachineSnapshot {
    const [after, actions] = transition(this.machine, before, event);
    this.perform(actions, after, ctx, zero);
    return after as AnyMachineSnapshot;
  }

  private perform(
    actions: readonly MachineAction[],
    after: unknown,
    ctx: Ctx,
    zero: ZeroDelays,
  ): void {
    for (const { type, params } of actions) {
      const raised = params as RaisedParams | undefined;
      switch (type) {
        case "xstate.raise":
          // Without a delay it was consumed inside the macrostep.
          if (raised?.delay === 0) zero.set(keyOf(raised, ctx), raised.event);
          else if (typeof raised?.delay === "number") {
            ctx.after(raised.delay, keyOf(raised, ctx), raised.event);
          }
          break;
        case "xstate.cancel": {
          const key = timerKey(raised?.sendId);
          zero.delete(key);
          ctx.cancel(key);
          cancelNow(ctx, key);
          break;
        }
        case "xstate.emit": {
          const event = raised?.event;
          if (event !== undefined) ctx.emit(event.type, { ...event });
          break;
        }
        case "xstate.log":
          ctx.log.info(
            { value: (params as { value?: unknown } | undefined)?.value },
            "machine log",
          );
          break;
        default:
          this.effects[type]?.(params, after, ctx);
      }
    }
  }
}

function ownOf(ctx: Ctx): Own {
  const known = owned.get(ctx);
  if (known !== undefined) return known;
  const made: Own = { postponed: new Postponed(), unnamed: 0 };
  owned.set(ctx, made);
  return made;
}

/** Timers without an id must not replace each other. */
function keyOf({ id }: RaisedParams, ctx: Ctx): string {
  if (id !== undefined) return timerKey(id);
  const own = ownOf(ctx);
  own.unnamed += 1;
  return timerKey(`#${own.unnamed}`);
}

/** Later ones first, because each goes before all that is queued. */
function armNow(zero: ZeroDelays, ctx: Ctx): void {
  for (const [key, event] of [...zero].reverse()) timerNow(ctx, key, event);
}
