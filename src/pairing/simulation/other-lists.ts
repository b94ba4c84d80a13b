/** Lists as they would be drawn if every consumer asked otherwise, beside those that are drawn. */
import type { Parsed } from "../fault.ts";
import { drawList, type Drawn, type Place, type Wish } from "../lists/draw.ts";
import type { PairingMarket } from "../market.ts";
import type { ConsumerPolicy, Fault, PairedProvider } from "../protocol.ts";
import { below, changedRequest } from "../what-if/change.ts";

/** How often a provider is in lists, and in the others. */
export interface OtherShare {
  readonly address: string;
  readonly picks: number;
  readonly otherPicks: number;
}

/** What came of the comparison, over all epochs. Shares are 0..1. */
export interface OtherReport {
  /** Lists with other members, or the same in another order. */
  readonly changedLists: number;
  /** Members of the other lists that their lists do not have. */
  readonly otherMembers: number;
  /** Other lists with nobody, by the filter that keeps most away. */
  readonly empty: Readonly<Record<string, number>>;
  /** Those whose picks differ most. */
  readonly shares: readonly OtherShare[];
}

const MOST_SHARES = 10;

/** The wish of a consumer with a change, or what is wrong with it. */
export function changedWish(wish: Wish, change: unknown): Parsed<Wish> {
  const changed = changedRequest(wish, change);
  if (!changed.ok) return changed;
  const { seed, mode = wish.mode, top = wish.top, explain: _, ...rest } = changed.value;
  const faults: Fault[] = [];
  if (seed !== undefined) faults.push({ path: below("seed"), message: "the epoch gives it" });
  if (mode === "roundRobin") {
    faults.push({ path: below("mode"), message: "of a list: top or weighted" });
  }
  return faults.length > 0 || mode === "roundRobin"
    ? { ok: false, faults }
    : { ok: true, value: { ...rest, mode, top } };
}

/** Compares list by list. */
export class OtherLists {
  readonly #market: PairingMarket;
  readonly #wishes: readonly Wish[];
  readonly #empty = new Map<string, number>();
  readonly #picked = new Map<string, { picks: number; otherPicks: number }>();
  #lists = 0;
  #changed = 0;
  #members = 0;
  #fresh = 0;

  private constructor(market: PairingMarket, wishes: readonly Wish[]) {
    this.#market = market;
    this.#wishes = wishes;
  }

  /** Makes the comparison for consumers with these policies, or says what is wrong with the change. */
  static of(
    market: PairingMarket,
    policies: readonly ConsumerPolicy[],
    usual: Omit<Wish, "policy">,
    change: unknown,
  ): Parsed<OtherLists> {
    const wishes: Wish[] = [];
    for (const policy of policies) {
      const changed = changedWish({ ...usual, policy }, change);
      if (!changed.ok) return changed;
      wishes.push(changed.value);
    }
    const [first] = wishes;
    const checked = first === undefined ? undefined : market.check(first);
    if (checked === undefined || checked.ok) {
      return { ok: true, value: new OtherLists(market, wishes) };
    }
    const faults = checked.refusal.faults ?? [];
    return { ok: false, faults: faults.map((one) => ({ ...one, path: below(one.path) })) };
  }

  /** A list was drawn for a consumer; its other list is drawn beside it. */
  compare(consumer: number, place: Place, picks: readonly PairedProvider[]): void {
    const other = this.#draw(this.#wishes[consumer] as Wish, place);
    const known = new Set(picks.map(({ address }) => address));
    this.#lists++;
    this.#members += other.length;
    for (const { address } of other) if (!known.has(address)) this.#fresh++;
    const isSame =
      other.length === picks.length &&
      other.every(({ address }, i) => address === picks[i]?.address);
    if (!isSame) this.#changed++;
    for (const { address } of picks) this.#countOf(address).picks++;
    for (const { address } of other) this.#countOf(address).otherPicks++;
  }

  report(): OtherReport {
    const gap = ({ picks, otherPicks }: OtherShare): number => Math.abs(otherPicks - picks);
    const shares = [...this.#picked].map(([address, count]) => ({ address, ...count }));
    return {
      changedLists: this.#changed / Math.max(1, this.#lists),
      otherMembers: this.#fresh / Math.max(1, this.#members),
      empty: Object.fromEntries(this.#empty),
      shares: shares
        .filter((share) => gap(share) > 0)
        .toSorted((a, b) => gap(b) - gap(a) || (a.address < b.address ? -1 : 1))
        .slice(0, MOST_SHARES),
    };
  }

  #draw(wish: Wish, place: Place): Drawn["picks"] {
    const drawn = drawList((request) => this.#market.pairOnce(request), wish, place);
    if (!drawn.ok) throw new Error(`a checked change was refused: ${drawn.refusal.message}`);
    const { picks, blockedBy = "none" } = drawn.value;
    if (picks.length === 0) this.#empty.set(blockedBy, (this.#empty.get(blockedBy) ?? 0) + 1);
    return picks;
  }

  #countOf(address: string): { picks: number; otherPicks: number } {
    const known = this.#picked.get(address);
    if (known !== undefined) return known;
    const count = { picks: 0, otherPicks: 0 };
    this.#picked.set(address, count);
    return count;
  }
}
