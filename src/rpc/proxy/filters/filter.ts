/** One filter of one client. */
import type { ChainName } from "../../ids.ts";
import type { LogCriteria } from "../../filters/criteria.ts";
import type { Owned } from "../../filters/table.ts";
import type { ToldLogs } from "../../filters/told-logs.ts";
import type { Trail } from "../../filters/trail.ts";
import { chainKey } from "../chain-key.ts";
import type { ChainView } from "../ports.ts";
import type { PendingTap } from "./pending-tap.ts";

/** What a filter tells of, and how far it has got. */
export type FilterState =
  | { readonly kind: "blocks"; readonly trail: Trail }
  | {
      readonly kind: "logs";
      readonly criteria: LogCriteria;
      readonly trail: Trail;
      readonly told: ToldLogs;
    }
  | { readonly kind: "pending"; readonly tap: PendingTap; readonly place: number };

/** The record of a filter; it belongs to no process and outlives them all. */
export class Filter implements Owned {
  readonly id: string;
  readonly owner: string;
  readonly chain: ChainName;
  /** `chainKey` of its chain. */
  readonly chainKey: string;
  usedAtMs: number;
  state: FilterState;
  /** Its polls, one at a time: the one that runs, and those that wait for it. */
  isBusy = false;
  readonly waiting: (() => void)[] = [];

  constructor(id: string, owner: string, chain: ChainView, nowMs: number, state: FilterState) {
    this.id = id;
    this.owner = owner;
    this.chain = chain.name;
    this.chainKey = chainKey(chain);
    this.usedAtMs = nowMs;
    this.state = state;
  }
}
