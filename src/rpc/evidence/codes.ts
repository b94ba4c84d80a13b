/** A bounded dictionary from names to small numbers, for typed columns. */
export class Codes {
  readonly #limit: number;
  readonly #codes = new Map<string, number>();
  readonly #names: string[] = [];

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** The code of a name, made at first sight; -1 when the dictionary is full. */
  of(name: string): number {
    const known = this.#codes.get(name);
    if (known !== undefined) return known;
    if (this.#names.length >= this.#limit) return -1;
    this.#codes.set(name, this.#names.length);
    return this.#names.push(name) - 1;
  }

  /** The code of a known name, else -1. */
  known(name: string): number {
    return this.#codes.get(name) ?? -1;
  }

  name(code: number): string | undefined {
    return this.#names[code];
  }

  get names(): readonly string[] {
    return this.#names;
  }
}
