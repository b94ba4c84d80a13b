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

/** Beginnings of a list whose market changes while it is drawn; the last one is drawn to its end. */
const MOST_BEGINNINGS = 4;

/** Draws a list at once. */
export function drawList(rank: Ranker, wish: Wish, place: Place): Reply<Drawn> {
  const steps = drawing(rank, wish, place);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/**
 * Draws a list, one ranking of the market a step: of a large one they take long. When the market
 * changes between two of them it begins anew, so that a list is of one version. In a market that never
 * rests the draws may be of several: the list has the version of the first, and who has left since is
 * missed when the list is looked at next.
 */
export function* drawing(
  rank: Ranker,
  wish: Wish,
  place: Place,
): Generator<undefined, Reply<Drawn>, undefined> {
  for (let left = MOST_BEGINNINGS; ; left--) {
    const drawn = yield* drawOnce(rank, wish, place, left > 1);
    if (drawn !== undefined) return drawn;
    yield;
  }
}

/** Undefined when the market has changed and that matters. */
function* drawOnce(
  rank: Ranker,
  { mode, top, ...asked }: Wish,
  place: Place,
  isStrict: boolean,
): Generator<undefined, Reply<Drawn> | undefined, undefined> {
  const begin = place.epoch - top + 1;
  const drawIn = (epoch: number): Reply<PairingResult> =>
    rank({ ...asked, top, mode, seed: seedOf({ ...place, epoch }) });
  const first = drawIn(mode === "top" ? place.epoch : begin);
  if (mode === "top") return shown(first);
  const won = new Map<string, PairedProvider>();
  for (let drawn = first, epoch = begin; ; drawn = drawIn(++epoch)) {
    if (!drawn.ok) return drawn;
    if (!first.ok) return first;
    if (isStrict && drawn.value.version !== first.value.version) return undefined;
    const next = drawn.value.topProviders.find(({ address }) => !won.has(address));
    if (next !== undefined) won.set(next.address, next);
    // Who is among none of k picks is not there: the market is smaller than the list.
    if (next === undefined || epoch >= place.epoch) {
      const { version } = first.value;
      return shown(
        { ok: true, value: { ...drawn.value, version } },
        [...won.values()].toSorted(byScore),
      );
    }
    yield;
  }
}

const byScore = (a: PairedProvider, b: PairedProvider): number =>
  b.score - a.score || (a.address < b.address ? -1 : 1);

const shown = (result: Reply<PairingResult>, picks?: readonly PairedProvider[]): Reply<Drawn> => {
  if (!result.ok) return result;
  const { version, filteredCount, topProviders, blockedBy } = result.value;
  return { ok: true, value: { version, filteredCount, picks: picks ?? topProviders, blockedBy } };
};
