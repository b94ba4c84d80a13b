/** Tells the explanation of a call which block its tags were replaced by. */
import type { ExplainRecord, Note } from "../explain/record.ts";

/** The block that a call is pinned to. */
export class PinNote implements Note {
  next: Note | undefined = undefined;
  readonly #block: number;

  constructor(block: number) {
    this.#block = block;
  }

  describe(record: ExplainRecord): void {
    record.pin = { block: this.#block };
  }
}
