/**
 * A market: its providers as columns and bitsets by row, with the orders and boards made of them. One
 * owner writes; a match reads synchronously, hence one version. Writes are O(1)-ish: a label is one bit
 * a copy, a signal one number and one sum a board, a stake one entry among the moved rows.
 */
import { hasBit } from "../../lib/bits.ts";
import {
  MAX_LABELS,
  MAX_ROWS,
  type MarketSchema,
  normalLabel,
  type Provider,
  providerFault,
} from "../provider.ts";
import { ALIVE, BitTable } from "./bit-table.ts";
import { Column, StakeColumn } from "./columns.ts";
import { copied } from "./copied.ts";
import { Derived } from "./derived.ts";
import { IdTable } from "./id-table.ts";
import { Labels } from "./labels.ts";
import { type Memory, OWN_MEMORY } from "./memory.ts";
import { Owners } from "./owners.ts";

/** What became of a provider that was put. */
export type PutResult =
  | { readonly ok: true; readonly row: number }
  | { readonly ok: false; readonly message: string };

const FIRST_ROWS = 64;

/** The index of one market. */
export class ProviderIndex {
  readonly schema: MarketSchema;
  readonly memory: Memory;
  readonly bits: BitTable;
  readonly locations: Labels;
  readonly features: Labels;
  readonly states: Labels;
  readonly owners = new Owners();
  readonly stakes: StakeColumn;
  readonly columns: ReadonlyMap<string, Column>;
  readonly names: IdTable;
  /** By row. */
  readonly ids: readonly string[];
  readonly derived: Derived;
  /** Counts changes where other threads see it; it rises before a change begins. */
  readonly clock: Int32Array | undefined;
  locationOf: Uint8Array;
  featureCount: Uint16Array;
  capacity = FIRST_ROWS;
  /** Providers held. */
  size = 0;
  /** Changes with every provider, label, stake or fact. */
  version = 0;
  /** Changes with every signal. */
  signalVersion = 0;
  /** How often a provider was refused for a label that there is no room for, by kind of label. */
  readonly crowded = new Map<string, number>();
  /** Changes when plans must look up their bitsets and columns anew. */
  structure = 0;
  readonly #free: number[] = [];

  constructor(schema: MarketSchema, memory = OWN_MEMORY) {
    this.schema = schema;
    this.memory = memory;
    this.bits = new BitTable(memory, FIRST_ROWS);
    this.locations = new Labels("location", this.bits, MAX_LABELS.location);
    this.features = new Labels("feature", this.bits, MAX_LABELS.feature);
    this.states = new Labels("state", this.bits, MAX_LABELS.state);
    this.stakes = new StakeColumn(memory, FIRST_ROWS);
    this.names = new IdTable(memory, FIRST_ROWS);
    this.ids = this.names.ids;
    this.clock = memory.isShared ? memory.int32(1) : undefined;
    this.locationOf = memory.uint8(FIRST_ROWS);
    this.featureCount = memory.uint16(FIRST_ROWS);
    const columnOf = (isFact: boolean) => (name: string) =>
      [name, new Column(name, isFact, memory, FIRST_ROWS)] as const;
    this.columns = new Map([
      ...(schema.facts ?? []).map(columnOf(true)),
      ...(schema.signals ?? []).map(columnOf(false)),
    ]);
    this.derived = new Derived(this);
  }

  /** The row of a provider. It stays until the provider is removed. */
  rowOf(id: string): number | undefined {
    return this.names.rowOf(id);
  }

  /** Adds a provider, or replaces the one of its id. */
  put(provider: Provider): PutResult {
    const features = [...new Set((provider.features ?? []).map(normalLabel))];
    const states = [...new Set((provider.states ?? []).map(normalLabel))];
    const message = this.#faultOf(provider, features, states);
    if (message !== undefined) return { ok: false, message };
    this.#begin();
    const known = this.names.rowOf(provider.id);
    const row = known ?? this.#newRow(provider.id);
    this.owners.put(row, provider.owner);
    this.#relocate(row, provider.location ?? "", known !== undefined);
    this.#relabel(this.features, row, features, known !== undefined);
    this.#relabel(this.states, row, states, known !== undefined);
    this.featureCount[row] = features.length;
    this.stakes.put(row, provider.stake ?? 0n);
    for (const column of this.columns.values()) {
      column.values[row] = provider.values?.[column.name] ?? Number.NaN;
    }
    this.#flip(ALIVE, row, true);
    this.derived.moved(row);
    this.version++;
    return { ok: true, row };
  }

  /** Takes a provider out; false when it was not there. */
  remove(id: string): boolean {
    const row = this.names.rowOf(id);
    if (row === undefined) return false;
    this.#begin();
    this.owners.put(row, undefined);
    this.#flip(this.locations.slots[this.locationOf[row] as number] as number, row, false);
    this.#relabel(this.features, row, [], true);
    this.#relabel(this.states, row, [], true);
    this.#flip(ALIVE, row, false);
    this.derived.removed(row);
    this.names.remove(row);
    this.#free.push(row);
    this.size--;
    this.version++;
    return true;
  }

  /** Writes one number of a row; NaN for unknown. */
  setValue(row: number, column: Column, value: number): void {
    if (Object.is(column.values[row], value)) return;
    this.#begin();
    column.values[row] = value;
    if (column.isFact) this.version++;
    else this.signalVersion++;
    this.derived.changed(row, column);
  }

  /** Writes one column of several rows; `values` are in their order. */
  setValues(column: Column, rows: readonly number[], values: readonly number[]): void {
    this.#begin();
    let isNew = false;
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i] as number;
      const value = values[i] as number;
      if (Object.is(column.values[row], value)) continue;
      column.values[row] = value;
      this.derived.changed(row, column);
      isNew = true;
    }
    if (!isNew) return;
    if (column.isFact) this.version++;
    else this.signalVersion++;
  }

  /** Writes the stake of a row. */
  setStake(row: number, stake: bigint): void {
    this.#begin();
    if (!this.stakes.put(row, stake)) return;
    this.version++;
    this.derived.moved(row);
  }

  /** Puts a row into a state or takes it out; false when there is no room for another state. */
  setState(row: number, state: string, on: boolean): boolean {
    this.#begin();
    const name = normalLabel(state);
    let slot = this.states.slotOf(name);
    if (slot === undefined) {
      if (!on) return true;
      if (this.states.room === 0) return false;
      slot = this.#slotFor(this.states, name);
    }
    if (this.#flip(slot, row, on)) this.version++;
    return true;
  }

  /** What is known of a row, as a provider; labels come in their compared form. */
  providerAt(row: number): Provider {
    const owner = this.owners.of(row);
    const values = [...this.columns.values()].flatMap(({ name, values: column }) =>
      Number.isNaN(column[row]) ? [] : [[name, column[row] as number] as const],
    );
    return {
      id: this.ids[row] as string,
      ...(owner === undefined ? {} : { owner }),
      location: this.locationAt(row),
      features: this.features.of(row),
      stake: this.stakes.at(row),
      states: this.states.of(row),
      values: Object.fromEntries(values),
    };
  }

  /** Where a row is. */
  locationAt(row: number): string {
    return this.locations.names[this.locationOf[row] as number] ?? "";
  }

  /** All rows that hold a provider, in no meaningful order. */
  *rows(): Generator<number, void, undefined> {
    const alive = this.bits.words[ALIVE] as Int32Array;
    for (let row = 0; row < this.ids.length; row++) if (hasBit(alive, row)) yield row;
  }

  /** A change begins: whoever reads meanwhile in another thread must not believe it. */
  #begin(): void {
    if (this.clock !== undefined) Atomics.add(this.clock, 0, 1);
  }

  #faultOf(provider: Provider, features: readonly string[], states: readonly string[]) {
    const fault = providerFault(provider, this.schema);
    if (fault !== undefined) return fault;
    const most = this.schema.maxRows ?? MAX_ROWS;
    if (this.size >= most && this.names.rowOf(provider.id) === undefined)
      return `the market is full: ${most} providers`;
    const full = (
      [
        [this.locations, [provider.location ?? ""]],
        [this.features, features],
        [this.states, states],
      ] as const
    ).find(([labels, names]) => {
      const missing = labels.missing(names);
      return missing > 0 && missing > labels.room;
    });
    if (full === undefined) return undefined;
    const [{ kind }, names] = full;
    this.crowded.set(kind, (this.crowded.get(kind) ?? 0) + 1);
    return `no room for another ${kind}: ${names.join(", ")}`;
  }

  #newRow(id: string): number {
    const row = this.#free.pop() ?? this.ids.length;
    if (row >= this.capacity) this.#grow(this.capacity * 2);
    this.names.put(id, row);
    this.size++;
    return row;
  }

  #relocate(row: number, location: string, isKnown: boolean): void {
    const slot = this.locations.slotOf(location) ?? this.#slotFor(this.locations, location);
    const old = this.locations.slots[this.locationOf[row] as number] as number;
    if (isKnown && old !== slot) this.#flip(old, row, false);
    this.locationOf[row] = this.locations.codeOf(location) as number;
    this.#flip(slot, row, true);
  }

  #relabel(labels: Labels, row: number, names: readonly string[], isKnown: boolean): void {
    const slots = names.map((name) => labels.slotOf(name) ?? this.#slotFor(labels, name));
    if (isKnown)
      for (const slot of labels.slots) if (!slots.includes(slot)) this.#flip(slot, row, false);
    for (const slot of slots) this.#flip(slot, row, true);
  }

  /** The bitset of a new label, for which there is room. */
  #slotFor(labels: Labels, name: string): number {
    const before = this.bits.words.length;
    const code = labels.add(name);
    if (this.bits.words.length > before) this.derived.addSlot();
    this.structure++;
    return labels.slots[code] as number;
  }

  #flip(slot: number, row: number, on: boolean): boolean {
    const isNew = this.bits.put(slot, row, on);
    if (isNew) this.derived.flip(slot, row, on);
    return isNew;
  }

  #grow(rows: number): void {
    this.capacity = rows;
    this.bits.grow(rows);
    this.stakes.grow(rows);
    for (const column of this.columns.values()) column.grow(rows);
    this.locationOf = copied(this.locationOf, this.memory.uint8(rows));
    this.featureCount = copied(this.featureCount, this.memory.uint16(rows));
    this.names.grow(rows);
    this.derived.grow(rows);
    this.structure++;
  }
}
