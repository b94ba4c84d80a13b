/**
 * Matches names such as methods against globs such as `eth_call`, `debug_*` and `*_sign*`, in which `*` is any
 * run of characters. Compiled once; a name that was judged before costs one look-up.
 */

/** Names whose verdict is remembered; clients choose the names, so the memory starts anew when full. */
const MAX_REMEMBERED = 1024;

/** A compiled list of globs. */
export class NameGlobs {
  readonly #exact: ReadonlySet<string>;
  /** Each glob as the pieces between its stars: two or more. */
  readonly #globs: readonly (readonly string[])[];
  readonly #verdicts = new Map<string, boolean>();

  constructor(patterns: readonly string[]) {
    this.#exact = new Set(patterns.filter((pattern) => !pattern.includes("*")));
    this.#globs = patterns
      .filter((pattern) => pattern.includes("*"))
      .map((pattern) => pattern.split("*"));
  }

  /** Whether any of the globs matches the name. */
  has(method: string): boolean {
    if (this.#globs.length === 0) return this.#exact.has(method);
    const known = this.#verdicts.get(method);
    if (known !== undefined) return known;
    const verdict =
      this.#exact.has(method) || this.#globs.some((pieces) => isMatch(pieces, method));
    if (this.#verdicts.size >= MAX_REMEMBERED) this.#verdicts.clear();
    this.#verdicts.set(method, verdict);
    return verdict;
  }
}

/** Whether one glob matches the name; for a glob that is met once, such as a caller's. */
export function matchesGlob(glob: string, name: string): boolean {
  return glob.includes("*") ? isMatch(glob.split("*"), name) : glob === name;
}

/** The first piece begins the name, the last ends it, those between follow each other: leftmost is best. */
function isMatch(pieces: readonly string[], name: string): boolean {
  const first = pieces[0] as string;
  const last = pieces.at(-1) as string;
  if (name.length < first.length + last.length) return false;
  if (!name.startsWith(first) || !name.endsWith(last)) return false;
  const end = name.length - last.length;
  let at = first.length;
  for (let i = 1; i < pieces.length - 1; i++) {
    const piece = pieces[i] as string;
    const found = name.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
  }
  return true;
}
