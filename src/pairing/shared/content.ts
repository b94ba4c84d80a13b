/**
 * What a market holds, as one number: equal for equal providers, in whatever order they came. Versions
 * say only that a host's own market has changed; this says whether two hosts have the same one.
 *
 * It is the sum of a keyed hash of each provider, so a change costs one hash or two, and nobody without
 * the key can make up providers whose sum is that of others.
 */
import { hash } from "node:crypto";
import { normalLabel } from "../../matching/provider.ts";
import type { ProviderRecord } from "../protocol.ts";

/** 128 bits, added lane by lane. */
const LANES = 4;

/** The sum of one market. */
export class ContentSum {
  readonly #key: string;
  readonly #sum = new Uint32Array(LANES);

  constructor(key: string) {
    this.#key = key;
  }

  /** A provider is there. */
  add(provider: ProviderRecord): void {
    this.#each(provider, (at, lane) => {
      this.#sum[at] = (this.#sum[at] as number) + lane;
    });
  }

  /** A provider that was there is gone. */
  subtract(provider: ProviderRecord): void {
    this.#each(provider, (at, lane) => {
      this.#sum[at] = (this.#sum[at] as number) - lane;
    });
  }

  /** The sum as text. */
  get text(): string {
    return Array.from(this.#sum, (lane) => lane.toString(36)).join(".");
  }

  #each(provider: ProviderRecord, take: (at: number, lane: number) => void): void {
    const digest = hash("sha256", this.#key + textOf(provider), "buffer");
    for (let at = 0; at < LANES; at++) take(at, digest.readUInt32LE(at * 4));
  }
}

/** All of a provider that a ranking reads or shows. */
const textOf = ({ address, stake, location, features }: ProviderRecord): string =>
  JSON.stringify([address, String(stake), location, features.map(normalLabel).sort()]);
