/** How long the operator lets answers be kept: the first policy that fits a method and finality. */
import type { CachePolicyConfig } from "../../../config/schema.ts";
import { NameGlobs } from "../../lib/name-globs.ts";
import { defaultTtlMs, type Finality } from "./finality.ts";

/** The policies of one chain. */
export class CachePolicies {
  readonly source: readonly CachePolicyConfig[];
  /** The methods of each policy. */
  readonly #methods: readonly NameGlobs[];
  /** The policy of each method and finality asked for; the method table bounds it. */
  readonly #found = new Map<string, CachePolicyConfig | undefined>();

  constructor(source: readonly CachePolicyConfig[]) {
    this.source = source;
    this.#methods = source.map(({ methods }) => new NameGlobs(methods));
  }

  /** Time an answer may be served, ms; 0 when it is not kept. */
  ttlMs(method: string, finality: Finality, blockTimeMs: number): number {
    return this.#policyOf(method, finality)?.ttlMs ?? defaultTtlMs(finality, blockTimeMs);
  }

  #policyOf(method: string, finality: Finality): CachePolicyConfig | undefined {
    if (this.source.length === 0) return undefined;
    const key = `${finality} ${method}`;
    const known = this.#found.get(key);
    if (known !== undefined || this.#found.has(key)) return known;
    const policy = this.source.find(
      (one, i) => one.finality === finality && this.#methods[i]?.has(method) === true,
    );
    this.#found.set(key, policy);
    return policy;
  }
}
