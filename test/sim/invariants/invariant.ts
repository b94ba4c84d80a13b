/** What a judge gets to see, and what it is: a pure rule over plain data. */
import type { SimRequest } from "../load/reader.ts";
import type { StreamRecord } from "../load/subscriber.ts";
import type { Delivery } from "../world/deliveries.ts";
import type { ErrorRecord, GiveUpRecord, RecoveryRecord, RestartRecord } from "../world/record.ts";

/** One live process at one instant. */
export interface SeenProcess {
  readonly pid: string;
  readonly name: string;
  readonly kind: "supervisor" | "worker" | "task";
  readonly mailbox: number;
  /** When the process above it, or one above that, ended, ms; undefined while all of them live. */
  readonly orphanSinceMs: number | undefined;
}

/** A quantity that has a bound. */
export interface Gauge {
  readonly what: string;
  readonly value: number;
  readonly limit: number;
}

/** The program at one instant, between two events. */
export interface Sight {
  readonly atMs: number;
  readonly processes: readonly SeenProcess[];
  /** Registered names and their holders. */
  readonly names: readonly { readonly name: string; readonly pid: string }[];
  readonly gauges: readonly Gauge[];
  /** Requests that wait, and how far each is past its deadline, ms (negative: not yet). */
  readonly waiting: readonly { readonly n: number; readonly overdueMs: number }[];
}

/** An endpoint of a provider as routing sees it. */
export interface SeenRow {
  readonly name: string;
  readonly state: string;
  readonly isUsable: boolean;
  readonly unusableReason: string | undefined;
  readonly isSuspect: boolean;
}

/** What a client was told of its transaction. */
export interface WriteAnswer {
  readonly isOk: boolean;
  readonly detail: string | undefined;
  readonly answeredAtMs: number | undefined;
}

/** One transaction, what its clients were told, and where it went. */
export interface WriteRecord extends Delivery {
  readonly raw: string;
  /** Of the clients that stayed. */
  readonly answers: readonly WriteAnswer[];
}

/** Everything about a run that has ended. */
export interface Evidence {
  readonly requests: readonly SimRequest[];
  readonly streams: readonly StreamRecord[];
  readonly writes: readonly WriteRecord[];
  readonly restarts: readonly RestartRecord[];
  readonly giveUps: readonly GiveUpRecord[];
  readonly recoveries: readonly RecoveryRecord[];
  readonly errors: readonly ErrorRecord[];
  /** Reason of each end by pid. */
  readonly exits: ReadonlyMap<string, string>;
  readonly afterlife: readonly string[];
  /** Zombie operations that the runtime counted, and those that it told of. */
  readonly zombies: { readonly counted: number; readonly told: number };
  readonly hasEnded: boolean;
  /** When the live records of the chains were lost with their two holders, ms. */
  readonly losses: readonly number[];
  /** Paths of the places that the configuration asks for, and what is there. */
  readonly expectedPlaces: readonly string[];
  readonly places: readonly {
    readonly path: string;
    readonly pid: string | null;
    readonly status: string;
  }[];
  readonly expectedNames: readonly string[];
  readonly rows: readonly SeenRow[];
  /** What must be empty when nobody asks any more. */
  readonly leftovers: readonly Gauge[];
  readonly last: Sight;
}

/** A rule that holds in every run; each sentence returned is a violation. */
export interface Invariant {
  readonly name: string;
  readonly claim: string;
  /** Judges an instant, while the run goes on. */
  readonly watch?: (sight: Sight) => readonly string[];
  /** Judges the run after it has healed. */
  readonly judge?: (evidence: Evidence) => readonly string[];
}

/** The items of a list that are wrong, each as a sentence. */
export const wrong = <T>(
  list: Iterable<T>,
  sentence: (item: T) => string | undefined,
): readonly string[] => {
  const found: string[] = [];
  for (const item of list) {
    const text = sentence(item);
    if (text !== undefined) found.push(text);
  }
  return found;
};
