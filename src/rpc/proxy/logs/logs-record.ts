/** The record of a call of `eth_getLogs` that may be served in parts. */
import { OWN_ERRORS, type OwnReason } from "../../errors/codes.ts";
import { errorText } from "../../json-rpc/error-text.ts";
import type { Selected } from "../../selection/selected.ts";
import type { Attempt } from "../attempt/attempt.ts";
import { Composite } from "../composite.ts";
import type { Exchange } from "../exchange.ts";
import { ServedCall } from "../served-call.ts";

/** What headers, errors and explanations say of the call. */
export class LogsRecord extends Composite {
  /** Answers that the question is more than is served. */
  refuse(reason: OwnReason, message: string): void {
    const { code, status } = OWN_ERRORS[reason];
    const data = { reason, request_id: this.requestId };
    const latin1 = errorText(this.idToken, code, message, data);
    this.answer({ status, latin1, reason, provider: undefined, isResult: false });
  }
}

/** The call as if one part of it had been all: what its error tells. */
export class PartRecord extends ServedCall {
  override readonly requestId: string;
  readonly attempts: readonly Attempt[];
  readonly selected: Selected | undefined;

  constructor(whole: LogsRecord, attempts: readonly Attempt[], last: Exchange | undefined) {
    super(whole.engine, whole.call, whole.info, whole.startMs);
    this.requestId = whole.requestId;
    this.attempts = attempts;
    this.selected = last?.selected;
  }

  get attemptCount(): number {
    return this.attempts.length;
  }

  get ranking() {
    return this.selected?.ranking;
  }

  get isDone(): boolean {
    return true;
  }
}
