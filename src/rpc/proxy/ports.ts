/**
 * What the request path needs from the rest of the program, and what it promises to the drivers.
 *
 * The proxy is pure: time, chance, sockets and processes arrive through these interfaces. Drivers in
 * `src/io` satisfy them by shape; the processes that own the records implement the rest.
 */
import type { PairingDoor } from "../clients/paired-callers.ts";
import type { BookLimits } from "../explain/book.ts";
import type { AttemptOutcome, EndpointRow, HeadView } from "../chain-view.ts";
import type { ChainName, ProviderId, Transport } from "../ids.ts";
import type { Helpers } from "../help/helping-regions.ts";
import type { HelpDoor } from "../help/ports.ts";
import type { CapabilityBook } from "../capabilities/capability-book.ts";
import type { ErrorClass } from "../errors/classes.ts";
import type { ErrorRule } from "../errors/rules.ts";
import type {
  ChainCacheConfig,
  Consistency,
  HedgeConfig,
  IntegrityConfig,
  LogsConfig,
  QuorumRuleConfig,
} from "../../../config/schema.ts";
import type { Packer } from "../cache/shared-level.ts";
import type { AnswerCache } from "../cache/answer-cache.ts";
import type { CacheCounts } from "../cache/cache-counts.ts";
import type { Canon } from "../cache/canon.ts";
import type { BlockRing } from "../integrity/block-ring.ts";
import type { UnmatchedErrors } from "../errors/unmatched.ts";
import type { WriteConfig } from "../../../config/schema.ts";
import type { RoutingSnapshot } from "../selection/snapshot.ts";
import type { SharedScripts } from "../clients/shared-limits.ts";
import type { SharedCache } from "../shared-store.ts";

/** How an attempt broke below JSON-RPC. */
export type UpstreamFailureKind =
  | "refused"
  | "reset"
  | "timeout"
  | "dns"
  | "tls"
  | "closed"
  | "truncated"
  | "overflow"
  | "other";

/** One transport failure of one attempt. */
export interface UpstreamFailure {
  readonly kind: UpstreamFailureKind;
  /** The request went out on a kept-alive connection and no response byte came back. */
  readonly reusedSocket: boolean;
  /** Text for logs; it may hold a URL, so it passes the redactor before it leaves the process. */
  readonly detail: string;
}

/** The facts of a response head that the exchange needs. */
export interface UpstreamHead {
  readonly status: number;
  /** Declared body size in bytes after decoding, or -1 when the upstream did not say. */
  readonly sizeBytes: number;
  readonly retryAfter: string | undefined;
}

/** Receives one attempt's answer; exactly one of `onEnd` and `onFailure` ends it. */
export interface UpstreamHandler {
  /** When nobody waits for it any more, in the caller's time; another region is told of it. */
  readonly expiresAtMs?: number;
  onHead(head: UpstreamHead): void;
  /** Returns false to ask for a pause; `UpstreamCall.resume` continues. */
  onData(chunk: Buffer): boolean;
  onEnd(): void;
  onFailure(failure: UpstreamFailure): void;
}

/** A running attempt. After `abort` the handler hears nothing more. */
export interface UpstreamCall {
  abort(): void;
  resume(): void;
}

/** One live way to a provider: an HTTP pool or a WebSocket channel. */
export interface Upstream {
  readonly transport: Transport;
  /** Sends `body`, which already holds our id `id`. The deadline is the caller's (see `abort`). */
  send(body: Buffer, id: number, handler: UpstreamHandler): UpstreamCall;
}

/** A connected WebSocket client as the session and the subscription hub see it. */
export interface ClientSink {
  readonly id: number;
  /** Sends one text message; strings are UTF-16 text, not latin1 bytes. */
  send(text: string | Buffer): void;
  /** Sends a prebuilt, unmasked RFC 6455 frame that many clients may share. */
  sendFrame(frame: Buffer): void;
  readonly bufferedBytes: number;
  /** Bytes that the kernel has taken since the connection was opened. */
  readonly sentBytes: number;
  close(code: number, reason: string): void;
  readonly isOpen: boolean;
}

/** A client whose session may stop reading it for a while. */
export interface SessionSink extends ClientSink {
  pause(): void;
  resume(): void;
}

/** Streams a client may subscribe to. */
export type SubscriptionKind = "newHeads" | "logs" | "newPendingTransactions" | "syncing";

/** Outcome of a subscribe: the id (0x + 32 hex digits), or what the client is told. */
export type SubscribeReply =
  | {
      readonly ok: true;
      readonly id: string;
      /** What an old id stands for. */
      readonly kind?: SubscriptionKind;
    }
  | {
      readonly ok: false;
      readonly code: number;
      readonly message: string;
      readonly data?: Readonly<Record<string, unknown>>;
    };

/** The subscription hub of one chain; events go straight to the sink. */
export interface HubPort {
  /**
   * `filter` is the parsed second parameter (unchecked), `undefined` when absent; `resume` the last
   * event that the client saw elsewhere (unchecked), when it wants to go on there.
   */
  subscribe(
    sink: ClientSink,
    kind: SubscriptionKind,
    filter: unknown,
    resume?: unknown,
  ): Promise<SubscribeReply>;
  /** Goes on with a subscription whose connection is gone, after the last event that it brought. */
  resume(sink: ClientSink, id: string, cursor: unknown): Promise<SubscribeReply>;
  /** False when this sink has no such subscription. */
  unsubscribe(sink: ClientSink, id: string): Promise<boolean>;
  /** The client is gone: forget everything it had. */
  drop(sink: ClientSink): void;
}

/** Evidence cells of one chain, as far as the request path writes and reads them. */
export interface CallEvidence {
  recordCall(
    provider: ProviderId,
    transport: Transport,
    method: string,
    errorClass: ErrorClass,
    durationMs: number,
    nowMs: number,
  ): void;
  /** An attempt given up after more than its usual time: it was slow, no more is known. */
  recordCensored(
    provider: ProviderId,
    transport: Transport,
    method: string,
    elapsedMs: number,
    nowMs: number,
  ): void;
  /** Notes an answer that was caught to be wrong. */
  recordMisbehaviour?(provider: ProviderId, nowMs: number): void;
}

/** Everything the request path reads of one chain. */
export interface ChainView {
  readonly name: ChainName;
  readonly aliases: readonly string[];
  readonly chainId: number;
  /** Default selection strategy of the chain. */
  readonly strategy: string;
  readonly snapshot: RoutingSnapshot | undefined;
  readonly head: HeadView | undefined;
  /** The canonical hash at a height of the last 1,024, as far as the served tip had it. */
  hashAt?(number: number): string | undefined;
  /** The head that subscribers were sent last; the tip may still be behind it. */
  readonly announced?: number | undefined;
  /** Blocks below the tip that count as final where no provider tells; by chain id when absent. */
  readonly finalityDepth?: number | undefined;
  /** What is read at one block: nothing, the calls of a batch (default), or a whole session. */
  readonly consistency?: Consistency | undefined;
  /** Its canonical blocks, as its subscribers see them. */
  readonly canon?: Canon | undefined;
  /** What is counted of answers that are kept and shared. */
  readonly answers?: CacheCounts | undefined;
  /** What of its answers may be kept; nothing when absent. */
  readonly cache?: ChainCacheConfig | undefined;
  readonly evidence: CallEvidence;
  /** What providers were found unable to serve; nothing is learned without it. */
  readonly capabilities?: CapabilityBook | undefined;
  /** The last blocks as the providers told them; answers are held against it. */
  readonly blocks?: BlockRing | undefined;
  /** Checks of answers that the operator has switched on. */
  readonly integrity?: IntegrityConfig | undefined;
  /** Reads that several providers must agree on. */
  readonly quorum?: readonly QuorumRuleConfig[] | undefined;
  /** Errors that no rule knows; not counted without it. */
  readonly unmatched?: UnmatchedErrors | undefined;
  readonly hub: HubPort;
  /** Other regions that are asked when no provider may be; nobody is when absent. */
  readonly helpers?: Helpers | undefined;
  /** The chain tries other providers after a failure (`failover.enabled`). */
  readonly failoverEnabled: boolean;
  /** Whether and how often a slow request is sent to a second provider. */
  readonly hedge: HedgeConfig;
  /** How ranges of logs are served; the defaults when absent. */
  readonly logs?: LogsConfig | undefined;
  /** False: whoever asks by header or query is refused (`allow_client_directives`). */
  readonly takesDirectives?: boolean;
  /** Relays this method although it is denied by default (`methods.allow`). */
  allows?(method: string): boolean;
  /** Does not serve this method, whatever else is said of it (`methods.deny`). */
  denies?(method: string): boolean;
  /** How transactions are sent (`write`). */
  readonly writes: WriteConfig;
  /** A provider's own `error_rules`, tried before the built-in table. */
  errorRules(provider: ProviderId): readonly ErrorRule[];
  /** The live channel of a row; `undefined` when it has none now. */
  upstream(row: EndpointRow): Upstream | undefined;
  /** A provider answered that its head is at `number`; never waits, never throws. */
  heard?(provider: ProviderId, number: number): void;
  /** Tells breaker and pool about an attempt; never waits, never throws. */
  report(outcome: AttemptOutcome): void;
}

/** Finds a running chain. */
export interface ChainDirectory {
  /** By name, alias, decimal chain id or 0x chain id. */
  find(key: string): ChainView | undefined;
  names(): readonly string[];
}

/** What is known of a request when it ends; read it at once, the record is reused by nobody. */
export interface RequestRecord {
  readonly requestId: string;
  readonly chain: ChainName;
  readonly method: string;
  readonly strategy: string;
  readonly protocol: Transport;
  /** "ok" for a result; "error" when the client got a JSON-RPC error; "gone" when it left. */
  readonly outcome: "ok" | "error" | "gone";
  /** Our token (`exhausted`, `deadline`, ...) or the class of a relayed upstream error. */
  readonly reason: string | undefined;
  readonly attemptCount: number;
  /** The provider whose answer left, if any. */
  readonly provider: ProviderId | undefined;
  readonly durationMs: number;
  readonly isLocal: boolean;
}

/** Counts requests and attempts; called synchronously on the request path, so it only bumps cells. */
export interface RequestObserver {
  request(record: RequestRecord): void;
  attempt(outcome: AttemptOutcome): void;
}

/** Limits of the request path; the defaults are in `limits.ts`. */
export interface GatewayLimits {
  readonly maxBodyBytes: number;
  readonly maxBatchItems: number;
  readonly batchParallel: number;
  readonly maxBatchResponseBytes: number;
  readonly maxResponseBytes: number;
  readonly bufferBytes: number;
  readonly maxAttempts: number;
  readonly maxTimeoutMs: number;
  readonly maxInFlight: number;
  /** Share of memory from which on something is given up for it. */
  readonly memoryHigh: number;
  readonly filtersPerClient: number;
  readonly filterIdleMs: number;
  readonly wsMaxInFlight: number;
  readonly wsMaxInFlightBytes: number;
  readonly wsMaxSubscriptions: number;
}

/** What the gateway is built from. */
export interface GatewayDeps {
  readonly chains: ChainDirectory;
  /** Monotonic milliseconds with a fraction. */
  readonly now: () => number;
  /** Uniform in [0, 1), from the injected source. */
  readonly random: () => number;
  /** 32 hex digits that nobody can guess. */
  readonly randomHex: () => string;
  /** A short unique id per request, safe in a header. */
  readonly nextRequestId: () => string;
  /** Rare events only (failover, exhaustion, slow requests, suspects). */
  readonly emit: (event: string, fields: Readonly<Record<string, unknown>>) => void;
  readonly observer: RequestObserver;
  /** Replaces every provider secret in a text by `***`. */
  readonly redact: (text: string) => string;
  /** True while the program drains: new requests get 503. */
  readonly isDraining: () => boolean;
  /** Answer of `web3_clientVersion`, e.g. `Paceline/0.1.0`. */
  readonly clientVersion: string;
  /** Wall-clock ms, for the days and months of clients' quotas; without it they never end. */
  readonly wallNow?: () => number;
  /** Where hosts share the limits of clients, when a store is configured. */
  readonly scripts?: SharedScripts | undefined;
  /** Bytes that hosts share, when a store is configured. */
  readonly shared?: SharedCache | undefined;
  /** Packs what hosts share; without it nothing is shared. */
  readonly packer?: Packer | undefined;
  /** The answers that are kept; none when absent. */
  readonly cache?: AnswerCache | undefined;
  readonly limits?: Partial<GatewayLimits>;
  /** How much is remembered of requests that have ended. */
  readonly book?: BookLimits;
  /** Judges calls that other regions pass on; without it they are refused. */
  readonly helpDoor?: HelpDoor | undefined;
  /** The lists that callers are paired with; nobody is when absent. */
  readonly pairing?: PairingDoor | undefined;
}

/** An HTTP request whose body has arrived. */
export interface InboundRequest {
  readonly method: string;
  /** Path and query as they stood in the request line. */
  readonly url: string;
  /** `host:port` the client dialled. */
  readonly host: string;
  readonly isSecure: boolean;
  /** Names and values in turn, as they came. */
  readonly rawHeaders: readonly string[];
  /** The other end of the connection. */
  readonly remoteAddress?: string | undefined;
  /** The decoded body. */
  readonly body: Buffer;
  /** Why there is no body: over the limit, or an encoding that cannot be read. */
  readonly bodyFault: "too_large" | "bad_encoding" | undefined;
}

/** The answer to an HTTP request. Header lists are flat: name, value, name, value. */
export interface HttpReply {
  readonly isOpen: boolean;
  /** Headers that every answer to this request gets besides its own. */
  extraHeaders?: readonly string[] | undefined;
  /** A whole answer; strings are latin1. */
  send(status: number, headers: readonly string[], body: string | Buffer): void;
  /** A whole answer in pieces, `sizeBytes` in all. */
  sendPieces(
    status: number,
    headers: readonly string[],
    sizeBytes: number,
    pieces: readonly (string | Buffer)[],
  ): void;
  /** Starts to stream; `sizeBytes` -1 when unknown. */
  begin(status: number, headers: readonly string[], sizeBytes: number): void;
  /** False asks for a pause until `onDrain`. */
  write(chunk: Buffer): boolean;
  end(): void;
  /** Cuts the connection, so that nothing that left looks complete. */
  destroy(): void;
  /** Called when a paused stream may go on. */
  onDrain: (() => void) | undefined;
  /** Called once when the client leaves before the answer is complete. */
  onGone: (() => void) | undefined;
}
