/**
 * A ranking is made again from {demand, version of the market, seed} and must come out equal byte for
 * byte. What the market was at a version is kept as a base and the changes since.
 */
import type { Plan } from "../compile.ts";
import { ProviderIndex } from "../index/provider-index.ts";
import { match, type Ranking } from "../match.ts";
import type { Provider } from "../provider.ts";
import { type Shift, shiftsBetween } from "./what-if.ts";

/** What replaying found. */
export type Replay =
  | { readonly ok: true; readonly ranking: Ranking }
  | {
      readonly ok: false;
      readonly reason: "market" | "version" | "demand" | "profile";
      readonly message: string;
    }
  | { readonly ok: false; readonly reason: "differs"; readonly shifts: readonly Shift[] };

/** Makes a stored ranking again, on the market as it was. */
export function replay(stored: Ranking, plan: Plan, index: ProviderIndex): Replay {
  const refuse = (
    reason: "market" | "version" | "demand" | "profile",
    was: string | number,
    is: string | number,
  ): Replay => ({ ok: false, reason, message: `the ${reason} was ${was}, it is ${is}` });
  const { market, demand, profileVersion, version, signalVersion } = stored;
  if (market !== index.schema.name) return refuse("market", market, index.schema.name);
  if (demand !== plan.text) return refuse("demand", demand, plan.text);
  if (profileVersion !== plan.composite.version) {
    return refuse("profile", profileVersion, plan.composite.version);
  }
  if (version !== index.version || signalVersion !== index.signalVersion) {
    const is = `${index.version}.${index.signalVersion}`;
    return refuse("version", `${version}.${signalVersion}`, is);
  }
  const explain = stored.survivors !== undefined;
  // The path may differ, for it depends on how many providers there are to this process.
  const top = stored.outcome === "ok" ? stored.picks.length : plan.demand.k;
  const ranking = { ...match(plan, index, { seed: stored.seed, top, explain }), path: stored.path };
  return JSON.stringify(ranking) === JSON.stringify(stored)
    ? { ok: true, ranking }
    : { ok: false, reason: "differs", shifts: shiftsBetween(stored, ranking) };
}

/** A change of a market, as the log keeps it. */
type Change =
  | { readonly do: "put"; readonly provider: Provider }
  | { readonly do: "remove"; readonly id: string }
  | { readonly do: "stake"; readonly id: string; readonly stake: bigint }
  | { readonly do: "state"; readonly id: string; readonly state: string; readonly on: boolean }
  | { readonly do: "value"; readonly id: string; readonly column: string; readonly value: number };

interface Logged {
  readonly change: Change;
  readonly version: number;
  readonly signalVersion: number;
}

/** Writes to a market and keeps what was written, so that any version since its base can be had. */
export class MarketLog {
  readonly index: ProviderIndex;
  readonly #most: number;
  #base: readonly Provider[];
  #baseVersion: number;
  #baseSignals: number;
  #changes: Logged[] = [];

  /** After `most` changes the market as it is becomes the base, and older versions are forgotten. */
  constructor(index: ProviderIndex, most: number) {
    this.index = index;
    this.#most = most;
    this.#base = Array.from(index.rows(), (row) => index.providerAt(row));
    this.#baseVersion = index.version;
    this.#baseSignals = index.signalVersion;
  }

  /** Makes a change; false when the market refused it. */
  write(change: Change): boolean {
    if (!apply(this.index, change)) return false;
    const { version, signalVersion } = this.index;
    this.#changes.push({ change, version, signalVersion });
    if (this.#changes.length > this.#most) this.#rebase();
    return true;
  }

  /** The market as it was at a version, or `undefined` when that is forgotten or was never. */
  at(version: number, signalVersion: number): ProviderIndex | undefined {
    if (version < this.#baseVersion || signalVersion < this.#baseSignals) return undefined;
    const index = new ProviderIndex(this.index.schema);
    for (const provider of this.#base) index.put(provider);
    index.version = this.#baseVersion;
    index.signalVersion = this.#baseSignals;
    for (const logged of this.#changes) {
      if (logged.version > version || logged.signalVersion > signalVersion) break;
      apply(index, logged.change);
    }
    return index.version === version && index.signalVersion === signalVersion ? index : undefined;
  }

  #rebase(): void {
    this.#base = Array.from(this.index.rows(), (row) => this.index.providerAt(row));
    this.#baseVersion = this.index.version;
    this.#baseSignals = this.index.signalVersion;
    this.#changes = [];
  }
}

function apply(index: ProviderIndex, change: Change): boolean {
  if (change.do === "put") return index.put(change.provider).ok;
  if (change.do === "remove") return index.remove(change.id);
  const row = index.rowOf(change.id);
  if (row === undefined) return false;
  if (change.do === "stake") index.setStake(row, change.stake);
  else if (change.do === "state") return index.setState(row, change.state, change.on);
  else {
    const column = index.columns.get(change.column);
    if (column === undefined) return false;
    index.setValue(row, column, change.value);
  }
  return true;
}
