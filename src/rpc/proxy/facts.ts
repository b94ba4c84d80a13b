/** The facts of an answer that no exchange produced: local answers and refusals. */
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

/** Facts without attempts of their own. */
export class LocalFacts implements CallFacts, RequestRecord {
  readonly requestId: string;
  readonly call: Call;
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
    this.#clerk = clerk;
    this.call = call;
    this.requestId = clerk.nextRequestId();
    this.reason = reason;
    this.cache = cache;
    this.startMs = clerk.now();
  }

  get clientRequestId(): string | undefined {
    return this.call.options.clientRequestId;
  }

  get chain(): ChainName {
    return this.call.chain.name;
  }

  get method(): string {
    return this.call.envelope.method;
  }

  get strategy(): string {
    return this.call.options.strategy ?? this.call.chain.strategy;
  }

  get protocol(): Transport {
    return this.call.protocol;
  }

  get outcome(): RequestRecord["outcome"] {
    return this.reason === undefined ? "ok" : "error";
  }

  get notes(): Note | undefined {
    return this.call.notes;
  }

  get paramsBytes(): number {
    return paramsBytes(this.call);
  }

  get idToken(): string {
    return idToken(this.call.body, this.call.envelope);
  }

  now(): number {
    return this.#clerk.now();
  }
}

/** Bytes of a call's parameters. */
export const paramsBytes = ({ envelope: { paramsStart, paramsEnd } }: Call): number =>
  paramsStart < 0 ? 0 : paramsEnd - paramsStart;
