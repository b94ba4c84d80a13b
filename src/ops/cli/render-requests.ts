/** Explanations and the slow log as text for people. */
import type {
  AttemptView,
  CandidateView,
  ExplainView,
  FindingView,
  SlowList,
  SlowView,
} from "../requests/port.ts";
import { clean, table } from "./terminal.ts";
import type { Paint } from "./terminal.ts";

/** An explanation: what happened, who stood where and why, who was kept out by what. */
export function renderExplanation(record: ExplainView, paint: Paint): string {
  const parts = [headline(record, paint)];
  if (record.attempts.length > 0) parts.push(attemptsTable(record, paint));
  if (record.candidates.length > 0) parts.push(candidatesTable(record.candidates, paint));
  if (record.excluded.length > 0) {
    const rows = record.excluded.map((one) => [
      clean(one.provider),
      clean(one.transport ?? "any"),
      paint.warn(clean(one.rule)),
      numbers(one),
      one.transient ? "may end by itself" : "",
    ]);
    parts.push(table(["REFUSED", "OVER", "BY", "BECAUSE", ""], rows));
  }
  return parts.join("\n\n");
}

function headline(record: ExplainView, paint: Paint): string {
  const { timings, hedge, provider } = record;
  const isDry = record.outcome === "dry_run";
  const name = `${paint.bold(clean(record.method))} on ${clean(record.chain)}`;
  const who = provider === null ? paint.bad("nobody") : paint.good(clean(provider));
  const why = record.reason === null ? "" : ` (${clean(record.reason)})`;
  const lines = [
    isDry
      ? `${name} would be served by ${who}${why}`
      : `${name}: ${clean(record.outcome)}${why}, answered by ${who} in ${timings.total_ms} ms`,
  ];
  const facts = [`strategy ${clean(record.strategy)}`];
  if (record.fallback !== null) facts.push(`by priority: ${clean(record.fallback)}`);
  if (!isDry)
    facts.push(`cache ${clean(record.cache.status)}`, `request ${clean(record.request_id)}`);
  if (record.client_request_id !== null) {
    facts.push(`called ${clean(record.client_request_id)} by its client`);
  }
  if (timings.select_us !== null) facts.push(`selected in ${timings.select_us} us`);
  if (hedge !== null) {
    const denied = hedge.denied_because === null ? "" : ` not sent: ${clean(hedge.denied_because)}`;
    facts.push(`hedge after ${hedge.after_ms ?? "?"} ms${denied}`);
  }
  lines.push(paint.dim(facts.join(" · ")));
  if (record.pairing !== null) lines.push(pairingLine(record.pairing, paint));
  if (record.help !== null) lines.push(paint.warn(helpLine(record.help)));
  return lines.join("\n");
}

/** `helped by region us-1: none of our own providers may be asked` */
function helpLine({ by, because, for: whom }: NonNullable<ExplainView["help"]>): string {
  if (by === null) return `served for region ${clean(whom ?? "?")}, which passed it on`;
  const why =
    because === "no_provider"
      ? "none of our own providers may be asked"
      : "our own providers that were asked have failed";
  return `helped by region ${clean(by)}: ${why}`;
}

/** `paired: list of acme in epoch 5, weighted: a, b; not on it: c` */
function pairingLine(pairing: NonNullable<ExplainView["pairing"]>, paint: Paint): string {
  const { consumer, epoch, mode, ids, gone, left_out: leftOut, served_by: servedBy } = pairing;
  const names = (list: readonly string[]): string => list.map(clean).join(", ") || "nobody";
  const parts = [`paired: list of ${clean(consumer)} in epoch ${epoch}, ${mode}: ${names(ids)}`];
  if (gone.length > 0) parts.push(`left since: ${names(gone)}`);
  if (leftOut.length > 0) parts.push(`not on it: ${names(leftOut)}`);
  if (servedBy === "market") parts.push(paint.warn("nobody of it was left: all providers serve"));
  return parts.join("; ");
}

function attemptsTable({ attempts, attempts_omitted: omitted }: ExplainView, paint: Paint): string {
  const rows = attempts.map((attempt) => [
    clean(attempt.provider),
    clean(attempt.transport),
    clean(attempt.kind),
    classText(attempt, paint),
    attempt.code === null ? "" : String(attempt.code),
    `${attempt.after_ms}`,
    `${attempt.ms}`,
    `${attempt.budget_ms}`,
    attempt.won ? paint.good("won") : clean(attempt.cancelled_because ?? ""),
  ]);
  const head = ["ATTEMPT", "OVER", "KIND", "CLASS", "CODE", "AFTER ms", "TOOK ms", "BUDGET ms", ""];
  const more = omitted > 0 ? `\n${paint.dim(`and ${omitted} more`)}` : "";
  return table(head, rows) + more;
}

function classText(attempt: AttemptView, paint: Paint): string {
  const text = clean(attempt.class);
  return ["ok", "empty", "running", "cancelled"].includes(text) ? text : paint.bad(text);
}

function candidatesTable(candidates: readonly CandidateView[], paint: Paint): string {
  const rows = candidates.map((one) => [
    String(one.rank),
    clean(one.provider),
    clean(one.transport),
    one.spare ? "" : one.score.toFixed(4),
    clean(one.tier),
    one.breaker.state === "closed" ? "closed" : paint.bad(clean(one.breaker.state)),
    one.head === null ? "" : String(one.head),
    one.lag === null ? "" : String(one.lag),
    notes(one, paint),
  ]);
  const head = ["RANK", "PROVIDER", "OVER", "SCORE", "TIER", "BREAKER", "HEAD", "LAG", "WHY"];
  return table(head, rows);
}

function notes(candidate: CandidateView, paint: Paint): string {
  if (candidate.spare) return paint.dim("other transport");
  const parts = Object.entries(candidate.components)
    .filter(([, { weight }]) => weight !== 0)
    .map(([name, { value, weight }]) => `${clean(name)} ${short(value)}×${short(weight)}`);
  if (candidate.sticky) parts.push("sticky");
  if (candidate.cooldown_ms > 0) parts.push(paint.warn(`cooling ${candidate.cooldown_ms} ms`));
  const { forecast, prior } = candidate;
  for (const [what, word] of Object.entries(prior ?? {})) {
    if (word === null || word.samples === 0) continue;
    const said = `${what} ${short(word.value)} by ${word.regions.map(clean).join(", ")}`;
    parts.push(paint.dim(`${said} as ${short(word.samples)} samples`));
  }
  if (forecast?.demoted === true) {
    const [strongest] = forecast.components;
    const why = strongest === undefined ? "" : `: ${clean(strongest.reason)}`;
    parts.push(paint.warn(`likely to fail (${short(forecast.probability)})${why}`));
  }
  for (const found of candidate.relaxed) {
    parts.push(paint.warn(`${clean(found.rule)} ${numbers(found)}`.trim()));
  }
  return parts.join(" + ");
}

const short = (value: number): string => String(Number(value.toPrecision(3)));

function numbers({ value, limit }: FindingView): string {
  const said = typeof value === "number" ? short(value) : clean(value ?? "");
  return limit === null ? said : `${said} > ${short(limit)}`.trim();
}

/** The slow log as lines. */
export function renderSlow({ total, entries }: SlowList, paint: Paint): string {
  if (entries.length === 0) return paint.dim("no slow or failed requests");
  const lines = entries.map((entry) => slowLine(entry, paint));
  const more = `${entries.length} of ${total} requests; --limit shows more`;
  return [...lines, ...(entries.length < total ? [paint.dim(more)] : [])].join("\n");
}

/** One slow or failed request in one line. */
export function slowLine(entry: SlowView, paint: Paint): string {
  const { seq, why, reason, params } = entry;
  const attempts = entry.attempts.map(
    ({ provider, kind, class: how, ms, won }) =>
      `${clean(provider)}=${clean(kind)}:${clean(how)}:${Math.round(ms)}${won ? ":won" : ""}`,
  );
  const parts = [
    paint.dim(`${seq}  ${(entry.age_ms / 1_000).toFixed(1)} s ago`),
    why === "slow" ? paint.warn(why) : paint.bad(why),
    `${clean(entry.chain)} ${paint.bold(clean(entry.method))}`,
    `${Math.round(entry.total_ms)} ms`,
    clean(reason ?? entry.outcome),
    attempts.join(";"),
    params === null ? "" : `params ${clean(params.outline ?? `${params.bytes} bytes`)}`,
    paint.dim(clean(entry.request_id)),
  ];
  return parts.filter((part) => part !== "").join("  ");
}
