/**
 * Names that the other side of a bridge holds, kept up to date by its registry.
 *
 * A name that both sides took at the same moment stays with the outer side: the inner holder ends
 * with `name_conflict`, and its supervisor decides what follows.
 */
import type { Process } from "../process/process.ts";
import type { Bridge } from "./bridge.ts";
import type { Handle } from "./frames.ts";

/** Name table of one bridge, and the listener that feeds the other side's. */
export class NameTable {
  private readonly bridge: Bridge;
  private readonly held = new Map<string, Handle>();
  private readonly stopListening: () => void;

  constructor(bridge: Bridge) {
    this.bridge = bridge;
    const { registry } = bridge.kernel;
    for (const { name, pid } of registry.select("")) this.announce("register", name, pid);
    this.stopListening = registry.listen((change, name, pid) => this.announce(change, name, pid));
  }

  get(name: string): Handle | undefined {
    return this.held.get(name);
  }

  [Symbol.iterator](): Iterator<readonly [string, Handle]> {
    return this.held[Symbol.iterator]();
  }

  /** The other side says that it holds `name`. */
  hold(name: string, holder: Handle): void {
    const { bridge } = this;
    const { registry } = bridge.kernel;
    const other = registry.get(name);
    if (other !== undefined) {
      // The inner side hears of our holder, or has heard already.
      if (bridge.isOuter) return;
      if (registry.local(name) === other) evict(other, name);
    }
    this.held.set(name, holder);
    this.tell("register", name, holder[3]);
  }

  /** The other side's process `pid` holds `name` no more. */
  release(name: string, pid: string): void {
    if (this.held.get(name)?.[3] !== pid) return;
    this.held.delete(name);
    this.tell("unregister", name, pid);
  }

  /** Nobody over there holds anything any more. */
  close(): void {
    this.stopListening();
    for (const [name, handle] of this.held) this.release(name, handle[3]);
  }

  private tell(change: "register" | "unregister", name: string, pid: string): void {
    const { kernel } = this.bridge;
    kernel.registry.tell(change, name, this.bridge.pidOf(pid), kernel.telemetry);
  }

  private announce(change: "register" | "unregister", name: string, pid: string): void {
    const { bridge } = this;
    // The other side knows its own.
    if (pid.startsWith(`#${bridge.id}.`)) return;
    if (change === "unregister") {
      bridge.post(["unname", name, pid]);
      return;
    }
    const holder = bridge.kernel.registry.get(name);
    if (holder !== undefined) bridge.post(["name", name, bridge.handleOf(holder)]);
  }
}

function evict(process: Process, name: string): void {
  const { kernel } = process;
  kernel.registry.unregister(name, process);
  kernel.finish(process, ["name_conflict", name]);
}
