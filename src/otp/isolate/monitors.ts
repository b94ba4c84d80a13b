/**
 * Monitors over a bridge: each has a counterpart on the side where the watched process lives, so that
 * it meets the process in the order in which its owner sent.
 */
import { forgetWatcher } from "../process/death.ts";
import type { MonitorRecord } from "../process/signals.ts";
import type { Reason } from "../reason.ts";
import type { Bridge } from "./bridge.ts";
import { decodeReason, encodeReason } from "./codec.ts";
import type { ForeignProcess } from "./proxy.ts";

/** Monitors of both sides of one bridge. */
export class Monitors {
  private readonly bridge: Bridge;
  private seq = 0;
  /** Ours on processes over there. */
  private readonly placed = new Map<number, MonitorRecord>();
  private readonly numbers = new Map<MonitorRecord, number>();
  /** Held here for theirs. */
  private readonly held = new Map<number, MonitorRecord>();

  constructor(bridge: Bridge) {
    this.bridge = bridge;
  }

  /** Has `watched` watched where it lives. */
  place(watched: ForeignProcess, record: MonitorRecord): void {
    this.seq += 1;
    this.placed.set(this.seq, record);
    this.numbers.set(record, this.seq);
    this.bridge.post(["monitor", watched.remoteId, this.seq]);
  }

  /** Nobody wants to hear any more. */
  drop(record: MonitorRecord): void {
    const number = this.numbers.get(record);
    if (number === undefined) return;
    this.forget(number, record);
    this.bridge.post(["demonitor", number]);
  }

  /** They watch one of ours. */
  hold(id: number, number: number): void {
    const { bridge } = this;
    const process = bridge.byId(id);
    if (process === undefined) {
      bridge.post(["down", number, "noproc"]);
      return;
    }
    const record = bridge.kernel.onDown(process, (reason) => {
      this.held.delete(number);
      bridge.post(["down", number, encodeReason(reason)]);
    });
    this.held.set(number, record);
  }

  /** They do no more. */
  release(number: number): void {
    const record = this.held.get(number);
    if (record === undefined) return;
    this.held.delete(number);
    record.active = false;
    forgetWatcher(record);
  }

  /** One of theirs has ended. */
  down(number: number, coded: unknown): void {
    const record = this.placed.get(number);
    if (record === undefined) return;
    this.forget(number, record);
    this.bridge.kernel.signals.down(record, decodeReason(coded));
  }

  /** All of theirs have ended, and none of them listens. */
  close(reason: Reason): void {
    for (const number of this.held.keys()) this.release(number);
    for (const [number, record] of this.placed) {
      this.forget(number, record);
      this.bridge.kernel.signals.down(record, reason);
    }
  }

  private forget(number: number, record: MonitorRecord): void {
    this.placed.delete(number);
    this.numbers.delete(record);
  }
}
