/** The facts of an answer that no exchange produced: local answers and refusals. */
import type { OwnReason } from "../errors/codes.ts";
import type { CallFacts } from "./call.ts";

/** Facts without attempts. */
export class LocalFacts implements CallFacts {
  readonly requestId: string;
  readonly strategy: string;
  readonly provider = undefined;
  readonly cache: CallFacts["cache"];
  readonly durationMs = 0;
  readonly idToken: string;
  readonly reason: OwnReason | undefined;

  constructor(requestId: string, strategy: string, idToken: string, reason: OwnReason | undefined) {
    this.requestId = requestId;
    this.strategy = strategy;
    this.idToken = idToken;
    this.reason = reason;
    this.cache = reason === undefined ? "LOCAL" : "BYPASS";
  }

  attemptsText(): string {
    return "";
  }

  metaText(): string {
    return JSON.stringify({ request_id: this.requestId, cache: this.cache, attempts: [] });
  }
}
