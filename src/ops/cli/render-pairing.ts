/** How a pairing looks to people: picks with their parts, what each filter leaves, why not. */
import { clean, type Paint, table } from "./terminal.ts";

/** The reply of `pair`. */
export interface PairView {
  readonly market: string;
  readonly providers: readonly {
    readonly address: string;
    readonly score: number;
    readonly stake: number | string;
    readonly location: string;
    readonly components?: Readonly<Record<string, number | null>>;
  }[];
  readonly filtered: number;
  readonly survivors?: readonly {
    readonly filter: string;
    readonly count: number;
    readonly alone: number;
    readonly sole: number;
  }[];
  readonly blockedBy?: string;
  readonly version: number;
  readonly cache: string;
  readonly processingTimeUs: number;
  readonly auditId?: string;
}

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

/** A pairing. */
export function renderPairing(view: PairView, paint: Paint): string {
  const { providers, survivors, filtered, blockedBy } = view;
  const names = Object.keys(providers[0]?.components ?? {});
  const rows = providers.map(({ address, score, stake, location, components = {} }, at) => [
    String(at + 1),
    paint.bold(clean(address)),
    score.toFixed(3),
    clean(String(stake)),
    clean(location),
    ...names.map((name) => part(components[name], paint)),
  ]);
  const head = [
    "#",
    "PROVIDER",
    "SCORE",
    "STAKE",
    "LOCATION",
    ...names.map((n) => n.toUpperCase()),
  ];
  const blocked = blockedBy === undefined ? "" : `, most are kept away by ${clean(blockedBy)}`;
  const parts = [
    rows.length === 0 ? paint.warn(`nobody satisfies the policy${blocked}`) : table(head, rows),
  ];
  if (survivors !== undefined && survivors.length > 0) {
    const filters = survivors.map(({ filter, count, alone, sole }) =>
      [filter, count, alone, sole].map((cell) => clean(String(cell))),
    );
    parts.push(table(["FILTER", "LEFT", "REFUSES", "ALONE"], filters));
  }
  const { market, version, cache, processingTimeUs, auditId } = view;
  const kept = auditId === undefined ? "" : `, kept as ${clean(auditId)}`;
  const facts = `${filtered} of market ${clean(market)} (version ${version}) satisfy it; cache ${clean(cache)}, ${processingTimeUs.toFixed(0)} us${kept}`;
  parts.push(paint.dim(facts));
  return parts.join("\n\n");
}

const part = (value: number | null | undefined, paint: Paint): string =>
  typeof value === "number" ? value.toFixed(3) : paint.bad("failed");

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
