/**
 * Unique names. An entry goes at its holder's death, before anyone hears of the death.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, keyFor, supervisor } from "paceline/otp";
 *
 * const part = defineActor({ name: "demo/part", init: (_args: undefined) => 0 });
 * const partKey = keyFor(part, "p");
 *
 * const node = createVirtualNode();
 * const silence = node.registry.listen((change, name, pid) => console.log(change, name, pid));
 * await node.start(
 *   supervisor("top", { children: [child(part, undefined, { register: partKey("a") })] }),
 * );
 * node.inspector.exit(partKey("a").name, "kill");
 * await node.settle();
 * console.log(node.registry.select("demo/p/"));
 * silence();
 * await node.stop();
 * ```
 *
 * ```text
 * register demo/p/a/part #2
 * unregister demo/p/a/part #2
 * register demo/p/a/part #3
 * [ { name: 'demo/p/a/part', pid: '#3' } ]
 * ```
 *
 * One process may hold many names; a name has one holder, and the first keeps it. Listeners run
 * synchronously at each change; one that throws is dropped (`otp.registry.listener_failed`). `select`
 * walks all names: for operators, not for a hot path. Looking a name up is one Map lookup.
 */
import type { Telemetry } from "../node/telemetry.ts";
import type { Foreign } from "../process/foreign.ts";
import type { Process } from "../process/process.ts";
import { type NameChange, NameListeners, type RegistryListener } from "./listeners.ts";

/** Vacant names are dropped once there are more of them than this and than held ones. */
const MIN_SWEEP = 64;

/** Name to process, one holder a name. */
export class Registry {
  /**
   * A name that was given up stays as undefined for a while: its next holder is most often the
   * restarted process, and a Map that deletes and adds one key over and over walks ever longer
   * chains of deleted entries (50 us with 10 000 names).
   */
  private readonly holders = new Map<string, Process | undefined>();
  private vacant = 0;
  private readonly listeners = new NameListeners();
  /** Names held in other threads. */
  foreign: Foreign | undefined = undefined;

  get size(): number {
    return this.holders.size - this.vacant;
  }

  get(name: string): Process | undefined {
    const holder = this.holders.get(name);
    if (holder !== undefined || this.foreign === undefined) return holder;
    return this.foreign.holderOf(name);
  }

  /** The holder in this thread only. */
  local(name: string): Process | undefined {
    return this.holders.get(name);
  }

  /** The current holder when the name is taken, else undefined and the name is held. */
  register(name: string, process: Process): Process | undefined {
    const { holders } = this;
    const holder = this.get(name);
    if (holder !== undefined) return holder;
    const known = holders.size;
    holders.set(name, process);
    if (holders.size === known) this.vacant -= 1;
    const more = process.more();
    more.names ??= [];
    more.names.push(name);
    this.changed("register", name, process);
    return undefined;
  }

  /** Gives up one name of `process`; false when it does not hold it. */
  unregister(name: string, process: Process): boolean {
    if (this.holders.get(name) !== process) return false;
    this.vacate(name);
    const names = process.extras?.names;
    names?.splice(names.indexOf(name), 1);
    this.changed("unregister", name, process);
    return true;
  }

  /** Gives up all names of a dying process. */
  release(process: Process): void {
    const names = process.extras?.names;
    if (names === undefined) return;
    for (const name of names) {
      this.vacate(name);
      this.changed("unregister", name, process);
    }
  }

  private vacate(name: string): void {
    const { holders } = this;
    holders.set(name, undefined);
    this.vacant += 1;
    if (this.vacant <= MIN_SWEEP || this.vacant * 2 <= holders.size) return;
    for (const [held, process] of holders) if (process === undefined) holders.delete(held);
    this.vacant = 0;
  }

  private changed(change: NameChange, name: string, process: Process): void {
    if (this.listeners.size > 0) this.tell(change, name, process.pid, process.kernel.telemetry);
  }

  /** Tells the listeners of a change, here or in another thread. */
  tell(change: NameChange, name: string, pid: string, telemetry: Telemetry): void {
    this.listeners.tell(change, name, pid, telemetry);
  }

  /** Calls `listener` on every change until the returned function is called. */
  listen(listener: RegistryListener): () => void {
    return this.listeners.add(listener);
  }

  /** Names that begin with `prefix`, for operators: linear. */
  select(prefix: string): { readonly name: string; readonly pid: string }[] {
    const found: { readonly name: string; readonly pid: string }[] = [];
    for (const [name, process] of this.holders) {
      if (process !== undefined && name.startsWith(prefix)) found.push({ name, pid: process.pid });
    }
    if (this.foreign !== undefined) found.push(...this.foreign.names(prefix));
    return found;
  }
}
