/**
 * Who was considered for a request and what kept the others out, recomputed from the immutable
 * snapshot when somebody asks: the request path keeps nothing but the selection itself.
 */
import type { EndpointRow } from "../chain-view.ts";
import { reasonOf } from "../prediction/reason.ts";
import type { ProviderForecast } from "../prediction/forecast-book.ts";
import { entryOf, judgedCalls } from "../selection/entry.ts";
import type { Entry } from "../selection/entry.ts";
import { findingOf, healthFindings, isTransient, rowsOf } from "../selection/filters.ts";
import type { Finding, FindingRule } from "../selection/filters.ts";
import { marketOf } from "../selection/market/market.ts";
import type { Selected } from "../selection/selected.ts";
import { faultsAt, faultsOf } from "../selection/selected.ts";
import type { Candidate, EndpointView, ExclusionRule } from "../selection/snapshot.ts";
import { SPARE_PLACE } from "../selection/place.ts";
import { stickyProvider } from "../selection/sticky.ts";
import { strategies } from "../selection/strategies/registry.ts";
import { fading, type Prior, type ProviderPrior } from "../selection/prior.ts";
import type {
  CandidateRow,
  ComponentRow,
  ExcludedRow,
  FindingRow,
  ForecastRow,
  PriorRow,
  PriorWord,
} from "./record.ts";

/** The candidates of a selection, best first. */
export const candidateRows = (selected: Selected, nowMs: number): readonly CandidateRow[] => {
  const { ranking, snapshot, demand } = selected;
  const components = componentsOf(selected);
  const held = heldProvider(selected);
  return ranking.candidates.map((candidate, index) => {
    const { row, view, place } = candidate;
    const isSpare = place === SPARE_PLACE;
    return {
      provider: view.provider,
      transport: row.transport,
      rank: index + 1,
      score: candidate.score,
      components: components.get(candidate) ?? {},
      tier: candidate.tier,
      spare: isSpare,
      relaxed: healthFindings(snapshot, demand, view, row)
        .filter(({ rule }) => candidate.relaxed.includes(rule))
        .map(findingRow),
      canary: candidate.canary ?? null,
      prior: view.prior === undefined ? null : priorRow(view.prior, view, row, demand.method),
      forecast: view.forecast === undefined ? null : forecastRow(view.forecast),
      sticky: !isSpare && view.provider === held,
      breaker: {
        state: row.state,
        open_until_ms: row.state === "open" ? remaining(row.openUntilMs, nowMs) : 0,
        generation: row.generation,
        forced: row.forced,
      },
      cooldown_ms: remaining(row.cooldownUntilMs, nowMs),
      head: known(row.head),
      lag: view.lag ?? null,
    };
  });
};

/** What other regions say of a provider, and how much of that its own evidence has left over. */
const priorRow = (
  { race, calls }: ProviderPrior,
  view: EndpointView,
  row: EndpointRow,
  method: string,
): PriorRow => {
  const word = (prior: Prior | undefined, own: number): PriorWord | null =>
    prior === undefined ? null : { ...prior, samples: fading(prior, own) };
  const { paceScore, races } = view.race;
  return {
    race: word(race, paceScore === undefined ? 0 : races),
    calls: word(calls, judgedCalls(view, row, method)?.n ?? 0),
  };
};

/** The score of each candidate taken apart; spares have none. */
const componentsOf = (
  selected: Selected,
): ReadonlyMap<Candidate, Readonly<Record<string, ComponentRow>>> => {
  const { snapshot, demand, ranking } = selected;
  const scored = ranking.candidates.filter(({ place }) => place !== SPARE_PLACE);
  const entries = scored.map(
    ({ view, row, relaxed, tier }): Entry => ({
      ...entryOf(snapshot, demand, view, row, relaxed, snapshot.endpoints.indexOf(view)),
      // The row has moved on since; the ranking was made with this tier.
      tier,
    }),
  );
  const parts = marketOf(snapshot, demand).parts(entries);
  return new Map(
    scored.map((candidate, i) => [
      candidate,
      Object.fromEntries(
        (parts[i] ?? []).map(({ name, raw, value, weight }) => [name, { raw, value, weight }]),
      ),
    ]),
  );
};

/** The holder of a sticky first place: as the order shows, else as it is remembered. */
const heldProvider = (selected: Selected): string | undefined => {
  const { ranking, snapshot, demand } = selected;
  const strategy = strategies[ranking.strategy];
  const [first, second] = ranking.candidates;
  if (first === undefined || !strategy.isSticky) return undefined;
  const isHeld = second?.place === first.place && second.score > first.score;
  const { provider } = first.view;
  if (isHeld) return provider;
  return stickyProvider(snapshot, strategy.name, demand) === provider ? provider : undefined;
};

/** Every rule that kept an endpoint out, provider by provider. */
export const excludedRows = (selected: Selected, nowMs: number): readonly ExcludedRow[] => {
  const { snapshot } = selected;
  return snapshot.endpoints.flatMap((view, at) => excludedOf(selected, view, at, nowMs));
};

const excludedOf = (
  selected: Selected,
  view: EndpointView,
  at: number,
  nowMs: number,
): readonly ExcludedRow[] => {
  const { demand, ranking, snapshot } = selected;
  const { provider } = view;
  const market = marketOf(snapshot, demand);
  const all: ExcludedRow[] = market.refusals(at).map((refusal) => ({
    provider,
    transport: null,
    ...findingRow(findingOf(refusal)),
    transient: refusal.transient,
  }));
  for (const row of rowsOf(demand, view)) {
    const index = ranking.candidates.findIndex((candidate) => candidate.row === row);
    all.push(...rowFindings(selected, row, index, nowMs));
  }
  return all;
};

/** What the cell of an endpoint refused when it was selected, and whether it has the block. */
const rowFindings = (
  selected: Selected,
  row: EndpointRow,
  index: number,
  nowMs: number,
): readonly ExcludedRow[] => {
  const { provider, transport } = row;
  const { minHead, ranking } = selected;
  const left = ranking.excluded.find(
    (one) => one.provider === provider && one.transport === transport,
  );
  // An endpoint that another rule had left out was not looked at then: its cell speaks as of now.
  const rules = index < 0 ? faultsOf(row, nowMs) : faultsAt(selected, index);
  const named = left === undefined || rules.includes(left.rule) ? rules : [left.rule, ...rules];
  const rows = named.map(
    (rule): ExcludedRow => ({
      provider,
      transport,
      rule,
      value: faultValue(rule, row, nowMs),
      limit: rule === "quota" ? (row.budget?.spent(nowMs)?.limit ?? null) : null,
      transient: isTransient(rule),
    }),
  );
  if (index >= 0 && minHead > 0 && row.head < minHead) {
    const value = known(row.head);
    const rule: FindingRule = "block_unreached";
    rows.push({ provider, transport, rule, value, limit: minHead, transient: isTransient(rule) });
  }
  return rows;
};

const faultValue = (
  rule: ExclusionRule,
  row: EndpointRow,
  nowMs: number,
): number | string | null => {
  if (rule === "cooldown") return remaining(row.cooldownUntilMs, nowMs);
  if (rule === "breaker_open") return row.state === "open" ? remaining(row.openUntilMs, nowMs) : 0;
  if (rule === "rate" || rule === "quota") return row.budget?.spent(nowMs)?.value ?? null;
  // What follows the colon may be in a provider's words.
  return rule === "cordoned" ? (row.unusableReason?.split(":", 1)[0] ?? null) : null;
};

const findingRow = ({ rule, value, limit }: Finding): FindingRow => ({
  rule,
  value: value ?? null,
  limit: limit ?? null,
});

/** Signs that say next to nothing are left out. */
const LEAST_PROBABILITY = 0.01;

const forecastRow = ({ probability, isDemoted, components }: ProviderForecast): ForecastRow => ({
  probability: thousandths(probability),
  demoted: isDemoted,
  components: components
    .filter((component) => component.probability >= LEAST_PROBABILITY)
    .map((component) => ({
      signal: component.signal,
      probability: thousandths(component.probability),
      contribution: thousandths(component.contribution),
      level: thousandths(component.level),
      slope_per_s: thousandths(component.slopePerSec),
      limit: component.limit,
      limit_in_s: component.limitInSec === undefined ? null : thousandths(component.limitInSec),
      reason: reasonOf(component),
    })),
});

const thousandths = (value: number): number => Math.round(value * 1_000) / 1_000;

const known = (block: number): number | null => (block < 0 ? null : block);

const remaining = (untilMs: number, nowMs: number): number =>
  Math.max(0, Math.ceil(untilMs - nowMs));

/** The view of a provider in a selection. */
export const viewIn = ({ snapshot }: Selected, provider: string): EndpointView | undefined =>
  snapshot.endpoints.find((view) => view.provider === provider);
