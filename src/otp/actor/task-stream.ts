/**
 * A bounded concurrent map: one task per item, so many at a time, results as values.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, next, supervisor } from "paceline/otp";
 *
 * const mapper = defineActor({
 *   name: "demo/mapper",
 *   init: (delays: readonly number[]) => next(delays, { continueWith: "go" }),
 *   on: async (delays, _info, ctx) => {
 *     const work = async (ms: number): Promise<string> => {
 *       await ctx.sleep(ms);
 *       return `${ms} ms`;
 *     };
 *     const options = { maxConcurrency: 2, timeoutMs: 100 };
 *     for await (const result of ctx.taskStream(delays, work, options)) console.log(result);
 *     return delays;
 *   },
 * });
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("demo", {
 *     children: [child(mapper, [30, 500, 10], { id: "mapper" })],
 *   }),
 * );
 * await node.advance(1_000);
 * await node.stop();
 * ```
 *
 * ```text
 * { ok: true, value: '30 ms' }
 * { ok: false, reason: 'timeout' }
 * { ok: true, value: '10 ms' }
 * ```
 *
 * | option | meaning | default |
 * |---|---|---|
 * | `maxConcurrency` | items at work or waiting to be taken, 1 to 64 | 8 |
 * | `timeoutMs` | an item that takes longer fails with `timeout`, ms | 5000 |
 * | `isOrdered` | results in the order of the items, or as they come | true |
 * | `supervisor` | task supervisor that holds the tasks | none: below their owner |
 *
 * Leaving the loop early kills what still runs; so does the death of the owner. Another bound throws
 * `OTP_BAD_OPTION`.
 */
import type { TaskResult } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import { MAX_TASKS_PER_OWNER, type TaskOptions } from "../process/task.ts";
import { OtpError } from "../reason.ts";
import { launchTask } from "../supervisor/task-supervisor.ts";

/** Options of `ctx.taskStream`. */
export interface TaskStreamOptions extends Pick<TaskOptions, "supervisor"> {
  /** Items at work or waiting to be taken, 1 to 64; default 8. */
  readonly maxConcurrency?: number;
  /** Per item, ms; an item that takes longer is `{ ok: false, reason: "timeout" }`; default 5000. */
  readonly timeoutMs?: number;
  /** True (default): results in the order of the items; false: as they come. */
  readonly isOrdered?: boolean;
}

const DEFAULT_CONCURRENCY = 8;

interface Slot<R> {
  readonly key: string;
  result: TaskResult<R> | undefined;
}

/** Runs `run` for every item as a task of `owner`; leaving the loop early kills what still runs. */
export async function* streamTasks<T, R>(
  owner: Process,
  items: Iterable<T>,
  run: (item: T, signal: AbortSignal) => R | Promise<R>,
  options: TaskStreamOptions,
): AsyncGenerator<TaskResult<R>, void, undefined> {
  const { maxConcurrency = DEFAULT_CONCURRENCY, isOrdered = true, ...taskOptions } = options;
  const prefix = nextPrefix(owner);
  const source = items[Symbol.iterator]();
  const slots: Slot<R>[] = [];
  let started = 0;
  let wake = (): void => {};
  const start = (item: T): void => {
    started += 1;
    const slot: Slot<R> = { key: prefix + String(started), result: undefined };
    slots.push(slot);
    launchTask(
      owner,
      slot.key,
      (signal) => run(item, signal),
      taskOptions,
      (result) => {
        slot.result = result as TaskResult<R>;
        wake();
      },
    );
  };
  try {
    for (;;) {
      while (slots.length < maxConcurrency) {
        const { done, value } = source.next();
        if (done === true) break;
        start(value);
      }
      if (slots.length === 0) return;
      const at = slots.findIndex((slot, i) => slot.result !== undefined && !(isOrdered && i > 0));
      if (at >= 0) {
        yield slots.splice(at, 1)[0]?.result as TaskResult<R>;
        continue;
      }
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  } finally {
    for (const { key } of slots) drop(owner, key);
    source.return?.();
  }
}

/** Refuses a bound that is none. */
export function checkConcurrency(options: TaskStreamOptions): void {
  const max = options.maxConcurrency ?? DEFAULT_CONCURRENCY;
  if (Number.isInteger(max) && max >= 1 && max <= MAX_TASKS_PER_OWNER) return;
  throw new OtpError(
    "OTP_BAD_OPTION",
    `maxConcurrency ${max} of a task stream is no integer from 1 to ${MAX_TASKS_PER_OWNER}`,
  );
}

function nextPrefix(owner: Process): string {
  const more = owner.more();
  more.streams += 1;
  return `stream${more.streams}/`;
}

function drop(owner: Process, key: string): void {
  const tasks = owner.extras?.tasks;
  const held = tasks?.get(key);
  tasks?.delete(key);
  held?.cancel();
}
