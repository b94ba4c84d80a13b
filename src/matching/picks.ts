/** What a ranking says of each pick. */
import type { Binding } from "./binding.ts";
import { drawOf, keyOf, type Seed, seedHalves } from "./paths/rendezvous.ts";
import { weightOf } from "./paths/draw.ts";
import { failureOf, safeScore } from "./scorers/scorer.ts";

/** One provider of a ranking. */
export interface Pick {
  readonly id: string;
  /** The weighted mean of the components, 0..1. */
  readonly score: number;
  /** By scorer; `null` for one that failed. Only when explained. */
  readonly components?: Readonly<Record<string, number | null>>;
  /** In weighted mode: its own draw, and the key that it won with. */
  readonly u?: number;
  readonly key?: number;
}

/** A scorer that failed for one of the picks. */
export interface ScorerError {
  readonly scorer: string;
  readonly provider: string;
  readonly message: string;
}

/** What each scorer gave a row. */
export function componentsOf(
  { scorers }: Binding,
  row: number,
): Readonly<Record<string, number | null>> {
  const components: Record<string, number | null> = {};
  for (const { name, bound } of scorers) {
    const score = safeScore(bound, row);
    components[name] = Number.isNaN(score) ? null : score;
  }
  return components;
}

/** Which scorers failed for which of the rows. */
export const scorerErrorsOf = (
  { scorers, index }: Binding,
  rows: readonly number[],
): ScorerError[] =>
  rows.flatMap((row) =>
    scorers.flatMap(({ name, bound }) =>
      Number.isNaN(safeScore(bound, row))
        ? [{ scorer: name, provider: index.ids[row] as string, message: failureOf(bound, row) }]
        : [],
    ),
  );

/** The picks of a weighted choice with what each of them drew. */
export const withDraw = (
  binding: Binding,
  rows: readonly number[],
  picks: readonly Pick[],
  seed: Seed,
): Pick[] => {
  const { high, low } = binding.index.names;
  const halves = seedHalves(seed);
  return picks.map((pick, i) => {
    const row = rows[i] as number;
    const u = drawOf(high[row] as number, low[row] as number, halves);
    return { ...pick, u, key: keyOf(weightOf(binding, row), u) };
  });
};
