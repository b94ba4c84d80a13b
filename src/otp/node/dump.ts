/**
 * Mailbox peeks and the dump: bounded, redacted, JSON-able copies for operators.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, keyFor, reply, supervisor } from "paceline/otp";
 *
 * const part = defineActor({
 *   name: "demo/part",
 *   init: (_args: undefined) => 0,
 *   calls: { get: (state) => reply(state, state) },
 *   casts: { add: (state, by: number) => state + by },
 * });
 * const partKey = keyFor(part);
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", { children: [child(part, undefined, { register: partKey() })] }),
 * );
 * const ref = node.via(partKey());
 * const { inspector } = node;
 * await inspector.suspend("demo/part");
 * ref.cast.add(1);
 * await node.settle();
 * console.log(inspector.mailbox("demo/part"));
 * const dump = inspector.dump({ maxMessages: 1 });
 * console.log(dump.processes.map(({ path, state, messages }) => [path, state, messages.length]));
 * await node.stop();
 * ```
 *
 * ```text
 * [ { kind: 'cast', type: 'add', arg: 1 } ]
 * [
 *   [ 'top', { strategy: 'one_for_one', children: 1, restarts: 0 }, 0 ],
 *   [ 'top/demo/part', 0, 1 ]
 * ]
 * ```
 */
import type { Kernel } from "../process/kernel.ts";
import { kindName, type MessageKind } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import { senderOf } from "../sys/event.ts";
import { infoOf, type ProcessInfo } from "./process-view.ts";
import { redact } from "./redact.ts";
import { treeOf, type TreeNode } from "./tree-view.ts";

/** Messages that a peek shows unless told otherwise. */
export const PEEK_LIMIT = 20;
const MAX_PEEK = 1000;
/** Processes that a dump holds unless told otherwise. */
const DUMP_PROCESSES = 10_000;
const DUMP_MESSAGES = 20;
/** A state whose JSON is longer is left out of a dump. */
const MAX_STATE_CHARS = 16_384;

/** One waiting message. */
export interface MailboxRow {
  readonly kind: MessageKind;
  readonly type: string;
  readonly from?: string;
  /** Plain data cut short, what is named like a secret hidden. */
  readonly arg: unknown;
}

/** How much a dump may hold. */
export interface DumpOptions {
  /** Default 10 000. */
  readonly maxProcesses?: number;
  /** Waiting messages per process; default 20. */
  readonly maxMessages?: number;
}

/** Everything about a node at one instant, as plain JSON data. */
export interface Dump {
  /** Monotonic ms. */
  readonly atMs: number;
  readonly counters: Readonly<Record<string, number>>;
  readonly tree: TreeNode | undefined;
  readonly processes: readonly (ProcessInfo & { readonly messages: readonly MailboxRow[] })[];
  /** Processes that were left out. */
  readonly omitted: number;
}

/** The oldest messages that wait. */
export function peek(process: Process, limit: number = PEEK_LIMIT): MailboxRow[] {
  const rows: MailboxRow[] = [];
  const most = Math.min(limit, MAX_PEEK);
  for (const envelope of process.mailbox) {
    if (rows.length >= most) break;
    const { kind, type, arg } = envelope;
    const from = senderOf(envelope);
    const row = { kind: kindName(kind), type, arg: plain(redact(arg)) };
    rows.push(from === undefined ? row : { ...row, from });
  }
  return rows;
}

/** Dumps the node. */
export function dumpOf(
  kernel: Kernel,
  root: Process | undefined,
  counters: Readonly<Record<string, number>>,
  options: DumpOptions,
): Dump {
  const { maxProcesses = DUMP_PROCESSES, maxMessages = DUMP_MESSAGES } = options;
  const shown = [...kernel.processes.values()].slice(0, maxProcesses);
  return {
    atMs: kernel.now(),
    counters,
    tree: root === undefined ? undefined : treeOf(root),
    processes: shown.map((process) => {
      const info = infoOf(kernel, process);
      return { ...info, state: plain(info.state), messages: peek(process, maxMessages) };
    }),
    omitted: kernel.processes.size - shown.length,
  };
}

/** The value as JSON would have it; a note where it has no JSON or too much. */
function plain(value: unknown): unknown {
  try {
    const text = JSON.stringify(value, (_key, inner: unknown) =>
      typeof inner === "bigint" ? `${inner}n` : inner,
    ) as string | undefined;
    if (text === undefined) return undefined;
    return text.length > MAX_STATE_CHARS ? `[${text.length} characters]` : JSON.parse(text);
  } catch {
    return "[no JSON]";
  }
}
