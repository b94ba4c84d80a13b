/** Which provider was handed which transaction, and when the first one took it. */
import { keccak256 } from "../../../src/lib/keccak256.ts";
import type { FakeChain } from "../../../src/rpc/fake/chain.ts";

/** The copies of one transaction. */
export interface Delivery {
  /** How often each provider got it. */
  readonly copies: Readonly<Record<string, number>>;
  /** When a provider took it, whether or not the gateway could hear of it, ms. */
  readonly takenAtMs: number | undefined;
}

/** Everything that was delivered. */
export class Deliveries {
  readonly #copies = new Map<string, Record<string, number>>();
  readonly #taken = new Map<string, number>();

  /** A provider of `chain` got `text` and has dealt with it. */
  note(provider: string, chain: FakeChain, text: string, nowMs: number): void {
    const raw = SENT.exec(text)?.[1];
    if (raw === undefined) return;
    const copies = this.#copies.get(raw) ?? {};
    this.#copies.set(raw, copies);
    copies[provider] = (copies[provider] ?? 0) + 1;
    if (this.#taken.has(raw) || !isIn(chain, raw, nowMs)) return;
    this.#taken.set(raw, nowMs);
  }

  /** What became of one transaction. */
  of(raw: string): Delivery {
    return { copies: this.#copies.get(raw) ?? {}, takenAtMs: this.#taken.get(raw) };
  }
}

const SENT = /"method":"eth_sendRawTransaction","params":\["(0x[0-9a-f]+)"/u;

const isIn = (chain: FakeChain, raw: string, nowMs: number): boolean => {
  const hash = Buffer.from(keccak256(Buffer.from(raw.slice(2), "hex"))).toString("hex");
  return chain.transaction(`0x${hash}`, chain.timeline.headAt(nowMs)) !== undefined;
};
