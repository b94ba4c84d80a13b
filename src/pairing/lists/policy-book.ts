/**
 * The policies of consumers, by market. It outlives the process that changes it, and is filled once
 * from what was kept.
 */
import { isRecord, type Parsed } from "../fault.ts";
import { wirePolicy } from "../rest/wire.ts";
import { parseRequest } from "../request.ts";
import type { Fault, PairRequest, Reply } from "../protocol.ts";

/** What a consumer has said of one market; a list's settings stand in for the rest. */
export type ConsumerWish = Omit<PairRequest, "seed" | "explain" | "mode"> & {
  readonly mode?: "top" | "weighted";
};

/** Longest name of a consumer, characters. */
const MAX_CONSUMER = 128;

/** Consumers and what they want. */
export class PolicyBook {
  /** What was kept is here. */
  isRead = false;
  /** Every consumer of them had its lists once. */
  isServed = false;
  readonly #most: number;
  readonly #byConsumer = new Map<string, Map<string, ConsumerWish>>();

  /** `most` consumers are taken. */
  constructor(most: number) {
    this.#most = most;
  }

  get size(): number {
    return this.#byConsumer.size;
  }

  consumers(): Iterable<string> {
    return this.#byConsumer.keys();
  }

  /** By market. */
  wishesOf(consumer: string): ReadonlyMap<string, ConsumerWish> {
    return this.#byConsumer.get(consumer) ?? NONE;
  }

  /** Notes what a consumer wants of a market. */
  set(consumer: string, market: string, wish: ConsumerWish): Reply<"set"> {
    let wishes = this.#byConsumer.get(consumer);
    if (wishes === undefined) {
      if (this.#byConsumer.size >= this.#most) {
        const message = `${this.#most} consumers have policies, as many as may`;
        return { ok: false, refusal: { code: "PAIRING_TOO_MANY", message } };
      }
      this.#byConsumer.set(consumer, (wishes = new Map()));
    }
    wishes.set(market, wish);
    return { ok: true, value: "set" };
  }

  /** Forgets it; false when there was nothing. */
  delete(consumer: string, market: string): boolean {
    const wishes = this.#byConsumer.get(consumer);
    if (wishes?.delete(market) !== true) return false;
    if (wishes.size === 0) this.#byConsumer.delete(consumer);
    return true;
  }
}

const NONE: ReadonlyMap<string, ConsumerWish> = new Map();

/** Reads a wish: a request without what only a single pairing has. */
export function parseWish(input: unknown): Parsed<ConsumerWish> {
  const asked = isRecord(input) && !("policy" in input) ? { policy: input } : input;
  const parsed = parseRequest(asked);
  if (!parsed.ok) return parsed;
  const { seed, explain, mode, ...wish } = parsed.value;
  const faults: Fault[] = [];
  if (seed !== undefined) faults.push({ path: "seed", message: "the epoch gives it" });
  if (explain !== undefined) faults.push({ path: "explain", message: "not part of a policy" });
  if (mode === "roundRobin") faults.push({ path: "mode", message: "of a list: top or weighted" });
  if (faults.length > 0) return { ok: false, faults };
  return {
    ok: true,
    value: mode === undefined || mode === "roundRobin" ? wish : { ...wish, mode },
  };
}

/** A wish as the text that is kept of it. */
export const wishText = ({ policy, ...rest }: ConsumerWish): string =>
  JSON.stringify({ ...rest, policy: wirePolicy(policy) });

/** What is wrong with the name of a consumer. */
export function consumerFault(name: string): Fault | undefined {
  const isPlain = name.isWellFormed() && !/\p{Cc}/u.test(name) && name.trim() === name;
  if (name !== "" && name.length <= MAX_CONSUMER && isPlain) return undefined;
  const message = `not a name of 1 to ${MAX_CONSUMER} printable characters`;
  return { path: "consumer", message };
}
