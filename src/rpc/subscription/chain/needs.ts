/**
 * What a follower asks the outside for: missing blocks and the logs of blocks, with retries.
 *
 * Each need is one question; it stays until it is answered or withdrawn. A failed answer is retried
 * after a growing pause, so a provider that lags by a block costs a few quick questions and a dead
 * chain one a minute; the first answer after an outage ends the pauses of all others.
 */

/** A question for any healthy provider; `hash` or `number` names the block. */
export interface Need {
  readonly key: string;
  readonly kind: "block" | "height" | "logs" | "agreedLogs";
  readonly hash: string;
  readonly number: number;
}

interface Pending {
  readonly need: Need;
  failures: number;
  /** How many others whoever needs this has in need before it. */
  readonly rank: number;
  nextAtMs: number;
  isAsked: boolean;
}

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 60_000;

/** The block with this hash. */
export const needBlock = (hash: string): Need => ({
  key: `block:${hash}`,
  kind: "block",
  hash,
  number: -1,
});

/** The block at this height, whatever its hash. */
export const needHeight = (number: number): Need => ({
  key: `height:${number}`,
  kind: "height",
  hash: "",
  number,
});

/** Every log of the block with this hash. */
export const needLogs = (hash: string, number: number): Need => ({
  key: `logs:${hash}`,
  kind: "logs",
  hash,
  number,
});

/** Every log of the block with this hash, as two providers tell it alike. */
export const needAgreedLogs = (hash: string, number: number): Need => ({
  key: `agreed:${hash}`,
  kind: "agreedLogs",
  hash,
  number,
});

/** The open questions of one chain, at most `maxAsked` of them on their way at a time. */
export class Needs {
  private readonly pending = new Map<string, Pending>();
  private readonly maxAsked: number;
  private readonly isFair: boolean;
  private asked = 0;

  /** `isFair`: what was asked in vain, or is wanted by who wants much, lets the rest go first. */
  constructor(maxAsked: number, isFair = false) {
    this.maxAsked = maxAsked;
    this.isFair = isFair;
  }

  get size(): number {
    return this.pending.size;
  }

  get(key: string): Need | undefined {
    return this.pending.get(key)?.need;
  }

  /** How often it was asked in vain. */
  failuresOf(key: string): number {
    return this.pending.get(key)?.failures ?? 0;
  }

  /** The question is asked from a time on; `rank`: who needs it has so many others in need before it. */
  add(need: Need, fromMs: number, rank = 0): void {
    if (this.pending.has(need.key)) return;
    this.pending.set(need.key, { need, failures: 0, rank, nextAtMs: fromMs, isAsked: false });
  }

  /** A usable answer came: the providers are there, so whatever has failed before is due at once. */
  answered(key: string, nowMs: number): void {
    this.delete(key);
    for (const entry of this.pending.values()) {
      if (entry.failures > 0 && !entry.isAsked) entry.nextAtMs = Math.min(entry.nextAtMs, nowMs);
    }
  }

  /** Nobody wants it any more. */
  delete(key: string): void {
    if (this.pending.get(key)?.isAsked === true) this.asked--;
    this.pending.delete(key);
  }

  clear(): void {
    this.pending.clear();
    this.asked = 0;
  }

  /** Somebody waits for the logs of blocks. */
  get isOfLogs(): boolean {
    for (const { need } of this.pending.values()) if (need.kind === "logs") return true;
    return false;
  }

  /** Questions to ask now, unless they are to be `spared`; each counts as asked until `failed` or `delete`. */
  due(nowMs: number, spared?: Need["kind"]): readonly Need[] {
    if (this.pending.size === 0) return [];
    const due: Need[] = [];
    while (this.asked < this.maxAsked) {
      const entry = this.first(nowMs, spared);
      if (entry === undefined) break;
      entry.isAsked = true;
      this.asked++;
      due.push(entry.need);
    }
    return due;
  }

  private first(nowMs: number, spared: Need["kind"] | undefined): Pending | undefined {
    let first: Pending | undefined;
    for (const entry of this.pending.values()) {
      if (entry.isAsked || entry.nextAtMs > nowMs || entry.need.kind === spared) continue;
      if (!this.isFair) return entry;
      if (first === undefined || weightOf(entry) < weightOf(first)) first = entry;
    }
    return first;
  }

  /** No usable answer: asks again later. */
  failed(key: string, nowMs: number): void {
    const entry = this.pending.get(key);
    if (entry === undefined || !entry.isAsked) return;
    entry.isAsked = false;
    this.asked--;
    entry.nextAtMs = nowMs + Math.min(MAX_PAUSE_MS, FIRST_PAUSE_MS * 2 ** entry.failures);
    entry.failures++;
  }

  /** Forgets what was on its way because the asking process died; all are asked anew. */
  reask(nowMs: number): void {
    this.asked = 0;
    for (const entry of this.pending.values()) {
      entry.isAsked = false;
      entry.nextAtMs = nowMs;
    }
  }
}

const weightOf = ({ failures, rank }: Pending): number => failures + rank;
