/**
 * Which list a call is under. A caller's options with its list are made once for each list, so that a
 * call pays two look-ups and makes nothing.
 */
import type { ChainName } from "../ids.ts";
import type { CallOptions } from "../proxy/call.ts";
import type { PairedList } from "../selection/paired.ts";
import type { Caller, CallRefusal } from "./caller.ts";
import { headerOf } from "./visit.ts";

/** Where lists are looked up; absent where nothing is paired. */
export interface PairingDoor {
  /** What names a consumer. */
  readonly consumer: "key" | "header";
  /** What becomes of a caller without a list. */
  readonly unlisted: "market" | "error";
  /** Whether a chain has lists at all. */
  has(chain: ChainName): boolean;
  listOf(consumer: string, chain: ChainName): PairedList | undefined;
}

/** The header that names a consumer where keys do not. */
const CONSUMER_HEADER = "x-paceline-consumer";

/** Puts callers under their lists. */
export class PairedCallers {
  readonly #door: PairingDoor;
  readonly #options = new WeakMap<PairedList, WeakMap<CallOptions, CallOptions>>();

  constructor(door: PairingDoor) {
    this.#door = door;
  }

  /** Who a caller is to the lists; undefined when nothing says so. */
  consumerOf(caller: Caller | undefined, rawHeaders: readonly string[]): string | undefined {
    return this.#door.consumer === "key" ? caller?.id : headerOf(rawHeaders, CONSUMER_HEADER);
  }

  /** The options of a consumer's call on a chain, or why it is not served. */
  optionsOf(
    options: CallOptions,
    consumer: string | undefined,
    chain: ChainName,
  ): CallOptions | CallRefusal {
    const door = this.#door;
    const list = consumer === undefined ? undefined : door.listOf(consumer, chain);
    if (list !== undefined) return this.#with(options, list);
    if (door.unlisted === "market" || !door.has(chain)) return options;
    const who = consumer === undefined ? "the caller names no consumer" : `${consumer} has no list`;
    return { reason: "no_pairing_list", message: `${who.slice(0, MAX_WHO)} on ${chain}` };
  }

  #with(options: CallOptions, list: PairedList): CallOptions {
    // Those of a profile are made for each call anyway, and would only fill the memory.
    if (options.profile !== undefined) return { ...options, paired: list };
    let ofList = this.#options.get(list);
    if (ofList === undefined) this.#options.set(list, (ofList = new WeakMap()));
    let made = ofList.get(options);
    if (made === undefined) ofList.set(options, (made = { ...options, paired: list }));
    return made;
  }
}

const MAX_WHO = 200;
