/**
 * All bridges of one node: which process lives behind which, who holds a foreign name, and how many
 * threads there are.
 */
import { availableParallelism } from "node:os";
import type { Foreign } from "../process/foreign.ts";
import type { Kernel } from "../process/kernel.ts";
import type { Envelope } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import type { MonitorRecord } from "../process/signals.ts";
import type { Reason } from "../reason.ts";
import type { Bridge } from "./bridge.ts";
import type { Handle } from "./frames.ts";
import { ForeignProcess } from "./proxy.ts";
import { Spares } from "./spares.ts";

const hubs = new WeakMap<Kernel, Hub>();

/** The hub of a node; made when it isolates its first subtree. */
export function hubOf(kernel: Kernel): Hub {
  let hub = hubs.get(kernel);
  if (hub === undefined) {
    hub = new Hub(kernel);
    hubs.set(kernel, hub);
  }
  return hub;
}

/** See the module. */
export class Hub implements Foreign {
  private readonly kernel: Kernel;
  private readonly bridges = new Map<string, Bridge>();
  private readonly proxies = new Map<number, ForeignProcess>();
  private readonly ending = new Set<Promise<unknown>>();
  private proxySeq = 0;
  private workerSeq = 0;
  /** Threads that run a subtree; spares are not counted. */
  workers = 0;
  readonly spares: Spares;

  constructor(kernel: Kernel) {
    this.kernel = kernel;
    this.spares = new Spares(kernel, () => this.maxWorkers);
    kernel.foreign = this;
    kernel.signals.foreign = this;
    kernel.registry.foreign = this;
  }

  /** Threads that may run subtrees at once. */
  get maxWorkers(): number {
    return this.kernel.maxWorkers ?? Math.max(1, availableParallelism() - 1);
  }

  nextWorkerId(): string {
    this.workerSeq += 1;
    return `w${this.workerSeq}`;
  }

  add(bridge: Bridge): void {
    this.bridges.set(bridge.id, bridge);
  }

  remove(bridge: Bridge): void {
    this.bridges.delete(bridge.id);
  }

  makeProxy(bridge: Bridge, handle: Handle): ForeignProcess {
    this.proxySeq -= 1;
    const proxy = new ForeignProcess(this.kernel, this.proxySeq, bridge, handle);
    this.proxies.set(proxy.id, proxy);
    return proxy;
  }

  forget(proxy: ForeignProcess): void {
    this.proxies.delete(proxy.id);
  }

  /** A live process by the number that bridges know it by. */
  byId(id: number): Process | undefined {
    return id < 0 ? this.proxies.get(id) : this.kernel.processes.get(id);
  }

  /** Holds `quiet` back until a thread has ended. */
  waitFor(ending: Promise<unknown>): void {
    this.ending.add(ending);
    void ending.finally(() => this.ending.delete(ending));
  }

  async quiet(): Promise<void> {
    await Promise.allSettled(this.ending);
  }

  takesMessage(process: Process, envelope: Envelope): boolean {
    if (!(process instanceof ForeignProcess)) return false;
    process.bridge.forward(process, envelope);
    return true;
  }

  takesSignal(op: string, from: Process | undefined, to: Process, reason: Reason): boolean {
    if (!(to instanceof ForeignProcess) || !to.alive) return false;
    switch (op) {
      case "exit":
        to.bridge.sendExit(from, to, reason);
        return true;
      case "link-exit":
        if (from !== undefined && to.dropLink(from)) to.bridge.sendLinkExit(from, to, reason);
        return true;
      case "link":
        to.addLink(from as Process);
        to.bridge.sendLink("link", from as Process, to);
        return true;
      case "unlink":
        if (to.dropLink(from as Process)) to.bridge.sendLink("unlink", from as Process, to);
        return true;
      default:
        return false;
    }
  }

  takesMonitor(record: MonitorRecord): boolean {
    const { watched } = record;
    if (!(watched instanceof ForeignProcess)) return false;
    watched.bridge.monitors.place(watched, record);
    return true;
  }

  dropsMonitor(record: MonitorRecord): void {
    if (record.watched instanceof ForeignProcess) record.watched.bridge.monitors.drop(record);
  }

  holderOf(name: string): Process | undefined {
    for (const bridge of this.bridges.values()) {
      const handle = bridge.names.get(name);
      if (handle !== undefined) return bridge.processOf(handle);
    }
    return undefined;
  }

  *names(prefix: string): Generator<{ readonly name: string; readonly pid: string }> {
    for (const bridge of this.bridges.values()) {
      for (const [name, handle] of bridge.names) {
        if (name.startsWith(prefix)) yield { name, pid: bridge.pidOf(handle[3]) };
      }
    }
  }

  find(pid: string): Process | undefined {
    const dot = pid.indexOf(".");
    const bridge = this.bridges.get(pid.slice(1, dot));
    const rest = pid.slice(dot + 1);
    if (bridge !== undefined && /^\d+$/.test(rest)) {
      return bridge.processOf([Number(rest), pid, "worker", `#${rest}`]);
    }
    for (const proxy of this.proxies.values()) if (proxy.pid === pid) return proxy;
    return undefined;
  }
}
