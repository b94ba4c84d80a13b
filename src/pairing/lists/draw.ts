/**
 * Who is in a list. Nothing but epoch, consumer, chain, wish and market decides it: no list that was
 * made before, no order in which providers came. So regions agree without asking one another.
 *
 * A weighted list of k is what the seeds of the last k epochs draw, one provider each. An epoch brings
 * one draw and drops one, so consumers turn through the market while k - 1 of their providers stay. A
 * provider that leaves changes only the draws that it had won (rendezvous hashing).
 */
import { fnv64Hex } from "../../lib/fnv64.ts";
import type { PairedProvider, PairingResult, PairRequest, Reply } from "../protocol.ts";

/** Whom a list is for, and when. */
export interface Place {
  readonly consumer: string;
  readonly chain: string;
  readonly epoch: number;
}

/** What a consumer asks for. Without `seed` and `explain`, which are not its to say. */
export type Wish = Omit<PairRequest, "seed" | "explain" | "mode" | "top"> & {
  readonly mode: "top" | "weighted";
  readonly top: number;
};

/** Ranks the market once. */
export type Ranker = (request: PairRequest) => Reply<PairingResult>;

/** Who was drawn, best first. */
export interface Drawn {
  readonly version: number;
  /** Providers that satisfy the policy. */
  readonly filteredCount: number;
  readonly picks: readonly PairedProvider[];
  /** What keeps most away; only where nobody is left. */
  readonly blockedBy: string | undefined;
}

/** The seed of a consumer's epoch. */
export const seedOf = ({ consumer, chain, epoch }: Place): string =>
  fnv64Hex(JSON.stringify([epoch, chain, consumer]));

/** Draws a list. */
export function drawList(rank: Ranker, wish: Wish, place: Place): Reply<Drawn> {
  const { mode, top, ...asked } = wish;
  const first = place.epoch - top + 1;
  const drawIn = (epoch: number): Reply<PairingResult> =>
    rank({ ...asked, top, mode, seed: seedOf({ ...place, epoch }) });
  let drawn = drawIn(mode === "top" ? place.epoch : first);
  if (mode === "top") return shown(drawn);
  const won = new Map<string, PairedProvider>();
  for (let epoch = first; ; drawn = drawIn(++epoch)) {
    if (!drawn.ok) return drawn;
    const next = drawn.value.topProviders.find(({ address }) => !won.has(address));
    if (next !== undefined) won.set(next.address, next);
    // Who is among none of k picks is not there: the market is smaller than the list.
    if (next === undefined || epoch >= place.epoch) break;
  }
  return shown(drawn, [...won.values()].toSorted(byScore));
}

const byScore = (a: PairedProvider, b: PairedProvider): number =>
  b.score - a.score || (a.address < b.address ? -1 : 1);

const shown = (result: Reply<PairingResult>, picks?: readonly PairedProvider[]): Reply<Drawn> => {
  if (!result.ok) return result;
  const { version, filteredCount, topProviders, blockedBy } = result.value;
  return { ok: true, value: { version, filteredCount, picks: picks ?? topProviders, blockedBy } };
};
