/**
 * Finds which of many fragments a text contains in one pass over it, ASCII case folded: the automaton
 * of Aho and Corasick ("Efficient string matching", 1975), with its failure links worked into one
 * dense table of transitions.
 */

/** Reports the fragments of a text. */
export class FragmentFinder {
  /** `next[state * width + symbol]`. */
  readonly #next: Int32Array;
  readonly #width: number;
  /** Symbol of each 7-bit char; 0 stands for chars that no fragment has. */
  readonly #symbols: Uint8Array;
  /** Fragments that end in a state, its suffixes' included; undefined for most. */
  readonly #ends: readonly (readonly number[] | undefined)[];

  /** Fragments must be ASCII; upper case is folded. */
  constructor(fragments: readonly string[]) {
    const { symbols, width } = symbolsOf(fragments);
    const trie = plant(fragments, symbols, width);
    link(trie, width);
    this.#symbols = symbols;
    this.#width = width;
    this.#next = Int32Array.from(trie.next);
    this.#ends = trie.ends.map((ends) => (ends.length === 0 ? undefined : ends));
  }

  /**
   * Looks at the first `end` chars of the text; `best` is the lowest rank found so far, or a number
   * above all ranks, and `admits` may refuse a fragment. Returns the lowest rank.
   */
  lowest(text: string, end: number, best: number, admits: (fragment: number) => boolean): number {
    let state = 0;
    let lowest = best;
    for (let at = 0; at < end; at++) {
      const char = text.charCodeAt(at);
      const symbol = char < 128 ? (this.#symbols[char] as number) : 0;
      state = this.#next[state * this.#width + symbol] as number;
      const ends = this.#ends[state];
      if (ends === undefined) continue;
      for (const fragment of ends) {
        if (fragment >= lowest) break;
        if (admits(fragment)) lowest = fragment;
      }
    }
    return lowest;
  }
}

function symbolsOf(fragments: readonly string[]): { symbols: Uint8Array; width: number } {
  const symbols = new Uint8Array(128);
  let width = 1;
  for (const fragment of fragments) {
    for (const char of fragment.toLowerCase()) {
      const code = char.charCodeAt(0);
      if (code >= 128) throw new Error(`a fragment must be ASCII: ${fragment}`);
      if (symbols[code] === 0) symbols[code] = width++;
    }
  }
  for (let code = 65; code <= 90; code++) symbols[code] = symbols[code + 32] as number;
  return { symbols, width };
}

interface Trie {
  readonly next: number[];
  /** Ranks that end in each state, ascending. */
  readonly ends: number[][];
}

function plant(fragments: readonly string[], symbols: Uint8Array, width: number): Trie {
  const next: number[] = Array.from({ length: width }, () => -1);
  const ends: number[][] = [[]];
  fragments.forEach((fragment, rank) => {
    let state = 0;
    for (const char of fragment.toLowerCase()) {
      const place = state * width + (symbols[char.charCodeAt(0)] as number);
      if (next[place] === -1) {
        next[place] = ends.length;
        ends.push([]);
        for (let i = 0; i < width; i++) next.push(-1);
      }
      state = next[place] as number;
    }
    ends[state]?.push(rank);
  });
  return { next, ends };
}

/** Breadth first: where a state has no transition, it takes that of its longest proper suffix. */
function link({ next, ends }: Trie, width: number): void {
  const failure: number[] = ends.map(() => 0);
  const queue: number[] = [];
  for (let symbol = 0; symbol < width; symbol++) {
    const child = next[symbol] as number;
    if (child === -1) next[symbol] = 0;
    else queue.push(child);
  }
  for (const state of queue) {
    const back = failure[state] as number;
    const own = ends[state] as number[];
    own.push(...(ends[back] as number[]));
    own.sort((a, b) => a - b);
    for (let symbol = 0; symbol < width; symbol++) {
      const place = state * width + symbol;
      const fallback = next[back * width + symbol] as number;
      const child = next[place] as number;
      if (child === -1) next[place] = fallback;
      else {
        failure[child] = fallback;
        queue.push(child);
      }
    }
  }
}
