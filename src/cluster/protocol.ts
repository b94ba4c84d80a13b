/** What regions say to each other, and what is shown of them. */

/** What a message is about. */
export const KINDS = [
  "hello",
  "beat",
  "claim",
  "bye",
  "names",
  "boards",
  "order",
  "reply",
] as const;

/** One of them. */
export type MessageKind = (typeof KINDS)[number];

/** What is shared beside presence. */
export type TopicName = "names" | "boards";

/**
 * Who speaks: `instance` is drawn at each start, `incarnation` orders the instances of one region.
 * Neither needs a clock.
 */
export interface Speaker {
  readonly region: string;
  readonly instance: string;
  readonly incarnation: number;
}

/**
 * What a sender has heard of one region. To that region it is two things: the proof that the message
 * is younger than the message of its own that was heard, and how much of its names and leaderboards
 * has arrived.
 */
export interface Heard extends Speaker {
  /** Number of its last message. */
  readonly sequence: number;
  readonly names: number;
  readonly boards: number;
}

/** One message; the signature is checked before it is read. */
export interface Message extends Speaker {
  readonly kind: MessageKind;
  /** Counts the messages of the instance from 1. */
  readonly sequence: number;
  readonly heard: readonly Heard[];
  readonly payload: unknown;
}

/** What a region says of itself with every heartbeat. */
export interface RegionCard {
  readonly version: string;
  readonly url: string;
  readonly chains: readonly string[];
  /** Requests that are being answered. */
  readonly inFlight: number;
  readonly usableProviders: number;
  readonly providers: number;
  /** Chains whose reads it serves for other regions now; none from a region of an older version. */
  readonly helps?: readonly string[];
}

/** Where another region may stand. */
export const PEER_STATES = ["joined", "suspected", "lost", "left"] as const;

/** Where another region stands. */
export type PeerState = (typeof PEER_STATES)[number];

/** Whether nothing that a region said holds any more. */
export const isGone = (state: PeerState): boolean => state === "lost" || state === "left";

/** Where this region may stand. */
export const OWN_STATES = ["off", "apart", "joining", "joined", "refused"] as const;

/** Where this region stands: `refused` means that an older one has its name. */
export type OwnState = (typeof OWN_STATES)[number];

/** One region as it is shown. */
export interface RegionView {
  readonly region: string;
  readonly isSelf: boolean;
  readonly state: PeerState | OwnState;
  readonly incarnation: number;
  /** Since its last message, ms; 0 for this region. */
  readonly ageMs: number;
  readonly card: RegionCard | undefined;
  readonly names: number;
  readonly rows: number;
}

/** Why a message was not taken. */
export const REFUSALS = [
  "oversized",
  "foreign",
  "unsigned",
  "malformed",
  "replayed",
  "expired",
  "unproven",
  "unknown",
  "full",
] as const;

/** One of them. */
export type Refusal = (typeof REFUSALS)[number];

/** Why a call was not taken that another region, or so it says, has passed on. */
export const HELP_REFUSALS = [
  "malformed",
  "unsigned",
  "hops",
  "misdirected",
  "unknown",
  "stale",
  "replayed",
  "not_offered",
  "unsafe",
  "full",
] as const;

/** One of them. */
export type HelpRefusal = (typeof HELP_REFUSALS)[number];

/** What regions did for each other since the start of this one. */
export interface HelpView {
  /** Calls passed on, by the region that was asked. */
  readonly asked: Readonly<Record<string, number>>;
  /** Calls taken, by the region that asked. */
  readonly given: Readonly<Record<string, number>>;
  readonly refused: Readonly<Partial<Record<HelpRefusal, number>>>;
  /** Calls of other regions that are being served. */
  readonly inFlight: number;
  /** Round trips, ms, as far as they are known. */
  readonly distancesMs: Readonly<Record<string, number>>;
}

/** The cluster as operators see it. */
export interface ClusterView {
  readonly state: OwnState;
  /** Why nothing is shared; undefined while it is. */
  readonly reason: string | undefined;
  readonly regions: readonly RegionView[];
  readonly refused: Readonly<Record<Refusal, number>>;
  readonly sent: { readonly messages: number; readonly bytes: number };
  readonly received: { readonly messages: number; readonly bytes: number };
  /** What regions did for each other; undefined where nothing is shared. */
  readonly help?: HelpView | undefined;
}

/** One row of another region's leaderboard. */
export interface SharedRow {
  readonly provider: string;
  /** A stream (`newHeads`) or a family of methods (`calls:state`). */
  readonly subject: string;
  readonly score: number;
  /** Decayed races, or calls, behind it. */
  readonly weight: number;
  /** Won races by all, or the lower bound of reliability, 0..1. */
  readonly ratio: number;
  /** Mean loss margin of races, median latency of calls, ms. */
  readonly ms: number;
}

/** What another region says of one chain. */
export interface SharedBoard {
  readonly region: string;
  readonly state: PeerState;
  readonly ageMs: number;
  readonly rows: readonly SharedRow[];
}

/** A name held somewhere in the cluster. */
export interface SharedName {
  readonly region: string;
  readonly name: string;
  readonly pid: string;
}
