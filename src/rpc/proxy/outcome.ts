/**
 * Decides what a client is told when no attempt brought a result: a final upstream error unchanged,
 * the most informative of several, or our own -32002 with the attempts it took.
 */
import type { OwnReason } from "../errors/codes.ts";
import { OWN_ERRORS } from "../errors/codes.ts";
import { isFinal, mostInformative } from "../errors/most-informative.ts";
import { isHelpable } from "../help/helping-regions.ts";
import type { ProviderId } from "../ids.ts";
import { errorText, rawErrorText } from "../json-rpc/error-text.ts";
import { noProvider } from "../selection/pick.ts";
import type { Selected } from "../selection/selected.ts";
import type { ExclusionRule } from "../selection/snapshot.ts";
import type { Attempt } from "./attempt/attempt.ts";
import type { ServedCall } from "./served-call.ts";

/** An answer made of text. */
export interface FinalAnswer {
  readonly status: number;
  readonly latin1: string;
  readonly reason: OwnReason | undefined;
  /** The provider whose error is relayed. */
  readonly provider: ProviderId | undefined;
  readonly isResult: boolean;
}

/** The answer once nothing more will be tried. */
export function finalAnswer(record: ServedCall, reason: OwnReason): FinalAnswer {
  const { attempts } = record;
  const best = mostInformative(attempts.filter(isNodesWord));
  // A final error passes as it came, however many attempts there were besides.
  if (best !== undefined) return relayed(record, best, attempts.length > 1 && !isFinal(best));
  return ownAnswer(record, reason === "no_provider" ? whyNobody(record) : reason);
}

/** What another region says of its own trouble is no node's answer. */
const isNodesWord = ({ row, errorClass }: Attempt): boolean =>
  row.region === undefined || !isHelpable(errorClass);

function relayed(record: ServedCall, attempt: Attempt, addsData: boolean): FinalAnswer {
  const error = attempt.error as NonNullable<Attempt["error"]>;
  const raw = record.engine.redact(error.raw);
  const text =
    addsData && !error.hasData
      ? errorText(
          record.idToken,
          error.code,
          record.engine.redact(error.message),
          explanation(record, "exhausted"),
        )
      : rawErrorText(record.idToken, raw);
  return {
    status: 200,
    latin1: text,
    reason: undefined,
    provider: attempt.provider,
    isResult: false,
  };
}

/** An error of ours for this call. */
export function ownAnswer(record: ServedCall, reason: OwnReason): FinalAnswer {
  const { code, status } = OWN_ERRORS[reason];
  return {
    status,
    latin1: errorText(record.idToken, code, messageOf(record, reason), explanation(record, reason)),
    reason,
    provider: undefined,
    isResult: false,
  };
}

/** What nobody can do will not be possible a second later: such a call is no 503, which is tried again. */
function whyNobody({ ranking, selected }: ServedCall): OwnReason {
  const isPaired = isWithinList(selected);
  const usual = isPaired ? "pairing_exhausted" : "no_provider";
  if (ranking === undefined || ranking.candidates.length > 0) return usual;
  if (isPaired && selected?.demand.paired?.members.size === 0) return usual;
  const rules = ranking.excluded.map(({ rule }) => rule).filter((rule) => !UNASKED.has(rule));
  if (rules.length === 0 || !rules.every((rule) => INCAPABLE.has(rule))) return usual;
  return rules.every((rule) => rule === "method_unsupported")
    ? "method_unsupported"
    : "out_of_reach";
}

/** Rules that say who was not meant. */
const UNASKED: ReadonlySet<ExclusionRule> = new Set(["not_requested", "pairing"]);

const isWithinList = (selected: Selected | undefined): boolean =>
  selected?.demand.paired !== undefined && selected.demand.hasLeftList !== true;

/** Rules that say what a provider cannot serve, as configured or learned. */
const INCAPABLE: ReadonlySet<ExclusionRule> = new Set([
  "method_unsupported",
  "archive",
  "block_range",
]);

/** What an error of ours says of the call in `data`. */
export function explanation(
  record: ServedCall,
  reason: OwnReason,
): Readonly<Record<string, unknown>> {
  return {
    reason,
    request_id: record.requestId,
    ...pairingOf(record),
    attempts: record.attempts.map(({ provider, errorClass, status, error, durationMs }) => ({
      provider,
      class: errorClass,
      code: error?.code ?? status ?? null,
      ms: Math.round(durationMs),
    })),
  };
}

/** The list that the call was under. */
function pairingOf({ call: { options } }: ServedCall): Readonly<Record<string, unknown>> {
  const { paired } = options;
  if (paired === undefined) return {};
  return {
    pairing: { consumer: paired.consumer, epoch: paired.epoch, members: [...paired.members] },
  };
}

function messageOf(record: ServedCall, reason: OwnReason): string {
  const { method, chain, attempts, ranking } = record;
  const what = `${method} on ${chain}`;
  const list = record.call.options.paired;
  if (reason === "pairing_exhausted" && list?.members.size === 0) {
    return `the pairing list of ${list.consumer} for ${what} is empty in epoch ${list.epoch}`;
  }
  if (reason === "no_provider" || reason === "out_of_reach" || reason === "pairing_exhausted") {
    const { snapshot } = record.call.chain;
    const here =
      snapshot === undefined || ranking === undefined
        ? `no provider for ${what}: the chain is starting`
        : noProvider(snapshot, method, ranking, record.now(), record.call.pin).message;
    const { chain: view, options } = record.call;
    const isAlone = view.helpers === undefined || options.isHelped === true;
    return isAlone ? here : `${here}; no other region can help`;
  }
  if (reason === "method_unsupported") return `no provider implements ${what}`;
  if (reason === "deadline") return `time ran out for ${what}: ${tally(classes(attempts))}`;
  if (reason === "response_too_large") return `the answer to ${what} is over the size limit`;
  return `no provider answered ${what}: ${tally(classes(attempts))}`;
}

function classes(attempts: readonly Attempt[]): readonly string[] {
  return attempts.map(({ row: { region }, errorClass }) =>
    region === undefined ? errorClass : `${errorClass} at region ${region}`,
  );
}

/** `2 timeout, 1 rate_limit` */
function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} ${word}`).join(", ") || "nothing tried";
}
