/** One topic that regions share: what this one writes, and replicas of what the others write. */
import { isCount } from "../lib/count.ts";
import {
  type Change,
  MAX_KEY_CHARS,
  MAX_KEYS,
  MAX_PARTS,
  OwnMap,
  type Portion,
} from "./own-map.ts";
import type { Speaker } from "./protocol.ts";
import { emptyReplica, type Entry, isLater, join, type Replica } from "./replica.ts";

/** A whole map whose parts are still arriving. */
interface Assembly<V> {
  readonly to: number;
  readonly parts: (readonly Change<V>[] | undefined)[];
  missing: number;
  /** Changes so far. */
  size: number;
}

interface Known<V> {
  replica: Replica<V>;
  /** Every change up to this one has arrived. */
  through: number;
  assembly: Assembly<V> | undefined;
}

/** Checks a value of another region; undefined when it is none. */
export type ReadValue<V> = (value: unknown) => V | undefined;

/** A replica may hold so many entries, deletions included; beyond it waits for the next whole map. */
const MAX_ENTRIES = 2 * MAX_KEYS;

/** One topic. */
export class SharedMap<V> {
  readonly own = new OwnMap<V>();
  readonly #known = new Map<string, Known<V>>();
  readonly #read: ReadValue<V>;

  constructor(read: ReadValue<V>) {
    this.#read = read;
  }

  /** Takes what another region said; false when it makes no sense. */
  take(speaker: Speaker, payload: unknown): boolean {
    const portion = this.#portionOf(payload);
    if (portion === undefined) return false;
    const known = this.#of(speaker);
    if (isLater(known.replica, speaker)) return true;
    const { form, to, changes } = portion;
    if (form === "delta") {
      if (known.replica.entries.size + changes.length > MAX_ENTRIES) return true;
      known.replica = join(known.replica, pieceOf(speaker, 0, changes));
      // A hole stays a hole until the whole map comes.
      if (portion.from <= known.through) known.through = Math.max(known.through, to);
      return true;
    }
    const all = assembled(known, portion);
    if (all === undefined) return true;
    if (all.length > MAX_KEYS) return false;
    known.replica = join(known.replica, pieceOf(speaker, to, all));
    known.through = Math.max(known.through, to);
    return true;
  }

  /** How much of an instance's changes has arrived. */
  through(speaker: Speaker): number {
    const known = this.#known.get(speaker.region);
    return known === undefined || isOther(known.replica, speaker) ? 0 : known.through;
  }

  /** Entries of another region; undefined when nothing is known of it. */
  entriesOf(region: string): ReadonlyMap<string, Entry<V>> | undefined {
    return this.#known.get(region)?.replica.entries;
  }

  /** Live entries of another region. */
  sizeOf(region: string): number {
    let size = 0;
    for (const { value } of this.entriesOf(region)?.values() ?? []) if (value !== undefined) size++;
    return size;
  }

  regions(): readonly string[] {
    return [...this.#known.keys()];
  }

  /** Forgets a region that is gone. */
  forget(region: string): void {
    this.#known.delete(region);
  }

  #of(speaker: Speaker): Known<V> {
    const known = this.#known.get(speaker.region);
    if (known !== undefined && !isLater(speaker, known.replica)) return known;
    const fresh = { replica: emptyReplica<V>(speaker), through: 0, assembly: undefined };
    this.#known.set(speaker.region, fresh);
    return fresh;
  }

  #portionOf(payload: unknown): Portion<V> | undefined {
    if (typeof payload !== "object" || payload === null) return undefined;
    const { form, from, to, part, parts, changes } = payload as Record<string, unknown>;
    if (!isCount(to) || !Array.isArray(changes)) return undefined;
    const read: Change<V>[] = [];
    for (const change of changes as readonly unknown[]) {
      const one = this.#changeOf(change, to);
      if (one === undefined) return undefined;
      read.push(one);
    }
    if (form === "delta" && isCount(from)) return { form, from, to, changes: read };
    const isPart = isCount(part) && isCount(parts) && part < parts && parts <= MAX_PARTS;
    return form === "whole" && isPart ? { form, to, part, parts, changes: read } : undefined;
  }

  #changeOf(change: unknown, to: number): Change<V> | undefined {
    if (!Array.isArray(change) || change.length !== 3) return undefined;
    const [key, sequence, value] = change as readonly unknown[];
    if (typeof key !== "string" || key.length > MAX_KEY_CHARS) return undefined;
    if (!isCount(sequence) || sequence > to) return undefined;
    if (value === null) return [key, sequence, null];
    const read = this.#read(value);
    return read === undefined ? undefined : [key, sequence, read];
  }
}

const isOther = (a: Speaker, b: Speaker): boolean => isLater(a, b) || isLater(b, a);

const pieceOf = <V>(
  { region, instance, incarnation }: Speaker,
  floor: number,
  changes: readonly Change<V>[],
): Replica<V> => ({
  region,
  instance,
  incarnation,
  floor,
  entries: new Map(
    changes.map(([key, sequence, value]) => [key, { sequence, value: value ?? undefined }]),
  ),
});

/** All changes of a whole map once its last part is here, or more of them than one may have. */
const assembled = <V>(
  known: Known<V>,
  { to, part, parts, changes }: Extract<Portion<V>, { form: "whole" }>,
): readonly Change<V>[] | undefined => {
  if (parts === 1) return changes;
  let { assembly } = known;
  if (assembly?.to !== to || assembly.parts.length !== parts) {
    if (assembly !== undefined && assembly.to > to) return undefined;
    assembly = { to, parts: Array.from({ length: parts }), missing: parts, size: 0 };
    known.assembly = assembly;
  }
  if (assembly.parts[part] === undefined) assembly.missing--;
  assembly.size += changes.length - (assembly.parts[part]?.length ?? 0);
  assembly.parts[part] = changes;
  // One that is too large is refused at once, not kept until its last part is here.
  if (assembly.missing > 0 && assembly.size <= MAX_KEYS) return undefined;
  known.assembly = undefined;
  return assembly.parts.flatMap((some) => some ?? []);
};
