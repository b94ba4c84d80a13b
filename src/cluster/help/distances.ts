/** How far other regions are: as the operator says, else as questions to them have shown. */

/** Share of a new reading in what is remembered. */
const FRESH_SHARE = 0.3;
/** Regions whose readings are kept. */
const MAX_MEASURED = 64;

/** Round trips by region, ms. */
export class Distances {
  readonly #configured: ReadonlyMap<string, number>;
  readonly #measured = new Map<string, number>();

  constructor(configured: Readonly<Record<string, number>>) {
    this.#configured = new Map(Object.entries(configured));
  }

  /** The round trip to a region; undefined while nothing is known. */
  of(region: string): number | undefined {
    return this.#configured.get(region) ?? this.#measured.get(region);
  }

  /** The operator has not said how far a region is. */
  isMeasured(region: string): boolean {
    return !this.#configured.has(region);
  }

  /** A question took so long; one that was slow by chance counts for little. */
  measured(region: string, tookMs: number): void {
    const known = this.#measured.get(region);
    if (known === undefined && this.#measured.size >= MAX_MEASURED) {
      const [oldest] = this.#measured.keys();
      if (oldest !== undefined) this.#measured.delete(oldest);
    }
    const smooth = known === undefined ? tookMs : known + FRESH_SHARE * (tookMs - known);
    this.#measured.set(region, smooth);
  }
}

/** Regions with the nearest first: those of which nothing is known last, equals by name. */
export const byDistance = <Region extends { readonly region: string }>(
  regions: readonly Region[],
  distanceOf: (region: string) => number | undefined,
): readonly Region[] =>
  [...regions].sort((a, b) => {
    const far = (distanceOf(a.region) ?? FAR) - (distanceOf(b.region) ?? FAR);
    return far === 0 ? compare(a.region, b.region) : far;
  });

/** Beyond every round trip. */
const FAR = Number.MAX_SAFE_INTEGER;

const compare = (a: string, b: string): number => (a < b ? -1 : Number(a > b));
