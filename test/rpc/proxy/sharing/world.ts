/** A gateway that keeps answers, over a chain whose blocks the test makes. */
import type { ChainCacheConfig } from "../../../../config/schema.ts";
import { AnswerCache } from "../../../../src/rpc/cache/answer-cache.ts";
import { Canon } from "../../../../src/rpc/cache/canon.ts";
import type { HeadView } from "../../../../src/rpc/chain-view.ts";
import { hashOf } from "../../cache/support.ts";
import { world, type FakeReply, type World, type WorldOptions } from "../support.ts";

export interface CachingWorld extends World {
  readonly cache: AnswerCache;
  readonly canon: Canon;
  /** Makes a block the newest one, and the tip. */
  mine(number: number, branch?: string, parentBranch?: string): void;
  /** Asks; the id differs each time. */
  ask(method: string, params?: unknown, query?: string): FakeReply;
  /** Attempts so far, all providers together. */
  readonly attempts: number;
}

export interface CachingOptions extends WorldOptions {
  readonly policies?: ChainCacheConfig["policies"];
  readonly enabled?: boolean;
  readonly maxBytes?: number;
}

/** Hash of a block of a branch. */
export const blockHash = (number: number, branch = ""): string => hashOf(`${branch}${number}`);

/** Block 1,000 is the tip and just arrived; final is what is 64 blocks older. */
export function cachingWorld(options: CachingOptions = {}): CachingWorld {
  const canon = new Canon();
  const cache = new AnswerCache(options.maxBytes ?? 1_000_000);
  const { policies = [], enabled = true } = options;
  const config: ChainCacheConfig = { enabled, policies };
  let head: HeadView | undefined;
  const base = world({
    tip: 1_000,
    ...options,
    chain: {
      canon,
      cache: config,
      get head() {
        return head;
      },
      ...options.chain,
    },
    deps: { cache, ...options.deps },
  });
  let id = 0;
  const made: CachingWorld = Object.assign(base, {
    cache,
    canon,
    mine(number: number, branch = "", parentBranch = branch) {
      const hash = blockHash(number, branch);
      canon.raise(number, hash, blockHash(number - 1, parentBranch));
      head = { number, hash, atMs: base.nowMs, blockTimeMs: 12_000 };
      for (const row of [...base.rows, ...base.wsRows]) row.head = number;
    },
    ask(method: string, params: unknown = [], query = "") {
      const body = JSON.stringify({ jsonrpc: "2.0", id: ++id, method, params });
      return base.post(body, `/rpc/ethereum${query}`);
    },
    attempts: 0,
  });
  Object.defineProperty(made, "attempts", {
    get: () => base.upstreams.reduce((sum, { calls }) => sum + calls.length, 0),
  });
  for (let number = 900; number <= 1_000; number++) made.mine(number);
  return made;
}

/** How an answer was served. */
export const servedAs = (reply: FakeReply): string | undefined => reply.headers["x-paceline-cache"];
