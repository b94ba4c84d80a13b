/** The pairing service of this host, made of its configuration: the markets, the parts of its tree. */
import { availableParallelism } from "node:os";
import type { PairingConfig } from "../../../config/schema.ts";
import type { PairingParts } from "../../../supervisors/pairing.ts";
import type { Node } from "../../otp/index.ts";
import { MarketBook } from "../../pairing/market-book.ts";
import type { PairingPort } from "../../pairing/protocol.ts";
import { pairHere } from "./batch.ts";
import { createPairingPort } from "./port.ts";

/** The service: what its tree is started with, and how it is asked. */
export interface PairingService {
  readonly book: MarketBook;
  readonly parts: PairingParts;
  readonly port: PairingPort;
}

/** What the host adds to the markets: where they are kept, and who hears of results. */
export interface PairingHooks {
  readonly restore?: PairingParts["directory"]["restore"];
  readonly onChange?: PairingParts["directory"]["onChange"];
  readonly onResult?: PairingParts["resultBuffer"]["onResult"];
}

/** Workers, when the configuration leaves it open. */
const MOST_AUTO_WORKERS = 10;

/** Makes the service; undefined without a configured market. */
export function makePairing(
  config: PairingConfig,
  node: Node,
  hooks: PairingHooks = {},
): PairingService | undefined {
  const { markets, workers, queue, results, cache, errors, batch } = config;
  if (markets.length === 0) return undefined;
  const book = new MarketBook({ markets, cache, nowUs: () => performance.now() * 1_000 });
  const count = workers === 0 ? Math.min(availableParallelism(), MOST_AUTO_WORKERS) : workers;
  const maxLoad = Math.max(...markets.map(({ maxProviders }) => maxProviders));
  return {
    book,
    parts: {
      directory: { book, restore: hooks.restore, onChange: hooks.onChange },
      policyQueue: { capacity: queue.capacity },
      resultBuffer: { capacity: results.capacity, onResult: hooks.onResult },
      worker: {
        errors: { count: errors.threshold, windowMs: errors.windowMs, restart: errors.restart },
      },
      intake: { workers: count, drainMs: queue.drainTimeoutMs },
    },
    port: createPairingPort({
      node,
      book,
      limits: { maxLoad, maxBatch: batch.maxPolicies },
      batch: pairHere,
    }),
  };
}
