/**
 * A ranking as it lies in a store that others may write into: layout, signature, JSON.
 *
 * The signature is an HMAC-SHA256 by a key made from the cluster's secret; the key of the store enters it,
 * so that a ranking put in the place of another one is none. It is checked before anything is parsed.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { isCount } from "../../lib/count.ts";
import { secretKey } from "../../lib/secret-key.ts";
import { MAX_PICKS } from "../../matching/demand.ts";
import type { KnownPicks } from "../../matching/known-picks.ts";
import type { FilterShare } from "../protocol.ts";

/** Changes whenever hosts of an older layout could not read a value. */
const LAYOUT = "PLK1";
const MAC_BYTES = 32;
const HEAD_BYTES = LAYOUT.length + MAC_BYTES;
/** Larger values are not looked at: 64 names of 256 characters, and what each filter leaves. */
export const MAX_SEALED_BYTES = 128 * 1024;
/** More filters than any demand has. */
const MAX_FILTERS = 128;

/** What of a ranking is shared: who, out of how many, and when there is nobody, why. */
export interface SharedRanking extends KnownPicks {
  /** Only where nobody is left. */
  readonly survivors: readonly FilterShare[] | undefined;
}

/** Signs and opens. */
export class Seals {
  /** For sums of what markets hold. */
  readonly contentKey: string;
  readonly #key: Buffer;

  constructor(secret: string) {
    this.#key = secretKey("ranking 1", secret);
    this.contentKey = secretKey("content 1", secret).toString("hex");
  }

  seal(key: string, { ids, left, survivors }: SharedRanking): Buffer {
    const body = Buffer.from(JSON.stringify({ ids, left, survivors }));
    return Buffer.concat([Buffer.from(LAYOUT), this.#mac(key, body), body]);
  }

  /** What was sealed for this key; `undefined` for anything else. */
  open(key: string, bytes: Buffer): SharedRanking | undefined {
    if (bytes.length > MAX_SEALED_BYTES || bytes.length < HEAD_BYTES) return undefined;
    if (bytes.toString("latin1", 0, LAYOUT.length) !== LAYOUT) return undefined;
    const body = bytes.subarray(HEAD_BYTES);
    const mac = bytes.subarray(LAYOUT.length, HEAD_BYTES);
    return timingSafeEqual(mac, this.#mac(key, body)) ? rankingOf(body) : undefined;
  }

  #mac(key: string, body: Buffer): Buffer {
    return createHmac("sha256", this.#key).update(`${LAYOUT}\0${key}\0`).update(body).digest();
  }
}

/** Signed by one of us; another version of us may still mean something else by it. */
function rankingOf(body: Buffer): SharedRanking | undefined {
  let value: unknown;
  try {
    value = JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
  if (typeof value !== "object" || value === null) return undefined;
  const { ids, left, survivors } = value as Record<string, unknown>;
  if (!isTexts(ids) || !isCount(left)) return undefined;
  if (left > 0) return { ids, left, survivors: undefined };
  return isReport(survivors) ? { ids, left, survivors } : undefined;
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) &&
  value.length <= MAX_PICKS &&
  value.every((text) => typeof text === "string");

const isReport = (value: unknown): value is readonly FilterShare[] =>
  Array.isArray(value) && value.length <= MAX_FILTERS && value.every(isShare);

const isShare = (value: unknown): boolean => {
  if (typeof value !== "object" || value === null) return false;
  const { filter, left, alone, sole, transient } = value as Record<string, unknown>;
  const isNamed = typeof filter === "string" && typeof transient === "boolean";
  return isNamed && isCount(left) && isCount(alone) && isCount(sole);
};
