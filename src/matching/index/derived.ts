/**
 * What is made of a market for speed and kept in step with it: static orders and score boards. Making
 * one of a large market takes seconds, so it is done some steps at a time: with each match that asks for
 * it, and by the owner in between. Until it is whole a match does without.
 */
import type { Column } from "./columns.ts";
import { keyOfParts, type Part } from "./part.ts";
import { type BoundedSums, ScoreBoard } from "./score-board.ts";
import { type Ranked, type RankOrder, StaticOrder } from "./static-order.ts";

/** Most orders and most boards of a market. */
export const MAX_DERIVED = 8;
/** Steps of about 20 ns. */
interface Pace {
  /** At once for the first match that asks, where that is enough. */
  readonly first: number;
  /** For each further match, and for the first one in a larger market. */
  readonly match: number;
}

const PACE: Pace = { first: 262_144, match: 8_192 };
/** An order of so many rows is whole after the first steps. */
const FIRST_ROWS = 10_000;
/** One that no match has used for so many matches makes room for another. */
const IDLE_MATCHES = 1_000;

interface Market extends Ranked {
  structure: number;
}

/** An order or a board. */
interface Making {
  usedAt: number;
  readonly isReady: boolean;
  /** Layouts that it had; a board has none. */
  readonly generation?: number;
  step(steps: number): number;
}

/** What a match asks for. */
export interface DerivedView {
  readonly order: (parts: readonly Part[]) => RankOrder | undefined;
  readonly board: (parts: readonly Part[]) => BoundedSums | undefined;
  readonly hasOrder: (parts: readonly Part[]) => boolean;
  readonly use: (read: { usedAt: number } | undefined) => void;
}

/** The orders and boards of one market, made when a plan first asks for them. */
export class Derived implements DerivedView {
  /** What a match does towards what it asks for. */
  pace = PACE;
  readonly #market: Market;
  readonly #orders = new Map<string, StaticOrder>();
  readonly #boards = new Map<string, ScoreBoard>();
  #matches = 0;
  /** Layouts of orders that are no longer kept. */
  #dropped = 0;

  constructor(market: Market) {
    this.#market = market;
  }

  /** The rows by the sum of `parts`; `undefined` while it is made, or with too many orders in use. */
  order(parts: readonly Part[]): StaticOrder | undefined {
    return this.#known(this.#orders, parts, () => new StaticOrder(this.#market, parts));
  }

  /** Whether the order of `parts` is there or being made. */
  hasOrder(parts: readonly Part[]): boolean {
    return this.#orders.has(keyOfParts(parts));
  }

  /** The sums of `parts` with their maxima, likewise. */
  board(parts: readonly Part[]): ScoreBoard | undefined {
    return this.#known(this.#boards, parts, () => new ScoreBoard(this.#market, parts));
  }

  /** All orders that can be read. */
  get orders(): Iterable<StaticOrder> {
    return [...this.#orders.values()].filter(({ isReady }) => isReady);
  }

  /** All boards that can be read. */
  get boards(): Iterable<ScoreBoard> {
    return [...this.#boards.values()].filter(({ isReady }) => isReady);
  }

  /** Whether something is being made. */
  get isMaking(): boolean {
    for (const { isMerging } of this.#orders.values()) if (isMerging) return true;
    for (const { isReady } of this.#boards.values()) if (!isReady) return true;
    return false;
  }

  /** Layouts of orders that became whole so far, of those that are dropped as well. */
  get rebuilds(): number {
    return this.#dropped + layoutsOf(this.#orders.values());
  }

  /** Goes on with what is being made for about so many steps; false when nothing is left to do. */
  advance(steps: number): boolean {
    let left = steps;
    for (const board of this.#boards.values()) left = left > 0 ? board.step(left) : 0;
    for (const order of this.#orders.values()) left = left > 0 ? order.step(left) : 0;
    return this.isMaking;
  }

  /** Forgets all of them: cheaper than keeping step with a large load. */
  forget(): void {
    this.#dropped = this.rebuilds;
    this.#orders.clear();
    this.#boards.clear();
    this.#market.structure++;
  }

  /** A match is about to read an order or a board. */
  use(read: { usedAt: number } | undefined): void {
    this.#matches++;
    if (read !== undefined) read.usedAt = this.#matches;
  }

  /** A row is new, or anything of it may be. */
  moved(row: number): void {
    for (const order of this.#orders.values()) order.move(row);
    for (const board of this.#boards.values()) board.refresh(row);
  }

  /** One number of a row is new. */
  changed(row: number, column: Column): void {
    if (this.#orders.size + this.#boards.size === 0) return;
    const reads = ({ column: name }: Part): boolean => name === column.name;
    for (const order of this.#orders.values()) if (order.parts.some(reads)) order.move(row);
    for (const board of this.#boards.values()) {
      if (!board.parts.some(reads)) continue;
      if (column.isFact) board.refresh(row);
      else board.refreshSignals(row);
    }
  }

  /** A row is gone. */
  removed(row: number): void {
    for (const order of this.#orders.values()) order.remove(row);
    for (const board of this.#boards.values()) board.remove(row);
  }

  /** A row has gained or lost a label. */
  flip(slot: number, row: number, on: boolean): void {
    for (const order of this.#orders.values()) order.flip(slot, row, on);
  }

  /** The market has one more bitset. */
  addSlot(): void {
    for (const order of this.#orders.values()) order.addSlot();
  }

  /** The market has room for more rows. */
  grow(rows: number): void {
    for (const order of this.#orders.values()) order.grow(rows);
    for (const board of this.#boards.values()) board.grow(rows);
  }

  #known<T extends Making>(
    kept: Map<string, T>,
    parts: readonly Part[],
    make: () => T,
  ): T | undefined {
    const key = keyOfParts(parts);
    const known = kept.get(key);
    if (known?.isReady === true) return known;
    if (known === undefined && kept.size >= MAX_DERIVED && !this.#makeRoom(kept)) return undefined;
    const made = known ?? make();
    made.usedAt = this.#matches;
    kept.set(key, made);
    const isShort = known === undefined && this.#market.ids.length <= FIRST_ROWS;
    made.step(isShort ? this.pace.first : this.pace.match);
    return made.isReady ? made : undefined;
  }

  #makeRoom(kept: Map<string, Making>): boolean {
    const [oldest] = [...kept].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    if (oldest === undefined || oldest[1].usedAt + IDLE_MATCHES > this.#matches) return false;
    // Plans that hold it look their orders and boards up anew.
    this.#market.structure++;
    this.#dropped += layoutsOf([oldest[1]]);
    return kept.delete(oldest[0]);
  }
}

const layoutsOf = (made: Iterable<Making>): number => {
  let sum = 0;
  for (const { generation = 0 } of made) sum += generation;
  return sum;
};
