/**
 * Which providers' log streams can be trusted to have missed nothing, and since when.
 *
 * A source covers a block when it has been live since well before the block was seen: then every log
 * of the block comes through it, and the union of what arrives is complete.
 */

/** The live log sources of one chain. */
export class LogSources {
  /** Events of one block arrive within this time of each other. */
  settleMs: number;
  private readonly liveSinceMs = new Map<string, number>();
  /** The first height that each has told of since it is live: of what is below it says nothing. */
  private readonly firstHeights = new Map<string, number>();

  constructor(settleMs: number) {
    this.settleMs = settleMs;
  }

  up(source: string, nowMs: number): void {
    this.liveSinceMs.set(source, nowMs);
    this.firstHeights.delete(source);
  }

  down(source: string): void {
    this.liveSinceMs.delete(source);
  }

  live(): readonly string[] {
    return [...this.liveSinceMs.keys()];
  }

  /** Sources without a loss since before the block of that height, which was seen at `seenAtMs`. */
  covering(number: number, seenAtMs: number): readonly string[] {
    const names: string[] = [];
    for (const [name, sinceMs] of this.liveSinceMs) {
      const isInTime = sinceMs + this.settleMs <= seenAtMs;
      if (isInTime && (this.firstHeights.get(name) ?? number) <= number) names.push(name);
    }
    return names;
  }

  /** The source is at this height; true when it is the first that it tells of since it is live. */
  reached(source: string, number: number): boolean {
    if (this.firstHeights.has(source) || !this.liveSinceMs.has(source)) return false;
    this.firstHeights.set(source, number);
    return true;
  }
}
