/**
 * The pending transactions of one chain for all its filters: one subscription at the chain's hub,
 * opened with the first filter and closed with the last.
 */
import { PendingRing } from "../../filters/pending-ring.ts";
import type { ChainView, ClientSink } from "../ports.ts";

/** Hashes that are kept; who asks too rarely misses the oldest, as any pool forgets. */
const KEPT_HASHES = 10_000;
/** A stream that is silent for so long is asked for again: its hub may have lost it. */
const SILENT_MS = 30_000;

/** A client of the hub that keeps what it is sent. */
export class PendingTap implements ClientSink {
  readonly id: number;
  readonly bufferedBytes = 0;
  readonly sentBytes = 0;
  readonly ring = new PendingRing(KEPT_HASHES);
  isOpen = false;
  /** Filters that read it. */
  readers = 0;
  readonly #chain: ChainView;
  readonly #now: () => number;
  #heardAtMs = 0;

  /** `id` is none that a client's connection can have. */
  constructor(id: number, chain: ChainView, now: () => number) {
    this.id = id;
    this.#chain = chain;
    this.#now = now;
  }

  /** Somebody reads: opens the stream, or opens it again when it may be lost. */
  wake(): void {
    const nowMs = this.#now();
    if (this.isOpen && nowMs - this.#heardAtMs < SILENT_MS) return;
    const { hub } = this.#chain;
    if (this.isOpen) hub.drop(this);
    this.isOpen = true;
    this.#heardAtMs = nowMs;
    const failed = (): void => {
      this.isOpen = false;
    };
    hub.subscribe(this, "newPendingTransactions", undefined).then((reply) => {
      if (!reply.ok) failed();
    }, failed);
  }

  /** Nobody reads any more. */
  end(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.#chain.hub.drop(this);
  }

  send(text: string | Buffer): void {
    this.#take(text.toString());
  }

  sendFrame(frame: Buffer): void {
    this.#take(frame.toString("latin1"));
  }

  close(): void {
    this.isOpen = false;
  }

  #take(text: string): void {
    const hash = EVENT.exec(text)?.[1];
    if (hash === undefined) return;
    this.#heardAtMs = this.#now();
    this.ring.push(hash);
  }
}

/** The only 32 bytes in such an event are the hash. */
const EVENT = /"result"\s*:\s*"(0x[0-9a-f]{64})"/i;
