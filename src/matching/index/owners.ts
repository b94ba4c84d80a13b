/** Which rows belong to whom; only rows with an owner cost anything. */

/** Rows by owner, both ways. */
export class Owners {
  readonly #rows = new Map<string, Set<number>>();
  readonly #owners = new Map<number, string>();

  /** Whose row it is. */
  of(row: number): string | undefined {
    return this.#owners.get(row);
  }

  /** All rows of an owner. */
  rowsOf(owner: string): ReadonlySet<number> {
    return this.#rows.get(owner) ?? NONE;
  }

  /** Gives a row to an owner, or to nobody. */
  put(row: number, owner: string | undefined): void {
    const old = this.#owners.get(row);
    if (old === owner) return;
    if (old !== undefined) {
      const rows = this.#rows.get(old);
      rows?.delete(row);
      if (rows?.size === 0) this.#rows.delete(old);
      this.#owners.delete(row);
    }
    if (owner === undefined) return;
    this.#owners.set(row, owner);
    const rows = this.#rows.get(owner);
    if (rows === undefined) this.#rows.set(owner, new Set([row]));
    else rows.add(row);
  }
}

const NONE: ReadonlySet<number> = new Set();
