/** What becomes of one list when an epoch begins, its market changes, or its policy does. */
import type { MarketBook } from "../market-book.ts";
import type { PairingResult, PairRequest, Refusal, Reply } from "../protocol.ts";
import { drawing, type Wish } from "./draw.ts";
import type { Epoch } from "./epoch.ts";
import { listOf, NOBODY, type OnExhausted, type PairingList, without } from "./list.ts";
import type { ConsumerWish } from "./policy-book.ts";

/** What holds for every list of a host. */
export interface ListSettings {
  readonly mode: Wish["mode"];
  readonly onExhausted: OnExhausted;
  /** A list with fewer providers left in its market is drawn anew. */
  readonly minLive: number;
}

/** One list that may have to change. */
export interface Renewal {
  readonly book: Pick<MarketBook, "find">;
  readonly settings: ListSettings;
  readonly consumer: string;
  readonly chain: string;
  readonly market: string;
  readonly wish: ConsumerWish;
  readonly epoch: Epoch;
  readonly nowMs: number;
  /** The list of now. */
  readonly list: PairingList | undefined;
  /** The policy is another one: the list is drawn anew in any case. */
  readonly isNewWish?: boolean;
}

/** What became of it. */
export type Renewed =
  /** It is as it should be. */
  | { readonly kind: "kept" }
  /** An epoch or a policy began. */
  | { readonly kind: "made"; readonly list: PairingList }
  /** Providers have left, and enough are still there. */
  | { readonly kind: "thinned"; readonly list: PairingList }
  /** Too few were left. */
  | { readonly kind: "repaired"; readonly list: PairingList }
  /** The market is not served now, or the wish cannot be followed: what there is stays. */
  | { readonly kind: "refused"; readonly refusal: Refusal };

/** Looking at one list, a step at a time; what is between two steps may change the market. */
export type Renewing = Generator<undefined, Renewed, undefined>;

/** Looks at one list, and makes the one that should be there instead. */
export function* renew(renewal: Renewal): Renewing {
  const { book, market, list, epoch, isNewWish, settings } = renewal;
  const found = book.find(market);
  if (!found.ok && found.refusal.code !== "PAIRING_UNKNOWN_MARKET") {
    return { kind: "refused", refusal: found.refusal };
  }
  if (list === undefined || list.epoch !== epoch.number || isNewWish === true) {
    return yield* drawn(renewal, "made");
  }
  if (!found.ok) return list.ids.length === 0 ? KEPT : yield* drawn(renewal, "repaired");
  const { index } = found.value.store;
  if (index.version === list.version) return KEPT;
  const left = without(list, index.version, (address) => index.rowOf(address) !== undefined);
  if (left.members.size < settings.minLive) return yield* drawn(renewal, "repaired");
  return left === list ? KEPT : { kind: "thinned", list: left };
}

const KEPT: Renewed = { kind: "kept" };

/** Draws the list of this epoch. */
function* drawn(renewal: Renewal, kind: "made" | "repaired"): Renewing {
  const { book, settings, consumer, chain, market, wish, epoch, nowMs, list } = renewal;
  const found = book.find(market);
  const rank = (request: PairRequest): Reply<PairingResult> => {
    const now = book.find(market);
    return now.ok ? now.value.pairOnce(request) : now;
  };
  const place = { consumer, chain, epoch: epoch.number };
  const top = wish.top ?? (found.ok ? found.value.plans.defaults.top : 1);
  const whole = { ...wish, top, mode: wish.mode ?? settings.mode };
  const reply = found.ok
    ? yield* drawing(rank, whole, place)
    : ({ ok: true, value: NOBODY } as const);
  if (!reply.ok) return { kind: "refused", refusal: reply.refusal };
  const revision = list?.epoch === epoch.number ? list.revision + 1 : 0;
  const { onExhausted } = settings;
  const made = { place, epoch, market, wish: whole, drawn: reply.value, onExhausted, revision };
  const next = listOf({ ...made, nowMs });
  // A market that changes all the time and still has nobody makes no news.
  const isSame = list?.key === next.key && list.blockedBy === next.blockedBy;
  return kind === "repaired" && isSame ? KEPT : { kind, list: next };
}
