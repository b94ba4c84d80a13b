/** What the outside may ask of consumers' policies and lists. */
import type { Reply } from "../protocol.ts";
import type { PairingList } from "./list.ts";
import type { ConsumerWish } from "./policy-book.ts";

/** Policies and lists of a host. A chain that is left out stands for all that have lists. */
export interface ListsPort {
  /** Markets that lists are drawn from. */
  readonly markets: readonly string[];
  /** The lists of a consumer: of now, or of an epoch that is remembered. */
  readonly lists: (
    consumer: string,
    chain: string | undefined,
    epoch: number | undefined,
  ) => Reply<readonly PairingList[]>;
  /** What a consumer wants, by market. */
  readonly policies: (consumer: string) => Reply<ReadonlyMap<string, ConsumerWish>>;
  /** Sets it, and answers the lists that are made at once. */
  readonly setPolicy: (
    consumer: string,
    chain: string | undefined,
    wish: ConsumerWish,
  ) => Promise<Reply<readonly PairingList[]>>;
  /** Forgets it; answers for how many markets. */
  readonly removePolicy: (consumer: string, chain: string | undefined) => Promise<Reply<number>>;
}
