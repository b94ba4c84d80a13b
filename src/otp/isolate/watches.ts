/**
 * Processes of this side that have a stand-in over a bridge: their end is told there, once.
 */
import { forgetWatcher } from "../process/death.ts";
import type { MonitorRecord } from "../process/signals.ts";
import type { Bridge } from "./bridge.ts";
import { encodeReason } from "./codec.ts";

/** Watched processes of one side of one bridge. */
export class Watches {
  private readonly bridge: Bridge;
  /** By the number of the process. */
  private readonly records = new Map<number, MonitorRecord>();

  constructor(bridge: Bridge) {
    this.bridge = bridge;
  }

  /** They have made a stand-in for this process. */
  hold(id: number): void {
    const { bridge, records } = this;
    if (records.has(id)) return;
    const process = bridge.byId(id);
    if (process === undefined || !process.alive) {
      bridge.post(["dead", id, "noproc"]);
      return;
    }
    const record = bridge.kernel.onDown(process, (reason) => {
      records.delete(id);
      bridge.post(["dead", id, encodeReason(reason)]);
    });
    records.set(id, record);
  }

  /** None of them listens any more. */
  close(): void {
    for (const record of this.records.values()) {
      record.active = false;
      forgetWatcher(record);
    }
    this.records.clear();
  }
}
