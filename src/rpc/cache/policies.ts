/** How long the operator lets answers be kept: the first policy that fits a method and finality. */
import type { CachePolicyConfig } from "../../../config/schema.ts";
import { defaultTtlMs, type Finality } from "./finality.ts";

/** The policies of one chain. */
export class CachePolicies {
  readonly source: readonly CachePolicyConfig[];
  /** The policy of each method and finality asked for; the method table bounds it. */
  readonly #found = new Map<string, CachePolicyConfig | undefined>();

  constructor(source: readonly CachePolicyConfig[]) {
    this.source = source;
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
      (one) => one.finality === finality && one.methods.some((glob) => fits(glob, method)),
    );
    this.#found.set(key, policy);
    return policy;
  }
}

/** Whether a name fits a glob, in which `*` stands for any run of characters. */
function fits(glob: string, name: string): boolean {
  const [first = "", ...rest] = glob.split("*");
  if (rest.length === 0) return glob === name;
  if (!name.startsWith(first)) return false;
  const last = rest.pop() ?? "";
  let at = first.length;
  for (const part of rest) {
    const found = name.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return name.length - last.length >= at && name.endsWith(last);
}
