/** Params, blocks and chains for tests of the cache's rules. */
import { blockRefOf, cacheRule, type BlockRef } from "../../../src/rpc/cache/block-ref.ts";
import { canonicalParams } from "../../../src/rpc/cache/canonical.ts";
import type { BlockSight } from "../../../src/rpc/cache/finality.ts";

/** A hash that is easy to tell from others. */
export const hashOf = (label: string | number): string =>
  `0x${Buffer.from(String(label)).toString("hex").padEnd(64, "0").slice(0, 64)}`;

/** The one spelling of `params`, JSON text, or `undefined`. */
export function spelled(method: string, params: string | undefined): string | undefined {
  const rule = cacheRule(method);
  if (rule === undefined) throw new Error(`${method} is not in the table`);
  const body = Buffer.from(params ?? "");
  const found = canonicalParams(body, params === undefined ? -1 : 0, body.length, rule);
  return found?.bytes.toString("latin1", 0, found.length);
}

/** The block that a call names. */
export function refOf(method: string, params: string | undefined): BlockRef | undefined {
  const rule = cacheRule(method);
  if (rule === undefined) return undefined;
  const body = Buffer.from(params ?? "");
  const found = canonicalParams(body, params === undefined ? -1 : 0, body.length, rule);
  return found === undefined ? undefined : blockRefOf(rule, found);
}

/** A chain whose canonical block `n` has the hash `hashOf(n)`, from 900 on. */
export function sight(more: Partial<BlockSight> = {}): BlockSight {
  const made: BlockSight = {
    tip: 1_000,
    tipHash: hashOf(1_000),
    tipAtMs: 0,
    finalized: 936,
    blockTimeMs: 12_000,
    hashAt: (number) => (number >= 900 && number <= 1_000 ? hashOf(number) : undefined),
    numberOf: (hash) => {
      for (let number = 900; number <= 1_000; number++) if (hashOf(number) === hash) return number;
      return undefined;
    },
    isContradicted: (number, hash) => (made.hashAt(number) ?? hash) !== hash,
    ...more,
  };
  return made;
}
