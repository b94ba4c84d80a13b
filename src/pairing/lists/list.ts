/** A consumer's list of an epoch: the providers that may serve it on one chain. */
import { hash } from "node:crypto";
import type { Drawn, Place, Wish } from "./draw.ts";
import { seedOf } from "./draw.ts";
import type { Epoch } from "./epoch.ts";
import type { PairedProvider } from "../protocol.ts";

/** What is done when nobody of a list can serve. */
export type OnExhausted = "error" | "market";

/** One list. It is immutable: a change is another list. */
export interface PairingList extends Place {
  readonly market: string;
  /** The version of the market that it was drawn from; 0 where there was no market. */
  readonly version: number;
  /** Counts up within an epoch: a policy was changed, providers were lost. */
  readonly revision: number;
  readonly seed: string;
  readonly mode: Wish["mode"];
  readonly top: number;
  /** Everybody drawn, best first. */
  readonly ids: readonly string[];
  /** Those of them that have not left the market since. */
  readonly members: ReadonlySet<string>;
  readonly picks: readonly PairedProvider[];
  readonly filteredCount: number;
  readonly blockedBy: string | undefined;
  readonly onExhausted: OnExhausted;
  /** Equal where the same providers may serve in the same way, whoever the consumer is. */
  readonly key: string;
  /** Wall-clock ms. */
  readonly madeAtMs: number;
  /** When the next one is due: wall-clock ms, or a block. It stays valid until that one is there. */
  readonly validUntilMs: number | undefined;
  readonly validUntilBlock: number | undefined;
}

/** What a list is made of. */
export interface ListMaterial {
  readonly place: Place;
  readonly epoch: Epoch;
  readonly market: string;
  readonly wish: Pick<Wish, "mode" | "top">;
  readonly drawn: Drawn;
  readonly onExhausted: OnExhausted;
  readonly revision: number;
  readonly nowMs: number;
}

/** Makes a list of what was drawn. */
export function listOf(material: ListMaterial): PairingList {
  const { place, epoch, market, wish, drawn, onExhausted, revision, nowMs } = material;
  const ids = drawn.picks.map(({ address }) => address);
  return {
    ...place,
    market,
    version: drawn.version,
    revision,
    seed: seedOf(place),
    mode: wish.mode,
    top: wish.top,
    ids,
    members: new Set(ids),
    picks: drawn.picks,
    filteredCount: drawn.filteredCount,
    blockedBy: drawn.blockedBy,
    onExhausted,
    key: keyOf(ids, onExhausted),
    madeAtMs: nowMs,
    validUntilMs: epoch.endsAtMs,
    validUntilBlock: epoch.endsAtBlock,
  };
}

/** The same list without those that have left the market; the very list while all are there. */
export function without(
  list: PairingList,
  version: number,
  isThere: (address: string) => boolean,
): PairingList {
  const left = list.ids.filter(isThere);
  if (left.length === list.members.size && left.every((id) => list.members.has(id))) return list;
  const key = keyOf(left, list.onExhausted);
  return { ...list, version, members: new Set(left), key, revision: list.revision + 1 };
}

/** Nothing is drawn where there is no market. */
export const NOBODY: Drawn = { version: 0, filteredCount: 0, picks: [], blockedBy: "market" };

const keyOf = (ids: readonly string[], onExhausted: OnExhausted): string =>
  hash("sha256", JSON.stringify([onExhausted, ids.toSorted()]), "base64url").slice(0, KEY_CHARS);

/** 132 bits: nobody finds two lists of one key. */
const KEY_CHARS = 22;
