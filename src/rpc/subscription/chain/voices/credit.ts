/**
 * Which providers are still believed alone. One that told of a block which several others contradict
 * and nobody confirms gets a strike; a few of them, and what it says waits for a second voice.
 */

/** Strikes count for this time, ms. */
const STRIKE_MS = 600_000;
/** So many of them and a provider is believed no more. */
const MAX_STRIKES = 3;
/** A provider that came back to the others' branch by itself may have seen an honest reorganisation. */
const MILD_WEIGHT = 0.25;
const MAX_REMEMBERED = 16;

interface Strike {
  readonly atMs: number;
  readonly weight: number;
}

/** The strikes of one chain's providers. */
export class Credit {
  private readonly strikes = new Map<string, Strike[]>();

  /** The provider told of a block that the chain never had; true when it is believed no more. */
  strike(source: string, hasReturned: boolean, nowMs: number): boolean {
    const kept = this.strikes.get(source) ?? [];
    kept.push({ atMs: nowMs, weight: hasReturned ? MILD_WEIGHT : 1 });
    if (kept.length > MAX_REMEMBERED) kept.shift();
    this.strikes.set(source, kept);
    return this.isLost(source, nowMs);
  }

  /** What the provider says counts only when somebody else says it as well. */
  isLost(source: string, nowMs: number): boolean {
    const strikes = this.strikes.get(source);
    if (strikes === undefined) return false;
    let weight = 0;
    for (const strike of strikes) if (nowMs - strike.atMs < STRIKE_MS) weight += strike.weight;
    return weight >= MAX_STRIKES;
  }
}
