/** Which provider was handed which transaction, who took it, and what the gateway made of it. */
import { keccak256 } from "../../../src/lib/keccak256.ts";
import type { TelemetryEvent } from "../../../src/otp/index.ts";
import type { FakeChain } from "../../../src/rpc/fake/chain.ts";

/** One thing that befell a transaction. */
export type DeliveryFact =
  /** A provider got it; `isTaken`: somebody has it now, whether or not the gateway could hear of it. */
  | {
      readonly kind: "copy";
      readonly atMs: number;
      readonly provider: string;
      readonly isTaken: boolean;
    }
  /** A sending of it came to something, whether or not a client was there to hear of it. */
  | { readonly kind: "end"; readonly atMs: number; readonly result: string };

/** What became of one transaction. */
export interface Delivery {
  /** As they happened. */
  readonly facts: readonly DeliveryFact[];
}

/** Everything that was delivered. */
export class Deliveries {
  /** By hash. */
  readonly #facts = new Map<string, DeliveryFact[]>();

  /** A provider of `chain` got `text` and has dealt with it. */
  note(provider: string, chain: FakeChain, text: string, nowMs: number): void {
    const raw = SENT.exec(text)?.[1];
    if (raw === undefined) return;
    const hash = hashOf(raw);
    const isTaken = chain.transaction(hash, chain.timeline.headAt(nowMs)) !== undefined;
    this.#add(hash, { kind: "copy", atMs: nowMs, provider, isTaken });
  }

  /** The gateway tells what a sending came to. */
  event({ name, atMs, fields }: TelemetryEvent): void {
    if (name !== "write.broadcast") return;
    this.#add(String(fields["hash"]), { kind: "end", atMs, result: String(fields["result"]) });
  }

  /** What became of one transaction. */
  of(raw: string): Delivery {
    return { facts: this.#facts.get(hashOf(raw)) ?? [] };
  }

  #add(hash: string, fact: DeliveryFact): void {
    const facts = this.#facts.get(hash) ?? [];
    this.#facts.set(hash, facts);
    facts.push(fact);
  }
}

const SENT = /"method":"eth_sendRawTransaction","params":\["(0x[0-9a-f]+)"/u;

const hashOf = (raw: string): string =>
  `0x${Buffer.from(keccak256(Buffer.from(raw.slice(2), "hex"))).toString("hex")}`;
