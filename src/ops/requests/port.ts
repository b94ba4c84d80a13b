/** What the operator's commands and pages ask of the request path: explanations and the slow log. */

/** One rule and the numbers behind it. */
export interface FindingView {
  readonly rule: string;
  readonly value: number | string | null;
  readonly limit: number | null;
}

/** One endpoint that could serve a call. */
export interface CandidateView {
  readonly provider: string;
  readonly transport: string;
  readonly rank: number;
  readonly score: number;
  readonly components: Readonly<
    Record<string, { readonly raw: unknown; readonly value: number; readonly weight: number }>
  >;
  readonly tier: string;
  readonly spare: boolean;
  readonly relaxed: readonly FindingView[];
  readonly prior: {
    readonly race: PriorView | null;
    readonly calls: PriorView | null;
  } | null;
  readonly forecast: {
    readonly probability: number;
    readonly demoted: boolean;
    readonly components: readonly { readonly reason: string }[];
  } | null;
  readonly sticky: boolean;
  readonly breaker: { readonly state: string };
  readonly cooldown_ms: number;
  readonly head: number | null;
  readonly lag: number | null;
}

/** What other regions say of a provider. */
export interface PriorView {
  readonly value: number;
  readonly samples: number;
  readonly regions: readonly string[];
}

/** One attempt. */
export interface AttemptView {
  readonly provider: string;
  readonly transport: string;
  readonly kind: string;
  readonly class: string;
  readonly code: number | null;
  readonly after_ms: number;
  readonly ms: number;
  readonly budget_ms: number;
  readonly won: boolean;
  readonly cancelled_because: string | null;
}

/** An explanation as far as the command line shows it; docs/explain.md has all of it. */
export interface ExplainView {
  readonly request_id: string;
  readonly client_request_id: string | null;
  readonly chain: string;
  readonly method: string;
  readonly strategy: string;
  readonly fallback: string | null;
  readonly outcome: string;
  readonly reason: string | null;
  readonly provider: string | null;
  readonly candidates: readonly CandidateView[];
  readonly excluded: readonly (FindingView & {
    readonly provider: string;
    readonly transport: string | null;
    readonly transient: boolean;
  })[];
  readonly attempts: readonly AttemptView[];
  readonly attempts_omitted: number;
  readonly hedge: {
    readonly fired: boolean;
    readonly after_ms: number | null;
    readonly denied_because: string | null;
  } | null;
  readonly help: {
    readonly by: string | null;
    readonly because: string | null;
    readonly for: string | null;
  } | null;
  readonly pairing: {
    readonly consumer: string;
    readonly epoch: number;
    readonly mode: string;
    readonly ids: readonly string[];
    readonly gone: readonly string[];
    readonly left_out: readonly string[];
    readonly served_by: string;
  } | null;
  readonly cache: { readonly status: string };
  readonly timings: {
    readonly select_us: number | null;
    readonly upstream_ms: number | null;
    readonly total_ms: number;
  };
}

/** One request of the slow log. */
export interface SlowView {
  readonly seq: number;
  readonly why: "slow" | "failed";
  readonly request_id: string;
  readonly chain: string;
  readonly method: string;
  readonly outcome: string;
  readonly reason: string | null;
  readonly provider: string | null;
  readonly cache: string;
  readonly total_ms: number;
  /** Time since it ended. */
  readonly age_ms: number;
  readonly attempts: readonly AttemptView[];
  readonly attempts_omitted: number;
  readonly params: {
    readonly bytes: number;
    readonly hash: string;
    readonly outline: string | null;
  } | null;
}

/** The slow log: how many there are after `since`, and the newest of them, oldest first. */
export interface SlowList {
  readonly total: number;
  readonly entries: readonly SlowView[];
}

/** A call that is not made. */
export interface DryQuestion {
  readonly chain: string;
  readonly method: string;
  /** JSON text. */
  readonly params?: string | undefined;
  readonly strategy?: string | undefined;
  readonly provider?: string | undefined;
  readonly transport?: "http" | "ws" | "any" | undefined;
  /** As if this consumer called, under its pairing list. */
  readonly consumer?: string | undefined;
}

/** The explanation, or what is wrong with the question. */
export type DryAnswer =
  | { readonly ok: true; readonly record: ExplainView }
  | { readonly ok: false; readonly isUnknown: boolean; readonly message: string };

/** The request path, for questions; it sends nothing. */
export interface RequestsPort {
  /** By our id or the client's; `undefined` when it is not kept any more. */
  request(id: string): ExplainView | undefined;
  method(question: DryQuestion): DryAnswer;
  slow(question: { readonly since: number; readonly limit: number }): SlowList;
}
