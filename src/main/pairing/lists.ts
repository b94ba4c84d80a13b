/** Consumers' lists on this host: the clock's arguments, what REST asks, what the gateway looks up. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { epochClockKey } from "../../../actors/pairing/epoch-clock.ts";
import type { EpochClockArgs, KeptWish } from "../../../actors/pairing/epoch-clock.ts";
import type { ListsConfig } from "../../../config/schema.ts";
import type { CallResult, Node } from "../../otp/index.ts";
import type { EpochRule } from "../../pairing/lists/epoch.ts";
import type { PairingList } from "../../pairing/lists/list.ts";
import { parseWish, PolicyBook, wishText } from "../../pairing/lists/policy-book.ts";
import type { ListsPort } from "../../pairing/lists/port.ts";
import { listAt, type ListShelf, listsTable } from "../../pairing/lists/shelf.ts";
import type { MarketBook } from "../../pairing/market-book.ts";
import type { Refusal, Reply } from "../../pairing/protocol.ts";
import type { PairingDoor } from "../../rpc/clients/paired-callers.ts";
import type { PairingStorage } from "./storage.ts";

/** What lists are made with. */
export interface ListsOptions {
  readonly node: Node;
  readonly book: MarketBook;
  readonly config: ListsConfig;
  /** Newest block of a chain, as far as it is known. */
  readonly head: (chain: string) => number | undefined;
  /** Undefined where nothing is kept. */
  readonly storage?: PairingStorage | undefined;
  readonly redact: (text: string) => string;
}

/** Lists of one host. */
export interface Lists {
  readonly clock: EpochClockArgs;
  readonly port: ListsPort;
  readonly door: PairingDoor;
  /** Consumers whose policies were kept have their lists again. */
  readonly isServed: () => boolean;
}

/** Makes them; undefined where no chain has any. */
export function createLists(options: ListsOptions): Lists | undefined {
  const { node, config, book, head } = options;
  const { chains, mode, onExhausted, minLive } = config;
  if (chains.length === 0) return undefined;
  const policies = new PolicyBook(config.maxConsumers);
  const rule = ruleOf(config);
  const shelf = (consumer: string): ListShelf | undefined =>
    node.table<ListShelf>(listsTable)?.get(consumer);
  const names = new Set(chains.map(({ chain }) => chain));
  return {
    clock: {
      yieldTurn: () => nextTurn(),
      book,
      policies,
      rule,
      settings: { mode, onExhausted, minLive },
      chains,
      head: () => (rule.by === "block" ? head(rule.chain) : undefined),
      ...keeping(options),
    },
    port: createListsPort(node, chains, policies, shelf),
    isServed: () => policies.isServed,
    door: {
      consumer: config.consumer,
      unlisted: config.unlisted,
      has: (chain) => names.has(chain),
      listOf: (consumer, chain) =>
        names.has(chain) ? shelf(consumer)?.current.get(chain) : undefined,
    },
  };
}

const ruleOf = ({ blocks, epochMs }: ListsConfig): EpochRule =>
  blocks === undefined
    ? { by: "time", epochMs }
    : { by: "block", chain: blocks.chain, blocks: blocks.every };

/** Policies live in the database of the markets. */
const keeping = ({ storage, redact }: ListsOptions): Pick<EpochClockArgs, "read" | "onPolicy"> => {
  if (storage === undefined) return {};
  return {
    read: () =>
      readKept(storage).catch((error: unknown) => {
        // Errors of a database may quote its URL.
        throw new Error(redact(error instanceof Error ? error.message : String(error)));
      }),
    onPolicy: (consumer, market, wish) => {
      const policy = wish === undefined ? undefined : wishText(wish);
      storage.journal.note({ kind: "policy", market, consumer, policy });
    },
  };
};

async function readKept(storage: PairingStorage): Promise<readonly KeptWish[]> {
  if (storage.isNew) return [];
  await storage.open();
  await storage.journal.settled();
  return (await storage.store.policies()).flatMap(({ consumer, market, policy }): KeptWish[] => {
    const parsed = parseWish(JSON.parse(policy));
    // What an earlier version wrote and this one cannot follow is left out, not followed by halves.
    return parsed.ok ? [{ consumer, market, wish: parsed.value }] : [];
  });
}

function createListsPort(
  node: Node,
  chains: ListsConfig["chains"],
  policies: PolicyBook,
  shelf: (consumer: string) => ListShelf | undefined,
): ListsPort {
  const clock = node.via(epochClockKey());
  const placesOf = (chain: string | undefined): Reply<ListsConfig["chains"]> => {
    const places = chains.filter((place) => chain === undefined || place.chain === chain);
    if (places.length > 0) return { ok: true, value: places };
    return refusal("PAIRING_UNKNOWN_LIST", `chain ${chain?.slice(0, 64)} has no lists`);
  };
  const marketsOf = (chain: string | undefined): Reply<readonly string[]> => {
    const places = placesOf(chain);
    if (!places.ok) return places;
    return { ok: true, value: [...new Set(places.value.map(({ market }) => market))] };
  };
  return {
    markets: [...new Set(chains.map(({ market }) => market))],
    lists: (consumer, chain, epoch) => {
      const places = placesOf(chain);
      if (!places.ok) return places;
      const found = places.value.flatMap((place): PairingList[] => {
        const list = listAt(shelf(consumer), place.chain, epoch);
        return list === undefined ? [] : [list];
      });
      if (found.length > 0) return { ok: true, value: found };
      const when = epoch === undefined ? "" : ` of epoch ${epoch}`;
      return refusal("PAIRING_UNKNOWN_LIST", `consumer ${consumer} has no list${when} here`);
    },
    policies: (consumer) => {
      const wishes = policies.wishesOf(consumer);
      if (wishes.size > 0) return { ok: true, value: wishes };
      return refusal("PAIRING_UNKNOWN_CONSUMER", `consumer ${consumer} has no policy`);
    },
    setPolicy: async (consumer, chain, wish) => {
      const markets = marketsOf(chain);
      if (!markets.ok) return markets;
      return flat(await clock.try.setPolicy({ consumer, markets: markets.value, wish }));
    },
    removePolicy: async (consumer, chain) => {
      const markets = marketsOf(chain);
      if (!markets.ok) return markets;
      return flat(await clock.try.removePolicy({ consumer, markets: markets.value }));
    },
  };
}

const refusal = (code: Refusal["code"], message: string): Reply<never> => ({
  ok: false,
  refusal: { code, message },
});

const flat = <T>(answer: CallResult<Reply<T>>): Reply<T> =>
  answer.ok
    ? answer.value
    : refusal("PAIRING_UNAVAILABLE", "the epoch clock is starting, restarting or stopped");
