/** The pairing service. */

/** The pairing service; off where there can be no market. */
export interface PairingConfig {
  /** In the order of the file. */
  readonly markets: readonly MarketConfig[];
  /** Markets that are made by whoever puts providers into them. */
  readonly onDemand: { readonly most: number; readonly settings: Omit<MarketConfig, "name"> };
  /** One pairing in so many is kept for the audit trail, besides those asked for with explain. */
  readonly audit: { readonly oneIn: number };
  /** 0: one per core, at most 10. */
  readonly workers: number;
  readonly queue: {
    readonly capacity: number;
    /** What waits when the host stops is still worked on for so long. */
    readonly drainTimeoutMs: number;
  };
  readonly results: { readonly capacity: number };
  /** Rankings that are kept, of all markets together. */
  readonly cache: {
    readonly enabled: boolean;
    readonly capacity: number;
    readonly ttlMs: number;
    /** Other hosts are asked for rankings, and told of them, over Redis. */
    readonly isShared: boolean;
    /** Rankings that take less are made here. */
    readonly sharedFromMs: number;
  };
  /** When a worker with errors is told of. */
  readonly errors: {
    readonly threshold: number;
    readonly windowMs: number;
    readonly restart: boolean;
  };
  readonly batch: {
    readonly maxPolicies: number;
    /** 0: one less than cores. */
    readonly threads: number;
    /** Batches of so many policies are shared with the threads. */
    readonly threadsFrom: number;
  };
  readonly lists: ListsConfig;
}

/** Lists of providers for consumers; off without chains. */
export interface ListsConfig {
  /** Each chain with the market that its lists are drawn from. */
  readonly chains: readonly { readonly chain: string; readonly market: string }[];
  readonly epochMs: number;
  /** Epochs by the blocks of a chain, instead of by time. */
  readonly blocks: { readonly chain: string; readonly every: number } | undefined;
  readonly mode: "top" | "weighted";
  readonly consumer: "key" | "header";
  readonly onExhausted: "error" | "market";
  readonly unlisted: "market" | "error";
  readonly minLive: number;
  readonly maxConsumers: number;
}

/** One market of providers. */
export interface MarketConfig {
  readonly name: string;
  /** Profile that scores when a request does not say. */
  readonly profile: string;
  /** Providers of a result when a request does not say. */
  readonly top: number;
  readonly maxProviders: number;
}
