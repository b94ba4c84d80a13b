/**
 * Who is told about changes of names: one list for a registry's holders, one for the members of groups.
 */
import type { Telemetry } from "../node/telemetry.ts";
import { runAside } from "../process/scope.ts";

/** What happened to a name. */
export type NameChange = "register" | "unregister";

/** Told about every change of a name. */
export type RegistryListener = (change: NameChange, name: string, pid: string) => void;

/** Listeners, called synchronously in the order in which they came. */
export class NameListeners {
  private readonly listeners = new Set<RegistryListener>();

  get size(): number {
    return this.listeners.size;
  }

  /** Calls `listener` on every change until the returned function is called. */
  add(listener: RegistryListener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** One that throws is dropped: it must not stop a death half-way, nor is it the dead's own code. */
  tell(change: NameChange, name: string, pid: string, telemetry: Telemetry): void {
    for (const listener of this.listeners) {
      try {
        runAside(() => listener(change, name, pid), undefined);
      } catch (error) {
        this.listeners.delete(listener);
        telemetry.emit("otp.registry.listener_failed", { name, error });
      }
    }
  }
}
