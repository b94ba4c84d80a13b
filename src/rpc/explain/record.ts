/**
 * The explanation of one request: who was considered, what refused each provider, how the score of
 * each is made up, what was tried and how it went. One JSON shape for the header, the body, the
 * command line, the admin socket and the API; docs/explain.md lists every field with its unit.
 *
 * A step of the request path that did something worth telling adds a `Note` to the call and fills its
 * section when somebody asks; nothing is worded on the request path itself.
 */
import type { ErrorClass } from "../errors/classes.ts";
import type { ProviderId, Transport } from "../ids.ts";
import type { SignalName } from "../prediction/signals.ts";
import type { FindingRule } from "../selection/filters.ts";
import type { Tier } from "../selection/snapshot.ts";

/** Says what one step did for a call. Small and without bodies: the ring of requests keeps it. */
export interface Note {
  /** The note before it, if any. */
  next: Note | undefined;
  /** Fills the step's own section of the record. */
  describe(record: ExplainRecord): void;
}

/** Something that carries notes: a call. */
export interface Noted {
  notes?: Note | undefined;
}

/**
 * Adds a note to a call. A call derived from it (`{ ...call, body }`) has the notes that were there
 * by then, so add yours first, or add it to the call whose facts the sink is given.
 */
export const addNote = (noted: Noted, note: Note): void => {
  note.next = noted.notes;
  noted.notes = note;
};

/** One number of a score; the score is the sum of `weight` times `value` over its components. */
export interface ComponentRow {
  /** What was measured or configured; null while unknown. */
  readonly raw: number | string | null;
  readonly value: number;
  readonly weight: number;
}

/** A rule that an endpoint breaks, with the numbers behind it. */
export interface FindingRow {
  readonly rule: FindingRule;
  readonly value: number | string | null;
  readonly limit: number | null;
}

/** One sign of what is foreseen, strongest first. */
export interface SignRow {
  readonly signal: SignalName;
  /** That it alone leads to a breach within the horizon, and its share of the whole. */
  readonly probability: number;
  readonly contribution: number;
  /** In the signal's own unit. */
  readonly level: number;
  readonly slope_per_s: number;
  readonly limit: number;
  /** 0: it is there; null: it is not going there. */
  readonly limit_in_s: number | null;
  readonly reason: string;
}

/** How likely a provider is to breach a limit soon. */
export interface ForecastRow {
  readonly probability: number;
  /** It stands behind the others of its tier. */
  readonly demoted: boolean;
  readonly components: readonly SignRow[];
}

/** What other regions say of one thing. */
export interface PriorWord {
  readonly value: number;
  /** The samples that it still counts as. */
  readonly samples: number;
  readonly regions: readonly string[];
}

/** Race credit and reliability as other regions have them. */
export interface PriorRow {
  readonly race: PriorWord | null;
  readonly calls: PriorWord | null;
}

/** One endpoint that could serve the call, in the order of the ranking. */
export interface CandidateRow {
  readonly provider: ProviderId;
  readonly transport: Transport;
  readonly rank: number;
  readonly score: number;
  readonly components: Readonly<Record<string, ComponentRow>>;
  readonly tier: Tier;
  /** Another transport of a provider that stands further up; it has no score of its own. */
  readonly spare: boolean;
  /** Health rules that it breaks: it stands behind those that break none. */
  readonly relaxed: readonly FindingRow[];
  /** A provider on trial: whether its turn had come; null for all others. */
  readonly canary: "promoted" | "demoted" | null;
  /** What other regions say of its provider, and how much of that still counts; null where nobody asks. */
  readonly prior: PriorRow | null;
  /** What is foreseen of its provider; null while nobody looks ahead. */
  readonly forecast: ForecastRow | null;
  /** Held in the first place although another one scores more. */
  readonly sticky: boolean;
  /** Its cell when the explanation was made. */
  readonly breaker: {
    readonly state: "closed" | "open" | "half_open";
    /** Time until it admits a probe; 0 unless open. */
    readonly open_until_ms: number;
    readonly generation: number;
    readonly forced: boolean;
  };
  readonly cooldown_ms: number;
  readonly head: number | null;
  readonly lag: number | null;
}

/** One rule that kept a provider from being tried. */
export interface ExcludedRow extends FindingRow {
  readonly provider: ProviderId;
  /** Null: the rule holds for the provider whatever the transport. */
  readonly transport: Transport | null;
  /** It may end by itself; else only when configuration, provider or call are others. */
  readonly transient: boolean;
}

/** Why an attempt was made. */
export type AttemptKind =
  | "primary"
  /** After a failure. */
  | "failover"
  /** Beside one that is slow. */
  | "hedge"
  /** At another region, for want of a provider. */
  | "help"
  /** The same provider again, over a fresh connection. */
  | "retry"
  /** One of several that serve a call together. */
  | "part"
  /** A copy for which nobody waits. */
  | "probe";

/** Why an attempt was given up that nobody is to blame for. */
export type CancelReason = "client_gone" | "lost" | "reused_socket" | "too_large";

/** One request to one endpoint. */
export interface AttemptRow {
  readonly provider: ProviderId;
  readonly transport: Transport;
  readonly kind: AttemptKind;
  /** `running` while its answer streams. */
  readonly class: ErrorClass | "running";
  /** The upstream's error code, else its HTTP status or close code. */
  readonly code: number | null;
  /** Time from the arrival of the request to this attempt. */
  readonly after_ms: number;
  readonly ms: number;
  readonly budget_ms: number;
  readonly won: boolean;
  readonly cancelled_because: CancelReason | null;
}

/** What became of the second attempt that a slow first one may have. */
export interface HedgeRow {
  readonly fired: boolean;
  /** How long the first attempt was given. */
  readonly after_ms: number | null;
  /** Hedges that the budget allowed then. */
  readonly budget_left: number | null;
  readonly denied_because: string | null;
}

/** A caller's pairing list as the call found it. */
export interface PairingRow {
  readonly consumer: string;
  readonly epoch: number;
  readonly revision: number;
  readonly seed: string;
  readonly mode: string;
  /** Ids or vendors that were drawn, best first. */
  readonly ids: readonly string[];
  /** Those of them that have left the market since. */
  readonly gone: readonly string[];
  /** Providers of the chain that are not on it. */
  readonly left_out: readonly ProviderId[];
  /** `market`: nobody of the list was left, and the caller may go on to all. */
  readonly served_by: "list" | "market";
}

/** What regions did for each other for this call. */
export interface HelpRow {
  /** The region that was asked last, and why; null when none was. */
  readonly by: string | null;
  readonly because: "no_provider" | "exhausted" | null;
  /** The region that has passed the call on to this one. */
  readonly for: string | null;
}

/** A section that a step of the request path fills. */
export type Section = Readonly<Record<string, unknown>>;

/** The explanation; its sections are null where the step had nothing to do. */
export interface ExplainRecord {
  /** Version of this shape. */
  readonly v: 1;
  readonly request_id: string;
  /** The client's own id (`X-Paceline-Request-Id`), when it sent a valid one. */
  readonly client_request_id: string | null;
  readonly chain: string;
  readonly method: string;
  readonly strategy: string;
  /** Why the strategy could not be followed. */
  readonly fallback: string | null;
  readonly protocol: Transport;
  readonly outcome: "ok" | "error" | "gone" | "running" | "dry_run";
  readonly reason: string | null;
  readonly provider: ProviderId | null;
  readonly seed: number | null;
  readonly snapshot: {
    readonly version: number;
    /** How old it was when the request came. */
    readonly age_ms: number;
    readonly tip: number | null;
  } | null;
  readonly candidates: readonly CandidateRow[];
  /** Every rule that refused a provider, not only the first. */
  readonly excluded: readonly ExcludedRow[];
  readonly attempts: readonly AttemptRow[];
  /** Attempts that are not listed: only so many are kept. */
  readonly attempts_omitted: number;
  readonly hedge: HedgeRow | null;
  readonly timings: {
    readonly select_us: number | null;
    /** The winning attempt. */
    readonly upstream_ms: number | null;
    readonly total_ms: number;
  };
  /** What the attempts cost by the configuration. */
  readonly cost: { readonly units: number; readonly price: number } | null;
  /** The block that `latest` stands for. */
  pin: Section | null;
  cache: Section & { readonly status: string };
  flight: Section | null;
  /** Another region that was asked, or that had asked. */
  help: HelpRow | null;
  quorum: Section | null;
  integrity: Section | null;
  logs: Section | null;
  write: Section | null;
  client: Section | null;
  /** The list that the caller is paired with. */
  readonly pairing: PairingRow | null;
  params: Section | null;
  /** Something was left out so that it fits a header. */
  truncated?: true;
}
