/** The facts of a call: what its bytes and its caller say, and those of an answer without attempts. */
import type { Note } from "../explain/record.ts";
import type { OwnReason } from "../errors/codes.ts";
import type { ChainName, ProviderId, Transport } from "../ids.ts";
import { idToken } from "../json-rpc/request-bytes.ts";
import type { CacheStatus, Call, CallFacts } from "./call.ts";
import type { RequestRecord } from "./ports.ts";

/** What gives a request its id and its time. */
interface Clerk {
  now(): number;
  nextRequestId(): string;
}

/** What is known of a call whoever serves it. */
export abstract class KnownCall {
  readonly call: Call;

  constructor(call: Call) {
    this.call = call;
  }

  get chain(): ChainName {
    return this.call.chain.name;
  }

  get protocol(): Transport {
    return this.call.protocol;
  }

  get clientRequestId(): string | undefined {
    return this.call.options.clientRequestId;
  }

  get notes(): Note | undefined {
    return this.call.notes;
  }

  get paramsBytes(): number {
    return paramsBytes(this.call);
  }

  /** The client's id as it stood in the request. */
  get idToken(): string {
    return idToken(this.call.body, this.call.envelope);
  }
}

/** Facts without attempts of their own: local answers and refusals. */
export class LocalFacts extends KnownCall implements CallFacts, RequestRecord {
  readonly requestId: string;
  readonly cache: CacheStatus;
  readonly reason: OwnReason | undefined;
  readonly provider: ProviderId | undefined = undefined;
  readonly startMs: number;
  readonly durationMs: number = 0;
  readonly selected = undefined;
  readonly attempts = [];
  readonly attemptCount = 0;
  readonly isDone: boolean = true;
  readonly isLocal: boolean = true;
  retryAfterMs: number | undefined = undefined;
  readonly #clerk: Clerk;

  constructor(
    clerk: Clerk,
    call: Call,
    reason: OwnReason | undefined,
    cache: CacheStatus = reason === undefined ? "LOCAL" : "BYPASS",
  ) {
    super(call);
    this.#clerk = clerk;
    this.requestId = clerk.nextRequestId();
    this.reason = reason;
    this.cache = cache;
    this.startMs = clerk.now();
  }

  get method(): string {
    return this.call.envelope.method;
  }

  get strategy(): string {
    return this.call.options.strategy ?? this.call.chain.strategy;
  }

  get outcome(): RequestRecord["outcome"] {
    return this.reason === undefined ? "ok" : "error";
  }

  now(): number {
    return this.#clerk.now();
  }
}

/** Bytes of a call's parameters. */
export const paramsBytes = ({ envelope: { paramsStart, paramsEnd } }: Call): number =>
  paramsStart < 0 ? 0 : paramsEnd - paramsStart;
