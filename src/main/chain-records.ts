/** Makes a chain's live record and joins it to the processes that serve it, by key. */
import { headTrackerKey } from "../../actors/rpc/head-tracker.ts";
import { circuitBreakerKey } from "../../actors/rpc/circuit-breaker.ts";
import { neighboursKey } from "../../actors/rpc/neighbours.ts";
import { probeKey } from "../../actors/rpc/probe.ts";
import { providerPoolKey } from "../../actors/rpc/provider-pool.ts";
import { subscriptionHubKey } from "../../actors/rpc/subscription-hub.ts";
import type { ChainConfig } from "../../config/schema.ts";
import { CallbackScope } from "../io/callback-scope.ts";
import type { Node } from "../otp/index.ts";
import type { BudgetBook } from "../rpc/budget/budget-book.ts";
import { createChainState, type ChainState } from "../rpc/chain-state.ts";
import { DECISIONS } from "../rpc/errors/decisions.ts";
import { EvidenceBook } from "../rpc/evidence/evidence-book.ts";
import type { ChainDirectory } from "../rpc/proxy/ports.ts";
import { createSelectionMemory } from "../rpc/selection/sticky.ts";
import { createHubPort } from "../rpc/subscription/hub-port.ts";

/**
 * The request path is the host's: what it has to tell of an attempt counts, also when the process
 * that asked has ended meanwhile, whose own messages would be dropped.
 */
const host = new CallbackScope();

/** A new record for `config`; what it tells is cast to whoever holds the keys at that moment. */
export const makeChainRecord = (node: Node, config: ChainConfig): ChainState => {
  const { name } = config;
  const pool = node.via(providerPoolKey(name));
  const report: ChainState["report"] = (outcome) => {
    const { provider, transport, region } = outcome.row;
    if (region !== undefined) {
      node.via(neighboursKey(name)).cast.outcome(outcome);
      return;
    }
    node.via(circuitBreakerKey(name, provider, transport)).cast.outcome(outcome);
    const { memory } = DECISIONS[outcome.errorClass];
    if (memory === "cooldown") pool.cast.outcome(outcome);
    // Something may have been learned: the next snapshot leaves such calls to others.
    else if (memory === "capability") pool.cast.changed();
    else if (memory === "head" && outcome.block !== undefined) {
      node.via(headTrackerKey(name)).cast.lacks({ provider, block: outcome.block });
    }
  };
  return createChainState({
    config,
    evidence: new EvidenceBook({ chain: name, halfLifeMs: config.leaderboard.halfLifeMs }),
    memory: createSelectionMemory(),
    hub: createHubPort(node.via(subscriptionHubKey(name))),
    report: (outcome) => host.run(() => report(outcome)),
    onHeight: (provider, number) => {
      const told = { provider, number, atMs: node.nowMs() };
      host.run(() => node.via(headTrackerKey(name)).cast.polled(told));
    },
    onConnect: (provider) => {
      host.run(() => node.via(probeKey(name, provider)).cast.connected());
    },
  });
};

/** Finds running chains by name, alias or chain id; the index is made anew when the table changes. */
export const chainDirectory = (table: () => ChainTable | undefined): ChainDirectory => {
  let indexed: ChainTable | undefined;
  let version = -1;
  let byKey = new Map<string, ChainState>();
  return {
    find: (key) => {
      const current = table();
      if (current === undefined) return undefined;
      if (indexed !== current || version !== current.version) {
        indexed = current;
        version = current.version;
        const states = statesOf(current);
        // Names last: a name wins over another chain's alias or id.
        byKey = new Map([...states.flatMap(aliasesOf), ...states.map(named)]);
      }
      return byKey.get(key);
    },
    names: () => statesOf(table()).map(({ name }) => name),
  };
};

/** All running chains. */
export const statesOf = (table: ChainTable | undefined): readonly ChainState[] =>
  [...(table?.entries() ?? [])].map(([, state]) => state);

const named = (state: ChainState): readonly [string, ChainState] => [state.name, state];

/** The part of the table `rpc/chains` that looking up needs. */
interface ChainTable {
  readonly version: number;
  entries(): Iterable<readonly [unknown, ChainState]>;
}

const aliasesOf = (state: ChainState): (readonly [string, ChainState])[] => [
  [String(state.chainId), state],
  [`0x${state.chainId.toString(16)}`, state],
  ...state.aliases.map((alias) => [alias, state] as const),
];

/** The budgets of all running chains by name. */
export const budgetsOf = (table: ChainTable | undefined): ReadonlyMap<string, BudgetBook> =>
  new Map(statesOf(table).map(({ name, budgets }) => [name, budgets]));

/** The evidence of all running chains by name. */
export const booksOf = (table: ChainTable | undefined): ReadonlyMap<string, EvidenceBook> =>
  new Map(statesOf(table).map(({ name, evidence }) => [name, evidence]));
