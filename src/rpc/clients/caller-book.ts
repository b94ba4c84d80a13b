/**
 * All callers: keys by their hash, and everybody without one. Keys that proved right are remembered,
 * so that a busy one is hashed once (the memory holds what its holders sent, and is never shown).
 */
import type { ClientsConfig } from "../../../config/schema.ts";
import { quotaUseOf, type QuotaUse } from "../quota.ts";
import { Caller } from "./caller.ts";
import { hashOfKey, MAX_KEY_CHARS } from "../../lib/key-hash.ts";

/** Id of everybody without a key. */
export const ANONYMOUS = "anonymous";

/** Keys that are remembered. */
const MAX_REMEMBERED = 1_024;

/** What a caller has used, as it is kept across restarts. */
interface CallerUse {
  readonly day?: QuotaUse;
  readonly month?: QuotaUse;
}

/** The callers of the configuration. */
export class CallerBook {
  readonly anonymous: Caller;
  isAnonymousAllowed = true;
  #byHash = new Map<string, Caller>();
  readonly #recent = new Map<string, Caller>();

  constructor(config: ClientsConfig, wallMs: number) {
    this.anonymous = new Caller(ANONYMOUS, config.anonymous, wallMs);
    this.configure(config, wallMs);
  }

  /** Keys are asked for, or could be sent. */
  get hasKeys(): boolean {
    return this.#byHash.size > 0;
  }

  /** Holders of keys in the order of the file, then everybody else. */
  get all(): readonly Caller[] {
    return [...this.#byHash.values(), this.anonymous];
  }

  /** Makes the callers those of the configuration; keys that are gone are revoked at once. */
  configure({ keys, anonymous }: ClientsConfig, wallMs: number): void {
    const byHash = new Map<string, Caller>();
    for (const { id, hash, ...config } of keys) {
      const known = this.#byHash.get(hash);
      const caller = known?.id === id ? known : new Caller(id, config, wallMs);
      caller.configure(config, wallMs);
      byHash.set(hash, caller);
    }
    for (const [hash, caller] of this.#byHash) {
      if (byHash.get(hash) !== caller) caller.isRevoked = true;
    }
    this.#recent.clear();
    this.#byHash = byHash;
    this.isAnonymousAllowed = anonymous.allowed;
    this.anonymous.configure(anonymous, wallMs);
  }

  /** Who holds this key; undefined when nobody does. */
  find(key: string): Caller | undefined {
    const known = this.#recent.get(key);
    if (known !== undefined) return known;
    if (key === "" || key.length > MAX_KEY_CHARS) return undefined;
    const caller = this.#byHash.get(hashOfKey(key));
    if (caller === undefined) return undefined;
    if (this.#recent.size >= MAX_REMEMBERED) this.#recent.clear();
    this.#recent.set(key, caller);
    return caller;
  }

  /** Begins new days and months. */
  turn(wallMs: number): void {
    for (const caller of this.all) caller.turn(wallMs);
  }

  /** What was used of quotas, as plain JSON. */
  toSnapshot(): Readonly<Record<string, CallerUse>> {
    const uses: Record<string, CallerUse> = {};
    for (const { id, day, month } of this.all) {
      if (day === undefined && month === undefined) continue;
      uses[id] = {
        ...(day === undefined ? {} : { day: day.toUse() }),
        ...(month === undefined ? {} : { month: month.toUse() }),
      };
    }
    return uses;
  }

  /** Takes up what `toSnapshot` gave; what cannot be read is left out. */
  restore(document: unknown): void {
    if (typeof document !== "object" || document === null) return;
    const uses = document as Readonly<Record<string, unknown>>;
    for (const caller of this.all) {
      const use = Object.hasOwn(uses, caller.id) ? uses[caller.id] : undefined;
      if (typeof use !== "object" || use === null) continue;
      const { day, month } = use as Readonly<Record<string, unknown>>;
      restoreOne(caller.day, day);
      restoreOne(caller.month, month);
    }
  }
}

function restoreOne(quota: Caller["day"], value: unknown): void {
  const use = quotaUseOf(value);
  if (use !== undefined) quota?.restore(use);
}
