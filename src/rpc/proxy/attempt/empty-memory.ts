/**
 * Remembers which lookups were asked again elsewhere because nobody knew the answer yet, so that a
 * client that polls for a receipt is not multiplied: one second question per block time.
 */
import type { MethodInfo } from "../../json-rpc/methods.ts";
import type { Call } from "../call.ts";

/** Bytes of params that tell one lookup from another. */
const MAX_LOOKUP_KEY = 256;
/** Entries kept; the oldest tenth leaves in one pass. */
const MAX_ENTRIES = 10_000;

/** When each lookup was last asked twice. */
export class EmptyMemory {
  readonly #lastMs = new Map<string, number>();

  /** Whether a `null` may be asked about elsewhere: never beyond the tip, once per block time. */
  mayRetry(call: Call, info: MethodInfo, nowMs: number): boolean {
    const { snapshot } = call.chain;
    const { envelope, body } = call;
    if (snapshot === undefined || envelope.paramsStart < 0) return false;
    const params = body.toString(
      "latin1",
      envelope.paramsStart,
      Math.min(envelope.paramsEnd, envelope.paramsStart + MAX_LOOKUP_KEY),
    );
    if (info.name.includes("Number") || info.name === "eth_getBlockReceipts") {
      const block = /^\[\s*"(?:0x([0-9a-f]{1,13})|(pending))"/i.exec(params);
      if (block?.[2] !== undefined) return false;
      if (block?.[1] !== undefined && parseInt(block[1], 16) > snapshot.tip) return false;
    }
    const key = `${call.chain.name} ${info.name} ${params}`;
    return this.take(key, nowMs, snapshot.blockTimeMs);
  }

  /** Whether `key` may be asked again now; a yes is remembered. */
  take(key: string, nowMs: number, intervalMs: number): boolean {
    const last = this.#lastMs.get(key);
    if (last !== undefined && nowMs - last < intervalMs) return false;
    this.#lastMs.delete(key);
    this.#lastMs.set(key, nowMs);
    if (this.#lastMs.size > MAX_ENTRIES) this.#evict();
    return true;
  }

  #evict(): void {
    let left = MAX_ENTRIES / 10;
    for (const key of this.#lastMs.keys()) {
      if (left-- <= 0) return;
      this.#lastMs.delete(key);
    }
  }
}
