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
  private readonly heights = new Map<string, number>();

  constructor(settleMs: number) {
    this.settleMs = settleMs;
  }

  up(source: string, nowMs: number): void {
    this.liveSinceMs.set(source, nowMs);
  }

  down(source: string): void {
    this.liveSinceMs.delete(source);
  }

  live(): readonly string[] {
    return [...this.liveSinceMs.keys()];
  }

  /** Sources without a loss since before a block that was seen at `seenAtMs`. */
  covering(seenAtMs: number): readonly string[] {
    const names: string[] = [];
    for (const [name, sinceMs] of this.liveSinceMs) {
      if (sinceMs + this.settleMs <= seenAtMs) names.push(name);
    }
    return names;
  }

  /** The source's own head is at this height. */
  reached(source: string, number: number): void {
    this.heights.set(source, number);
  }

  hasReached(source: string, number: number): boolean {
    return (this.heights.get(source) ?? -1) >= number;
  }
}
