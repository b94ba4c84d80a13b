/**
 * The way to one provider of one chain: what the provider does wrong at the moment, and what the
 * network does to it. The faults of the table switch these on and off; the wires read them.
 */
import type { FaultProfile } from "../../../src/rpc/fake/faults.ts";
import type { Inventor } from "./inventor.ts";

/** A profile that changes while its provider lives. */
export type LiveProfile = { -readonly [Key in keyof FaultProfile]: FaultProfile[Key] };

/** One provider's endpoint as the network sees it. */
export class Link {
  readonly chain: string;
  readonly provider: string;
  /** Never touched by faults of the table, so that its chain always has somebody to turn to. */
  readonly isSpared: boolean;
  /** How the provider behaves when no fault works on it. */
  readonly base: FaultProfile;
  /** The provider's mind holds this very object. */
  readonly profile: LiveProfile;
  /** Faults under which subscriptions stay open and say nothing. */
  mutes = 0;
  /** Faults under which every event comes twice. */
  stutters = 0;
  /** Makes up heads while there is one. */
  inventor: Inventor | undefined;
  /** Faults under which nothing passes in either direction, and nobody is told. */
  cuts = 0;
  /** Cuts that have ended: a socket that is older than one is dead. */
  pastCuts = 0;
  #faults = 0;
  #turnedBadMs = Number.NEGATIVE_INFINITY;
  #turnedGoodMs = Number.NEGATIVE_INFINITY;

  constructor(chain: string, provider: string, profile: FaultProfile, isSpared: boolean) {
    this.chain = chain;
    this.provider = provider;
    this.isSpared = isSpared;
    this.base = profile;
    this.profile = { ...profile };
  }

  /** Whether it answers every request when left alone. */
  get isSteady(): boolean {
    const { ratios, rateLimit, outage } = this.base;
    return ratios === undefined && rateLimit === undefined && outage === undefined;
  }

  get isCut(): boolean {
    return this.cuts > 0;
  }

  get name(): string {
    return `${this.chain}/${this.provider}`;
  }

  /** Whether a fault of the table works on it now. */
  get isBad(): boolean {
    return this.#faults > 0;
  }

  /** When the last fault began, ms. */
  get turnedBadMs(): number {
    return this.#turnedBadMs;
  }

  /** When the last fault ended, ms; -Infinity when there was none. */
  get turnedGoodMs(): number {
    return this.#turnedGoodMs;
  }

  /** Makes the provider a good one from now on. */
  cure(): void {
    for (const key of ["ratios", "rateLimit", "outage", "wsDropAfterMs"] as const) {
      delete this.profile[key];
    }
  }

  /** A fault begins. */
  spoil(nowMs: number): void {
    this.#faults += 1;
    this.#turnedBadMs = nowMs;
  }

  /** A fault ends. */
  mend(nowMs: number): void {
    this.#faults -= 1;
    if (this.#faults === 0) this.#turnedGoodMs = nowMs;
  }
}
