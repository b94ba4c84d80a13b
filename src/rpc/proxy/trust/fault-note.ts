/** What the explanation of a request says of an answer that was refused. */
import type { ExplainRecord, Note } from "../../explain/record.ts";
import type { ProviderId } from "../../ids.ts";

/** One refused answer; a request has one for each provider that was caught. */
export class FaultNote implements Note {
  next: Note | undefined = undefined;
  readonly #provider: ProviderId;
  readonly #reason: string;

  constructor(provider: ProviderId, reason: string) {
    this.#provider = provider;
    this.#reason = reason;
  }

  describe(record: ExplainRecord): void {
    const known = (record.integrity?.["faults"] ?? []) as readonly unknown[];
    const fault = { provider: this.#provider, reason: this.#reason };
    // The newest note is read first.
    record.integrity = { faults: [fault, ...known] };
  }
}
