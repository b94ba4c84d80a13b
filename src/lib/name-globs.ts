/**
 * Matches names such as methods against globs such as `eth_call`, `debug_*` and `*_sign*`, in which `*` is any
 * run of characters and nothing else is special. A list remembers: a name that was judged before costs one
 * look-up.
 */

/** Names whose verdict is remembered; clients choose the names, so the memory starts anew when full. */
const MAX_REMEMBERED = 1024;

/** A list of globs. */
export class NameGlobs {
  readonly #exact: ReadonlySet<string>;
  readonly #globs: readonly string[];
  readonly #verdicts = new Map<string, boolean>();

  constructor(patterns: readonly string[]) {
    this.#exact = new Set(patterns.filter((pattern) => !pattern.includes("*")));
    this.#globs = patterns.filter((pattern) => pattern.includes("*"));
  }

  /** Whether any of the globs matches the name. */
  has(name: string): boolean {
    if (this.#globs.length === 0) return this.#exact.has(name);
    const known = this.#verdicts.get(name);
    if (known !== undefined) return known;
    const verdict = this.#exact.has(name) || this.#globs.some((glob) => matchesGlob(glob, name));
    if (this.#verdicts.size >= MAX_REMEMBERED) this.#verdicts.clear();
    this.#verdicts.set(name, verdict);
    return verdict;
  }
}

/**
 * Whether one glob matches a name: the text before its first star begins the name, that behind its last
 * ends it, those between follow each other, leftmost first. Nothing is tried twice, so no glob is slow.
 */
export function matchesGlob(glob: string, name: string): boolean {
  const first = glob.indexOf("*");
  if (first < 0) return glob === name;
  const last = glob.lastIndexOf("*");
  const end = name.length - (glob.length - last - 1);
  if (end < first) return false;
  if (!name.startsWith(glob.slice(0, first)) || !name.endsWith(glob.slice(last + 1))) return false;
  let at = first;
  let star = first;
  while (star < last) {
    const next = glob.indexOf("*", star + 1);
    const piece = glob.slice(star + 1, next);
    const found = name.indexOf(piece, at);
    if (found < 0 || found + piece.length > end) return false;
    at = found + piece.length;
    star = next;
  }
  return true;
}
