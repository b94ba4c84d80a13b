/**
 * Groups: duplicate keys. Many processes under one key, each with a value, in the order they joined.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, groupFor, supervisor } from "paceline/otp";
 *
 * interface WorkerArgs {
 *   readonly chain: string;
 *   readonly weight: number;
 * }
 * const worker = defineActor({
 *   name: "demo/worker",
 *   init: (args: WorkerArgs, ctx) => {
 *     ctx.groups.join(workersOf(args.chain), args.weight);
 *     return args;
 *   },
 *   casts: {
 *     warm: (args, degrees: number) => {
 *       console.log(args.weight, "warms to", degrees);
 *       return args;
 *     },
 *   },
 * });
 * // What the members hold, then whose protocol they speak, then the parts of the name.
 * const workersOf = (chain: string) => groupFor<number>()(worker, "chain")(chain);
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("demo", {
 *     children: [1, 2].map((weight) => child(worker, { chain: "eth", weight }, { id: weight })),
 *   }),
 * );
 * for (const { ref, value } of node.groups.members(workersOf("eth"))) ref.cast.warm(value * 10);
 * await node.settle();
 * await node.stop();
 * console.log(node.groups.members(workersOf("eth")));
 * ```
 *
 * ```text
 * 1 warms to 10
 * 2 warms to 20
 * []
 * ```
 *
 * `join` adds an entry (twice stands there twice), `leave` takes back all of the caller's, `update`
 * changes the caller's values, `dispatch` hands all members to a function, once. An entry goes at
 * its member's death, before anyone hears of the death. Refs are pids and go stale. A process of
 * another definition cannot join: `OTP_KEY_PROTOCOL`.
 */
import type { AnyDef, Ref } from "../actor/definition.ts";
import type { Process } from "../process/process.ts";
import type { Facets } from "../process/ref.ts";
import { OtpError } from "../reason.ts";
import { keyFor } from "./key.ts";
import { type NameChange, NameListeners, type RegistryListener } from "./listeners.ts";

declare const member: unique symbol;

/** Name of a group whose members speak the protocol of `D` and hold a `V`. */
export interface Group<D extends AnyDef = AnyDef, V = unknown> {
  readonly name: string;
  readonly facets: Facets;
  readonly [member]?: (value: V) => D;
}

/** One entry of a group. */
export interface Member<D extends AnyDef = AnyDef, V = unknown> {
  /** A pid: it goes stale at the member's death. */
  readonly ref: Ref<D>;
  readonly value: V;
}

/**
 * Makes the group function of a definition, named as `keyFor` names keys: the first call says what
 * the members hold, `groupFor<number>()(def, "chain")("eth")`.
 */
export function groupFor<V = undefined>(): <D extends AnyDef, const P extends readonly string[]>(
  def: D,
  ...parts: P
) => (...values: { readonly [I in keyof P]: string }) => Group<D, V> {
  return keyFor;
}

/** What anyone may do with the groups of a node. */
export interface GroupView {
  /** Members in the order they joined. */
  members<D extends AnyDef, V>(group: Group<D, V>): readonly Member<D, V>[];
  /** Hands all members to `send`, once, unless there are none; returns how many. */
  dispatch<D extends AnyDef, V>(
    group: Group<D, V>,
    send: (members: readonly Member<D, V>[]) => void,
  ): number;
  /** Calls `listener` at every join and leave until the returned function is called. */
  listen(listener: RegistryListener): () => void;
  /** Entries of groups whose name begins with `prefix`, for operators: linear. */
  select(
    prefix: string,
  ): readonly { readonly name: string; readonly pid: string; readonly value: unknown }[];
}

/** One entry as its group and its member keep it. */
export interface GroupEntry {
  readonly process: Process;
  value: unknown;
}

/** Groups of one node. */
export class Groups implements GroupView {
  private readonly entries = new Map<string, Set<GroupEntry>>();
  private readonly listeners = new NameListeners();

  join(process: Process, name: string, value: unknown): void {
    const entry: GroupEntry = { process, value };
    const list = this.entries.get(name);
    if (list === undefined) this.entries.set(name, new Set([entry]));
    else list.add(entry);
    const more = process.more();
    more.groups ??= new Map();
    const own = more.groups.get(name);
    if (own === undefined) more.groups.set(name, [entry]);
    else own.push(entry);
    this.tell("register", name, process);
  }

  /** Takes all entries of `process` out of the group; returns how many there were. */
  leave(process: Process, name: string): number {
    const own = process.extras?.groups?.get(name);
    const list = this.entries.get(name);
    if (own === undefined || list === undefined) return 0;
    process.extras?.groups?.delete(name);
    for (const entry of own) list.delete(entry);
    if (list.size === 0) this.entries.delete(name);
    for (const _entry of own) this.tell("unregister", name, process);
    return own.length;
  }

  /** Replaces the values of the process's own entries; returns how many there are. */
  update(process: Process, name: string, change: (value: unknown) => unknown): number {
    const own = process.extras?.groups?.get(name) ?? [];
    for (const entry of own) entry.value = change(entry.value);
    return own.length;
  }

  /** Forgets a dying process. */
  release(process: Process): void {
    for (const name of process.extras?.groups?.keys() ?? []) this.leave(process, name);
  }

  members<D extends AnyDef, V>(group: Group<D, V>): readonly Member<D, V>[] {
    return [...(this.entries.get(group.name) ?? [])].map(({ process, value }) => ({
      ref: process.ref as unknown as Ref<D>,
      value: value as V,
    }));
  }

  dispatch<D extends AnyDef, V>(
    group: Group<D, V>,
    send: (members: readonly Member<D, V>[]) => void,
  ): number {
    const members = this.members(group);
    if (members.length > 0) send(members);
    return members.length;
  }

  listen(listener: RegistryListener): () => void {
    return this.listeners.add(listener);
  }

  select(
    prefix: string,
  ): readonly { readonly name: string; readonly pid: string; readonly value: unknown }[] {
    return [...this.entries]
      .filter(([name]) => name.startsWith(prefix))
      .flatMap(([name, list]) =>
        [...list].map(({ process, value }) => ({ name, pid: process.pid, value })),
      );
  }

  private tell(change: NameChange, name: string, process: Process): void {
    this.listeners.tell(change, name, process.pid, process.kernel.telemetry);
  }
}

/** The groups of a node as one process may use them. */
export class OwnGroups {
  private readonly process: Process;
  private readonly isDead: (op: string) => boolean;

  constructor(process: Process, isDead: (op: string) => boolean) {
    this.process = process;
    this.isDead = isDead;
  }

  /** Adds one entry of this process; a group of another definition throws OTP_KEY_PROTOCOL. */
  join<V>(group: Group<AnyDef, V>, ...value: V extends undefined ? [value?: V] : [value: V]): void {
    if (this.isDead("join")) return;
    mustSpeak(this.process, group);
    this.process.kernel.groups.join(this.process, group.name, value[0]);
  }

  /** Takes back all entries of this process; returns how many there were. */
  leave(group: Pick<Group, "name">): number {
    return this.process.kernel.groups.leave(this.process, group.name);
  }

  /** Replaces the value of this process's entries; returns how many there are. */
  update<V>(group: Group<AnyDef, V>, change: (value: V) => V): number {
    if (this.isDead("update")) return 0;
    const { process } = this;
    return process.kernel.groups.update(process, group.name, change as (value: unknown) => unknown);
  }

  /** Members in the order they joined. */
  members<D extends AnyDef, V>(group: Group<D, V>): readonly Member<D, V>[] {
    return this.process.kernel.groups.members(group);
  }

  /** Hands all members to `send`, once, unless there are none; returns how many. */
  dispatch<D extends AnyDef, V>(
    group: Group<D, V>,
    send: (members: readonly Member<D, V>[]) => void,
  ): number {
    return this.process.kernel.groups.dispatch(group, send);
  }
}

/** A name promises a protocol: whoever takes it must speak it. */
export function mustSpeak(
  process: Process,
  key: { readonly name: string; readonly facets: Facets },
): void {
  if (process.behaviour.facets === key.facets) return;
  throw new OtpError(
    "OTP_KEY_PROTOCOL",
    `${process.label} runs ${process.behaviour.name}, which is not what ${key.name} promises`,
  );
}
