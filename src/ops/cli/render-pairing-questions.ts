/** How questions about a pairing are answered to people: why not, what if, is it the same again. */
import { type PairedView, picksTable } from "./render-pairing.ts";
import { clean, type Paint, table } from "./terminal.ts";

/** The reply of `pair` about one provider. */
export interface WhyView {
  readonly market: string;
  readonly address: string;
  readonly inMarket: boolean;
  readonly isPicked: boolean;
  readonly refusals: readonly {
    readonly filter: string;
    readonly need: string;
    readonly have: string;
    readonly transient: boolean;
  }[];
  readonly rank?: number;
  readonly score?: number;
  readonly gapToLast?: number;
}

/** The reply of `pair` about another request. */
export interface WhatIfView {
  readonly market: string;
  readonly before: PairedView;
  readonly after: PairedView;
  readonly shifts: readonly {
    readonly address: string;
    readonly before?: number;
    readonly after?: number;
    readonly refusedBy?: string;
  }[];
}

/** The reply of `pair` about a pairing made again. */
export interface ReplayView extends Pick<PairedView, "providers"> {
  readonly market: string;
  readonly id: string;
  readonly isEqual: boolean;
  readonly version: number;
}

/** Why a provider is, or is not, among the picks. */
export function renderWhy(view: WhyView, paint: Paint): string {
  const name = paint.bold(clean(view.address));
  if (!view.inMarket) return `${name} is not in market ${clean(view.market)}`;
  if (view.refusals.length > 0) {
    const rows = view.refusals.map(({ filter, need, have, transient }) => [
      clean(filter),
      clean(need),
      clean(have),
      transient ? "may pass" : "",
    ]);
    return `${name} is refused:\n${table(["FILTER", "NEEDS", "HAS", ""], rows)}`;
  }
  const place = `place ${view.rank ?? "?"} with ${view.score?.toFixed(3) ?? "?"}`;
  if (view.isPicked) return `${name} is picked: ${place}`;
  return `${name} satisfies the policy, but others are better: ${place}, ${view.gapToLast?.toFixed(3) ?? "?"} short of the last pick`;
}

/** The picks after a change, and who has moved. */
export function renderWhatIf({ before, after, shifts }: WhatIfView, paint: Paint): string {
  const parts = [picksTable(after, paint)];
  if (shifts.length === 0) parts.push(paint.dim("the same providers at the same places"));
  else {
    const rows = shifts.map(({ address, before: old, after: now, refusedBy }) => [
      paint.bold(clean(address)),
      placeText(old),
      placeText(now),
      moveText(old, now, refusedBy, paint),
    ]);
    parts.push(table(["PROVIDER", "BEFORE", "AFTER", ""], rows));
  }
  const counts = `${before.filtered} satisfied it before, ${after.filtered} after the change`;
  parts.push(paint.dim(`${counts}; version ${after.version}`));
  return parts.join("\n\n");
}

const placeText = (place: number | undefined): string => (place === undefined ? "-" : `${place}`);

function moveText(
  before: number | undefined,
  after: number | undefined,
  refusedBy: string | undefined,
  paint: Paint,
): string {
  const why = refusedBy === undefined ? "" : `, ${clean(refusedBy)} refused it`;
  if (before === undefined) return paint.good(`comes${why}`);
  if (after !== undefined) return after < before ? "up" : "down";
  return paint.warn(
    refusedBy === undefined ? "goes, others are better" : `goes, ${clean(refusedBy)} refuses it`,
  );
}

/** A pairing made again. */
export function renderReplay(
  { id, isEqual, version, providers }: ReplayView,
  paint: Paint,
): string {
  const verdict = isEqual ? paint.good("equal, byte for byte") : paint.bad("not equal");
  const line = `${clean(id)} made again on version ${version}: ${verdict}`;
  return `${picksTable({ providers }, paint)}\n\n${line}`;
}
