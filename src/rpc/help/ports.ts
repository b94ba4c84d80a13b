/** What helping needs of the cluster, and what a chain's `neighbours` process reads of it. */
import type { Upstream } from "../proxy/ports.ts";

/** Name of the header that carries a ticket, lower case. */
export const HELP_HEADER = "x-paceline-help";

/** Time for a question of our own to another region, ms. */
export const QUESTION_MS = 5_000;

/** Calls that are on their way; it counts towards a limit. */
export interface Counter {
  inFlight: number;
}

/** A call that claims to come from another region. */
export interface GuestCall {
  readonly chain: string;
  readonly chainId: number;
  readonly body: Buffer;
  /** It is one read that may be repeated. */
  readonly isSafe: boolean;
}

/** Whether such a call is served. */
export type Admission =
  | {
      readonly ok: true;
      /** Who has passed it on. */
      readonly region: string;
      /** Time that its caller gives us, ms. */
      readonly timeoutMs: number;
      readonly counter: Counter;
    }
  | {
      readonly ok: false;
      readonly reason: "help_refused" | "help_apart" | "too_many_helped";
      readonly message: string;
    };

/** Judges calls that other regions pass on. */
export interface HelpDoor {
  /** `ticket` is the header's value. */
  admit(ticket: string, call: GuestCall): Admission;
}

/** A region that would help one chain. */
export interface Neighbour {
  readonly region: string;
  readonly url: string;
  /** How far it is shows by questions to it; false where the operator has said it. */
  readonly isMeasured: boolean;
}

/** What another region says of one provider of a chain. */
export interface NeighbourRow {
  readonly region: string;
  /** Round trip, ms; undefined while it is not known. */
  readonly distanceMs: number | undefined;
  readonly provider: string;
  /** A stream, or a family of methods after `calls:`. */
  readonly subject: string;
  readonly score: number;
  readonly weight: number;
}

/** A way to another region; closed when it is needed no more. */
export interface HelperUpstream extends Upstream {
  close(): void;
}

/** What the other regions are to a chain. */
export interface NeighboursPort {
  /** Those that would help it now, nearest first. */
  helpers(chain: string): readonly Neighbour[];
  /** What all of them say of its providers. */
  rows(chain: string): readonly NeighbourRow[];
  /** A way to a region, which signs what it carries. */
  open(chain: { readonly name: string; readonly chainId: number }, to: Neighbour): HelperUpstream;
  /** A question to a region took so long. */
  measured(region: string, tookMs: number): void;
  /** Calls at once, of one chain to one region. */
  readonly maxInFlight: number;
}
