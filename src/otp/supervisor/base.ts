/**
 * What every process of kind supervisor is to others, the host of a thread included: it traps exits,
 * answers admin calls only, and is found by its id while it lives.
 */
import type { Process } from "../process/process.ts";
import type { ProcessRef } from "../process/ref.ts";
import { SupervisorHandle } from "./ref.ts";

/** Common part of the behaviours of supervisors. */
export abstract class SupervisorBase {
  readonly name: string;
  readonly kind = "supervisor";
  readonly trapExit = true;
  readonly maxMailbox = 10_000;
  readonly highWater = 8_000;
  readonly overflow = "reject";
  me!: Process;

  constructor(id: string) {
    this.name = id;
  }

  hasCall(): boolean {
    return false;
  }

  makeRef(process: Process): ProcessRef {
    return new SupervisorHandle(process.kernel, process, undefined);
  }

  /** Makes it known by its id; ids need not be unique. */
  protected enlist(): void {
    const { supervisors } = this.me.kernel;
    const peers = supervisors.get(this.name);
    if (peers === undefined) supervisors.set(this.name, new Set([this.me]));
    else peers.add(this.me);
  }

  protected delist(): void {
    const { supervisors } = this.me.kernel;
    const peers = supervisors.get(this.name);
    peers?.delete(this.me);
    if (peers?.size === 0) supervisors.delete(this.name);
  }
}
