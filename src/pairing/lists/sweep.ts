/** What a look at the lists of all consumers has come to so far. */
import type { PairingList } from "./list.ts";
import type { Renewed } from "./renewal.ts";

/** The outcome of a look at one list that there is another list. */
export type RenewedList = Extract<Renewed, { readonly list: PairingList }>;

/** One look at all; `Job` is a look at one list. */
export class Sweep<Job> {
  readonly jobs: Iterator<Job, undefined>;
  made = 0;
  changed = 0;
  empty = 0;
  /** Lists whose market was away. */
  late = 0;

  constructor(jobs: Iterator<Job, undefined>) {
    this.jobs = jobs;
  }

  /** Counts a list that is there now instead of another, or of none. */
  count({ kind, list }: RenewedList, before: PairingList | undefined): void {
    if (kind !== "thinned") this.made++;
    if (before?.key !== list.key) this.changed++;
    if (list.ids.length === 0) this.empty++;
  }
}
