/** Tells in the explanation that another region was asked, or had asked. */
import type { ExplainRecord, Note } from "../explain/record.ts";

/** Why another region was asked. */
export type HelpReason =
  /** None of the chain's providers might be asked. */
  | "no_provider"
  /** Those that were asked have failed. */
  | "exhausted";

/** A call that was passed on. */
export class HelpNote implements Note {
  next: Note | undefined = undefined;
  readonly #region: string;
  readonly #because: HelpReason;

  constructor(region: string, because: HelpReason) {
    this.#region = region;
    this.#because = because;
  }

  describe(record: ExplainRecord): void {
    // The note added last comes first, and names who was asked last.
    record.help ??= { by: this.#region, because: this.#because, for: null };
  }
}

/** A call that another region has passed on to this one. */
export class GuestNote implements Note {
  next: Note | undefined = undefined;
  readonly #region: string;

  constructor(region: string) {
    this.#region = region;
  }

  describe(record: ExplainRecord): void {
    record.help ??= { by: null, because: null, for: this.#region };
  }
}
