/** How a pairing looks to people: picks with their parts, and what each filter leaves. */
import { clean, type Paint, table } from "./terminal.ts";

/** A pairing without what depends on the moment. */
export interface PairedView {
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
}

/** The reply of `pair`. */
export interface PairView extends PairedView {
  readonly market: string;
  readonly cache: string;
  readonly processingTimeUs: number;
  readonly auditId?: string;
}

/** The picks of a pairing, or why there are none. */
export function picksTable(
  { providers, blockedBy }: Pick<PairedView, "providers" | "blockedBy">,
  paint: Paint,
): string {
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
    // Not to be taken for the stake and the location themselves.
    ...names.map((name) => `FOR ${name.toUpperCase()}`),
  ];
  return rows.length === 0 ? paint.warn(nobodyText(blockedBy)) : table(head, rows);
}

const nobodyText = (blockedBy: string | undefined): string => {
  if (blockedBy === "market") return "nobody is in the market";
  const blocked = blockedBy === undefined ? "" : `, most are kept away by ${clean(blockedBy)}`;
  return `nobody satisfies the policy${blocked}`;
};

/** A pairing. */
export function renderPairing(view: PairView, paint: Paint): string {
  const { survivors, filtered } = view;
  const parts = [picksTable(view, paint)];
  if (survivors !== undefined && survivors.length > 0) {
    const filters = survivors.map(({ filter, count, alone, sole }) =>
      [filter, count, alone, sole].map((cell) => clean(String(cell))),
    );
    parts.push(table(["FILTER", "LEFT", "REFUSES", "ONLY IT"], filters));
  }
  const { market, version, cache, processingTimeUs, auditId } = view;
  const kept = auditId === undefined ? "" : `, kept as ${clean(auditId)}`;
  const facts = `${filtered} of market ${clean(market)} (version ${version}) satisfy it; cache ${clean(cache)}, ${processingTimeUs.toFixed(0)} us${kept}`;
  parts.push(paint.dim(facts));
  return parts.join("\n\n");
}

const part = (value: number | null | undefined, paint: Paint): string =>
  typeof value === "number" ? value.toFixed(3) : paint.bad("failed");
