/**
 * A ranking whose picks are known already, found by another host in an index with the same providers. The
 * picks are named, all else is looked up here: what cannot be a ranking of this plan is none.
 */
import { type Binding, bindingOf, type MatchPath } from "./binding.ts";
import type { Plan } from "./compile.ts";
import type { ProviderIndex } from "./index/provider-index.ts";
import type { RankedPicks } from "./match.ts";
import type { Seed } from "./paths/rendezvous.ts";
import { type Pick, withDraw } from "./picks.ts";

/** Picks by id in their order, out of so many survivors. */
export interface KnownPicks {
  readonly ids: readonly string[];
  readonly left: number;
}

/** The ranking of known picks; `undefined` where they are not those of a ranking of this plan. */
export function rankKnown(
  plan: Plan,
  index: ProviderIndex,
  seed: Seed,
  { ids, left }: KnownPicks,
): RankedPicks | undefined {
  const { demand } = plan;
  if (demand.sticky !== undefined || demand.orderBy !== undefined) return undefined;
  const isDrawn = demand.mode === "weighted";
  const most = Math.min(demand.k, left);
  // Who weighs nothing is never drawn, so a draw may have fewer picks than there are survivors.
  if (left > index.size || ids.length > most || (!isDrawn && ids.length < most)) return undefined;
  const binding = bindingOf(plan, index);
  const rows = rowsOf(binding, ids);
  if (rows === undefined) return undefined;
  const scored = rows.map((row, i): Pick => {
    return { id: ids[i] as string, score: binding.shown(binding.sumOf(row)) };
  });
  const picks = isDrawn ? withDraw(binding, rows, scored, seed) : scored;
  if (demand.mode !== "roundRobin" && !isInOrder(binding, rows, picks)) return undefined;
  const ranking = {
    market: index.schema.name,
    version: index.version,
    signalVersion: index.signalVersion,
    demand: plan.text,
    profile: plan.composite.name,
    profileVersion: plan.composite.version,
    seed,
    path: PATHS[demand.mode],
    considered: index.size,
    picks,
    outcome: picks.length === 0 ? "none" : picks.length < demand.k ? "partial" : "ok",
    isSticky: false,
  } as const;
  return { ranking, rows };
}

/** How the picks of a mode are looked for, where nothing is made ready. */
const PATHS: Readonly<Record<Plan["demand"]["mode"], MatchPath>> = {
  top: "scan",
  weighted: "draw",
  roundRobin: "turns",
};

/** The rows of ids that are there, survive, and are named once. */
function rowsOf(binding: Binding, ids: readonly string[]): readonly number[] | undefined {
  const rows: number[] = [];
  for (const id of ids) {
    const row = binding.index.rowOf(id);
    if (row === undefined || rows.includes(row) || !binding.survives(row)) return undefined;
    rows.push(row);
  }
  return rows;
}

/** Each before the next: by key where they were drawn, else by raw sum; equals by id. */
const isInOrder = (binding: Binding, rows: readonly number[], picks: readonly Pick[]): boolean =>
  picks.every(({ id, key }, i) => {
    const next = picks[i + 1];
    if (next === undefined) return true;
    const [here, there] =
      key === undefined || next.key === undefined
        ? [binding.sumOf(rows[i] as number), binding.sumOf(rows[i + 1] as number)]
        : [key, next.key];
    return here > there || (here === there && id < next.id);
  });
