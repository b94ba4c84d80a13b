/** The configured profiles: which providers serve one, in which order, and how much it may ask. */
import type { ProfileConfig } from "../../../config/schema.ts";
import { RateBucket } from "../../lib/rate-bucket.ts";
import type { Profile } from "../selection/snapshot.ts";

/** A profile with the bucket that all its callers share. */
export interface LimitedProfile extends Profile {
  readonly bucket: RateBucket;
}

/** Profiles by name. */
export class Profiles {
  #byName: ReadonlyMap<string, LimitedProfile> = new Map();

  get(name: string): LimitedProfile | undefined {
    return this.#byName.get(name);
  }

  /** Makes the profiles those of the configuration; what was taken from a bucket stays taken. */
  configure(profiles: Readonly<Record<string, ProfileConfig>>): void {
    const byName = new Map<string, LimitedProfile>();
    for (const [name, { providers, strategy, quorum, rpsLimit, burstLimit }] of Object.entries(
      profiles,
    )) {
      const limit = { perSec: rpsLimit, burst: burstLimit };
      const bucket = this.#byName.get(name)?.bucket ?? new RateBucket(limit);
      bucket.configure(limit);
      byName.set(name, { name, providers, strategy, quorum, bucket });
    }
    this.#byName = byName;
  }
}
