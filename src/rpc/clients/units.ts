/**
 * What a call costs in units: a table of methods as the large vendors weigh them, an operator's own
 * entries on top. The most exact name counts: the method itself, else the longest glob.
 */
import { matchesGlob } from "../../lib/name-globs.ts";

/** Relative costs, after the public tables of Alchemy and Infura; `*` is any other method. */
const VENDORS_UNITS: Readonly<Record<string, number>> = {
  "*": 20,
  eth_accounts: 0,
  eth_blockNumber: 10,
  eth_call: 26,
  eth_chainId: 0,
  eth_feeHistory: 10,
  eth_getFilterLogs: 60,
  eth_getLogs: 60,
  eth_sendRawTransaction: 40,
  eth_simulateV1: 40,
  eth_subscribe: 10,
  paceline_resume: 10,
  eth_syncing: 0,
  eth_unsubscribe: 10,
  net_listening: 0,
  net_version: 0,
  web3_clientVersion: 0,
  "debug_*": 170,
  "trace_*": 75,
};

/** Methods whose cost is remembered; clients choose the names, so the memory starts anew when full. */
const MAX_REMEMBERED = 1_024;

const NOTHING = ["", 0] as const;

/** Looks costs up. */
export class UnitTable {
  readonly #exact: ReadonlyMap<string, number>;
  /** Longest first. */
  readonly #globs: readonly (readonly [glob: string, units: number])[];
  readonly #known = new Map<string, number>();

  constructor(own: Readonly<Record<string, number>>) {
    const all = Object.entries({ ...VENDORS_UNITS, ...own });
    this.#exact = new Map(all.filter(([name]) => !name.includes("*")));
    this.#globs = all
      .filter(([name]) => name.includes("*"))
      .sort(([a], [b]) => b.length - a.length);
  }

  /** Units of one call. */
  of(method: string): number {
    const known = this.#exact.get(method) ?? this.#known.get(method);
    if (known !== undefined) return known;
    const [, units] = this.#globs.find(([glob]) => matchesGlob(glob, method)) ?? NOTHING;
    if (this.#known.size >= MAX_REMEMBERED) this.#known.clear();
    this.#known.set(method, units);
    return units;
  }
}
