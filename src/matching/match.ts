/**
 * From a plan and a market to a ranking: synchronous, without clock or chance; the seed is an argument.
 * The order is total: raw sum, larger first, then id, ascending. Every path gives the same ranking; the
 * one taken depends only on what is cheapest, and the ranking names it.
 */
import { type Binding, bindingOf, type MatchPath } from "./binding.ts";
import type { Plan } from "./compile.ts";
import { MAX_PICKS } from "./demand.ts";
import { type FilterReport, survivorsOf } from "./explain/survivors.ts";
import type { ProviderIndex } from "./index/provider-index.ts";
import { walkBounds } from "./paths/bound.ts";
import { draw } from "./paths/draw.ts";
import { walkRanks } from "./paths/rank.ts";
import { scan, scanListed } from "./paths/scan.ts";
import { sortedRows } from "./paths/sorted.ts";
import { takeTurns } from "./paths/turns.ts";
import { componentsOf, type Pick, type ScorerError, scorerErrorsOf, withDraw } from "./picks.ts";
import type { Seed } from "./paths/rendezvous.ts";
import { TopK } from "./paths/top-k.ts";

/** How one match is made. */
export interface MatchOptions {
  /** Decides `weighted` and `roundRobin`; 0 by default. */
  readonly seed?: Seed;
  /** Picks, instead of the demand's k. */
  readonly top?: number;
  /** Adds survivors, components and errors of scorers. */
  readonly explain?: boolean;
  /** Markets up to this many providers are scanned, 32 by default. */
  readonly scanUpTo?: number;
}

/** The answer. It can be stored, and made again from {demand, version, seed}. */
export interface Ranking {
  readonly market: string;
  readonly version: number;
  readonly signalVersion: number;
  /** The canonical text of the demand. */
  readonly demand: string;
  readonly profile: string;
  readonly profileVersion: number;
  readonly seed: Seed;
  readonly path: MatchPath;
  /** Providers in the market. */
  readonly considered: number;
  readonly picks: readonly Pick[];
  /** As many as asked for, fewer, or nobody. */
  readonly outcome: "ok" | "partial" | "none";
  /** Whether the sticky provider survived and leads. */
  readonly isSticky: boolean;
  readonly survivors?: readonly FilterReport[];
  readonly scorerErrors?: readonly ScorerError[];
}

/** Up to this many rows a scan is as fast as anything, and needs nothing kept. */
const SCAN_ROWS = 32;

/** A ranking with the rows of its picks, good until the market changes. */
export interface RankedPicks {
  readonly ranking: Ranking;
  readonly rows: readonly number[];
  /** Survivors, where the path had to count them. */
  readonly left?: number | undefined;
}

/** Ranks the providers of a market for a plan. */
export const match = (plan: Plan, index: ProviderIndex, options?: MatchOptions): Ranking =>
  rank(plan, index, options).ranking;

/** The same, for whoever reads more of the picks than a ranking says. */
export function rank(plan: Plan, index: ProviderIndex, options: MatchOptions = {}): RankedPicks {
  const { seed = 0, top = plan.demand.k, explain = false, scanUpTo = SCAN_ROWS } = options;
  const k = Math.max(0, Math.min(MAX_PICKS, Math.floor(top) || 0));
  const binding = bindingOf(plan, index);
  const { path, rows, sums, left } = find(binding, k, seed, scanUpTo);
  const isSticky = plan.demand.sticky !== undefined && stick(binding, rows, k);
  const picks: Pick[] = [];
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i] as number;
    // Those of a draw or a turn were not found by their sums, and a sticky one has moved.
    const sum = isSticky ? undefined : sums[i];
    picks.push(pickOf(binding, row, sum ?? binding.sumOf(row), explain));
  }
  const ranking: Ranking = {
    market: index.schema.name,
    version: index.version,
    signalVersion: index.signalVersion,
    demand: plan.text,
    profile: plan.composite.name,
    profileVersion: plan.composite.version,
    seed,
    path,
    considered: index.size,
    picks: path === "draw" ? withDraw(binding, rows, picks, seed) : picks,
    outcome: picks.length === 0 ? "none" : picks.length < k ? "partial" : "ok",
    isSticky,
  };
  if (!explain) return { ranking, rows, left };
  const scorerErrors = scorerErrorsOf(binding, rows);
  return { ranking: { ...ranking, survivors: survivorsOf(binding), scorerErrors }, rows, left };
}

/** The picks as rows with their scores, for whoever names them elsewhere; modes without a seed. */
export function matchRows(
  plan: Plan,
  index: ProviderIndex,
): { readonly rows: readonly number[]; readonly scores: readonly number[] } {
  const binding = bindingOf(plan, index);
  const { rows, sums } = find(binding, plan.demand.k, 0, SCAN_ROWS);
  return { rows, scores: sums.map((sum) => binding.shown(sum)) };
}

interface Found {
  readonly path: MatchPath;
  readonly rows: number[];
  /** Raw sums of the rows, where the path ranks by them. */
  readonly sums: readonly number[];
  readonly left?: number | undefined;
}

const pickOf = (binding: Binding, row: number, sum: number, explain: boolean): Pick => {
  const id = binding.index.ids[row] as string;
  const score = binding.shown(sum);
  return explain ? { id, score, components: componentsOf(binding, row) } : { id, score };
};

function find(binding: Binding, k: number, seed: Seed, scanUpTo: number): Found {
  const { index, plan } = binding;
  if (binding.isImpossible) return { path: "none", rows: [], sums: [] };
  if (plan.demand.mode === "roundRobin") {
    const isWide = index.size > scanUpTo && binding.listed === undefined;
    const order = isWide ? binding.turns() : undefined;
    index.derived.use(order);
    return { path: "turns", ...takeTurns(binding, order, k, seed), sums: [] };
  }
  if (plan.demand.orderBy !== undefined) {
    const rows = sortedRows(binding).slice(0, k);
    return { path: "sorted", rows, sums: rows.map((row) => binding.sumOf(row)) };
  }
  const top = (spare.pop() ?? new TopK()).begin(k, index.ids);
  const isDrawn = plan.demand.mode === "weighted";
  const path = isDrawn ? "draw" : rankInto(top, binding, k, scanUpTo);
  if (isDrawn) draw(binding, seed, top);
  const rows: number[] = [];
  const sums: number[] = [];
  for (let i = 0; i < top.count; i++) {
    rows.push(top.rows[i] as number);
    if (!isDrawn) sums.push(top.sums[i] as number);
  }
  spare.push(top);
  return { path, rows, sums };
}

/** Lists that are not in use; a scorer may itself match, so one would not do. */
const spare: TopK[] = [];

function rankInto(top: TopK, binding: Binding, k: number, scanUpTo: number): MatchPath {
  const { index, listed } = binding;
  if (listed !== undefined) {
    scanListed(binding, listed, top);
    return "listed";
  }
  const isLarge = index.size > scanUpTo;
  const order = isLarge ? binding.order() : undefined;
  const board = isLarge && order === undefined ? binding.board() : undefined;
  index.derived.use(order ?? board);
  if (order !== undefined) walkRanks(binding, order, k, top);
  else if (board !== undefined) walkBounds(binding, board, k, top);
  else scan(binding, top);
  return order !== undefined ? "rank" : board !== undefined ? "bound" : "scan";
}

/** Puts the sticky provider first if it survives; says whether it did. */
function stick(binding: Binding, rows: number[], k: number): boolean {
  const { plan, index } = binding;
  const { sticky } = plan.demand;
  const row = sticky === undefined ? undefined : index.rowOf(sticky);
  if (row === undefined || k === 0 || !binding.survives(row)) return false;
  const at = rows.indexOf(row);
  if (at >= 0) rows.splice(at, 1);
  else if (rows.length === k) rows.pop();
  rows.unshift(row);
  return true;
}
