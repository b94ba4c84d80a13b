/** A dictionary of one kind of label: each has a code and a bitset; what nobody has any more is reused. */
import type { BitTable } from "./bit-table.ts";

/** Locations, features or states of a market. */
export class Labels {
  readonly kind: string;
  /** By code; a reused code has a new name. */
  readonly names: string[] = [];
  /** The bitset of each code. */
  readonly slots: number[] = [];
  readonly #codes = new Map<string, number>();
  readonly #bits: BitTable;
  readonly #most: number;

  constructor(kind: string, bits: BitTable, most: number) {
    this.kind = kind;
    this.#bits = bits;
    this.#most = most;
  }

  /** Labels that are there already. */
  static over(
    kind: string,
    bits: BitTable,
    names: readonly string[],
    slots: readonly number[],
  ): Labels {
    const labels = new Labels(kind, bits, names.length);
    labels.names.push(...names);
    labels.slots.push(...slots);
    for (const [code, name] of names.entries()) labels.#codes.set(name, code);
    return labels;
  }

  /** The code of a label that somebody has or had. */
  codeOf(name: string): number | undefined {
    return this.#codes.get(name);
  }

  /** The bitset of a label, or `undefined` when nobody ever had it. */
  slotOf(name: string): number | undefined {
    const code = this.#codes.get(name);
    return code === undefined ? undefined : this.slots[code];
  }

  /** How many of `names` have no code yet. */
  missing(names: readonly string[]): number {
    return names.reduce((sum, name) => sum + (this.#codes.has(name) ? 0 : 1), 0);
  }

  /** Codes that can still be given. */
  get room(): number {
    const unused = this.slots.reduce(
      (sum, slot) => sum + (this.#bits.counts[slot] === 0 ? 1 : 0),
      0,
    );
    return this.#most - this.names.length + unused;
  }

  /** Gives a new label a code; the caller has made sure of room. */
  add(name: string): number {
    let code = this.names.length;
    if (code === this.#most) {
      code = this.slots.findIndex((slot) => this.#bits.counts[slot] === 0);
      this.#codes.delete(this.names[code] as string);
    } else this.slots.push(this.#bits.addSlot());
    this.names[code] = name;
    this.#codes.set(name, code);
    return code;
  }

  /** The labels of one row. */
  of(row: number): string[] {
    return this.names.filter((_, code) => this.#bits.has(this.slots[code] as number, row));
  }
}
