/** One provider's part in a quorum, and what of its answer is compared. */
import type { OwnReason } from "../../errors/codes.ts";
import { DECISIONS } from "../../errors/decisions.ts";
import type { ProviderId } from "../../ids.ts";
import type { Attempt } from "../attempt/attempt.ts";
import type { Call, CallFacts, CallOptions } from "../call.ts";
import { WholeSink } from "../whole-sink.ts";

/** Largest answer that is compared; a quorum never streams. */
const MAX_LEG_BYTES = 2 * 1024 * 1024;

/** Hears what a leg brought. */
export interface LegOwner {
  /** A leg has a result. */
  voted(provider: ProviderId, leg: number, body: Buffer, idStart: number, idEnd: number): void;
  /** A leg ended with an error, which may be an answer too. */
  refused(
    provider: ProviderId,
    leg: number,
    status: number,
    latin1: string,
    reason: OwnReason | undefined,
  ): void;
}

/** What two errors must share to be one answer; `undefined` for those that another provider may not give. */
export function errorKey({ errorClass, error }: Attempt): string | undefined {
  if (error === undefined || DECISIONS[errorClass].failover !== "never") return undefined;
  const { data } = JSON.parse(error.raw) as { readonly data?: unknown };
  const text = typeof data === "string" ? data : JSON.stringify(data ?? "");
  return errorClass === "revert" ? revertKey(text) : `${errorClass} ${text}`;
}

/** Some nodes wrap the data of a revert into words, some send it as the result. */
export function revertKey(text: string): string {
  return `revert ${/0x[0-9a-f]*/i.exec(text)?.[0].toLowerCase() ?? text}`;
}

/** Options by which a leg asks one provider, and nobody else of those that could be asked. */
export function legOptions(
  { options }: Call,
  provider: ProviderId,
  providers: readonly ProviderId[],
): Partial<CallOptions> {
  return {
    exclude: [...options.exclude, ...providers.filter((other) => other !== provider)],
    failover: false,
    leavesProvider: false,
    noCache: true,
    noHedge: true,
    quorum: undefined,
    asksAll: false,
  };
}

/** Takes the answer of one provider. */
export class QuorumLeg extends WholeSink {
  readonly maxBytes = MAX_LEG_BYTES;
  readonly #read: LegOwner;
  readonly #provider: ProviderId;
  readonly #index: number;

  constructor(read: LegOwner, provider: ProviderId, index: number) {
    super();
    this.#read = read;
    this.#provider = provider;
    this.#index = index;
  }

  result(_facts: CallFacts, body: Buffer, idStart: number, idEnd: number): void {
    this.#read.voted(this.#provider, this.#index, body, idStart, idEnd);
  }

  text({ reason }: CallFacts, status: number, latin1: string): void {
    this.#read.refused(this.#provider, this.#index, status, latin1, reason);
  }
}
