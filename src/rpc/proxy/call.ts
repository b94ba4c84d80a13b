/** What one call asks for, and where its answer goes. */
import type { QuorumPreference } from "../integrity/quorum-tally.ts";
import type { RateBucket } from "../../lib/rate-bucket.ts";
import type { Note } from "../explain/record.ts";
import type { Told } from "../explain/told.ts";
import type { OwnReason } from "../errors/codes.ts";
import type { ProviderId, Transport } from "../ids.ts";
import type { Envelope } from "../json-rpc/scan.ts";
import type { Consistency, StrategyName } from "../../../config/schema.ts";
import type { TagPins } from "../consistency/tag-pins.ts";
import type { Caller } from "../clients/caller.ts";
import type { LimitedProfile } from "../clients/profiles.ts";
import type { PairedList } from "../selection/paired.ts";
import type { ChainView } from "./ports.ts";

/** How the caller wants its call to be served; from path, headers and query. */
export interface CallOptions {
  /** The chain's own when undefined. */
  readonly strategy: StrategyName | undefined;
  /** The profile of the path, or of the caller's key. */
  readonly profile: LimitedProfile | undefined;
  /** The providers that the caller is paired with; any when absent. */
  readonly paired?: PairedList | undefined;
  /** Only this provider, or those that a tag or a glob means (`isAsked`). */
  readonly provider: ProviderId | undefined;
  readonly transport: Transport | "any";
  readonly failover: boolean;
  /** The caller asked for failover in so many words: the named provider is only the first to try. */
  readonly leavesProvider: boolean;
  /** Attempts at most; 0 stands for the gateway's limit. */
  readonly maxAttempts: number;
  /** Time for all attempts; 0 stands for the method's own. */
  readonly timeoutMs: number;
  readonly meta: "none" | "headers" | "body";
  /** Neither reads nor fills the cache, and shares no attempt with others. */
  readonly noCache: boolean;
  readonly noHedge: boolean;
  /** Fixed wait before a hedge, ms; 0 stands for the adaptive one. */
  readonly hedgeMs: number;
  /** This many of that many providers must agree. */
  readonly quorum: Quorum | undefined;
  /** The chain's own when undefined. */
  readonly consistency: Consistency | undefined;
  /** The session that the caller names; none when absent. */
  readonly session?: string | undefined;
  /** Highest price of a million such calls; no limit when undefined. */
  readonly maxCost: number | undefined;
  /** Providers that must not be asked. */
  readonly exclude: readonly ProviderId[];
  /** The provider to try first, whatever its rank. */
  readonly prefer?: ProviderId | undefined;
  /** All providers are asked and measured; the first result is the answer. */
  readonly asksAll: boolean;
  /** A header or the query has changed something. */
  readonly isDirected: boolean;
  /** The client's own name for this request, kept beside ours. */
  readonly clientRequestId: string | undefined;
  /** Another region has passed it on: it is passed on no further. */
  readonly isHelped?: boolean;
}

/** `agree` of `of` providers must give the same answer. */
export interface Quorum {
  readonly agree: number;
  readonly of: number;
  /** What an answer that says "nothing there" is worth; as the chain's rules have it when absent. */
  readonly prefer?: QuorumPreference;
}

/** Options of a path without directives. */
export const PLAIN_OPTIONS: CallOptions = {
  strategy: undefined,
  profile: undefined,
  provider: undefined,
  transport: "any",
  failover: true,
  leavesProvider: false,
  maxAttempts: 0,
  timeoutMs: 0,
  meta: "none",
  noCache: false,
  noHedge: false,
  hedgeMs: 0,
  quorum: undefined,
  consistency: undefined,
  maxCost: undefined,
  exclude: [],
  asksAll: false,
  isDirected: false,
  clientRequestId: undefined,
};

/** One call of a client. */
export interface Call {
  readonly chain: ChainView;
  readonly options: CallOptions;
  /** The transport the client came by. */
  readonly protocol: Transport;
  readonly body: Buffer;
  readonly envelope: Envelope;
  /** Where the client can open a WebSocket for this chain. */
  readonly websocketUrl: () => string;
  /** Where block tags stand for this call and others with it; as the provider has them when absent. */
  readonly pins?: TagPins | undefined;
  /** The block that a tag was replaced by: nobody who is behind it may serve the call. */
  readonly pin?: number | undefined;
  /** A part of another call: evidence as any, but no request of a client. */
  readonly isPart: boolean;
  /** Who pays for it; undefined where nothing is counted, and for our own calls. */
  readonly caller?: Caller | undefined;
  /** The bucket of the address it came from. */
  readonly peer?: RateBucket | undefined;
  /** What steps of the path have to say of it; see `addNote`. */
  notes?: Note | undefined;
}

/** What happened to a call, for headers, the explanation and observers. */
export interface CallFacts extends Told {
  readonly cache: CacheStatus;
  /** The client's id as it stood in the request. */
  readonly idToken: string;
  readonly reason: OwnReason | undefined;
  /** When a call that was refused for its limits may come again, ms. */
  readonly retryAfterMs?: number | undefined;
  now(): number;
}

/** Where an answer came from, as the `X-Paceline-Cache` header says it. */
export type CacheStatus = "HIT" | "MISS" | "COALESCED" | "LOCAL" | "BYPASS";

/** Takes one call's answer. Text is latin1: one char per byte of UTF-8. */
export interface CallSink {
  /** The answer may leave in parts; otherwise it is buffered and comes whole. */
  readonly canStream: boolean;
  /** Largest answer it takes; the gateway's limit holds besides. */
  readonly maxBytes: number;
  /** A whole result: `body` with the bytes `idStart..idEnd` replaced by the client's id. */
  result(facts: CallFacts, body: Buffer, idStart: number, idEnd: number): void;
  /** A whole answer of our own making, as latin1 text; `status` is the HTTP status of a single call. */
  text(facts: CallFacts, status: number, latin1: string): void;
  /** A result begins to stream; `sizeBytes` counts the spliced body, or is -1. */
  begin(facts: CallFacts, sizeBytes: number): void;
  /** False asks for a pause; the sink then calls `Running.resume`. */
  write(chunk: Buffer): boolean;
  end(): void;
  /** The stream broke: whatever left must not look complete. */
  abort(): void;
}
