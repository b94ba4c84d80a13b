/**
 * Which chains run: starts, stops and lists them, and is never asked during a request.
 *
 * Owns the rows of the table `rpc/chains`, one live record per chain, and keeps the children of the
 * `chains` supervisor equal to the configuration. Heir of the keeper's tables: it stands beside the
 * subtree that the keeper is in, so the two do not die together. Permanent; a restart compares
 * children and configuration and mends.
 */
import type { ChainConfig } from "../../config/schema.ts";
import type { ReloadStep } from "../../config/plan.ts";
import { rebaseSteps } from "../../config/rebase.ts";
import {
  defineActor,
  ExitError,
  keyFor,
  reply,
  type ChildSpec,
  type Ctx,
  type Key,
  type TableTransfer,
} from "../../src/otp/index.ts";
import type { ChainState } from "../../src/rpc/chain-state.ts";
import type { ChainName, ProviderId } from "../../src/rpc/ids.ts";
import { statsTable } from "../../src/rpc/stream-stats.ts";
import { benchmarkSnapshotKey } from "./benchmark-snapshot.ts";
import { providerPoolKey } from "./provider-pool.ts";
import { subscriptionHubKey } from "./subscription-hub.ts";

/** Name of the table of live chain records. */
export const chainsTable = "rpc/chains";

/** Tables that the keeper opens for the chains. */
export const chainTables: readonly string[] = [chainsTable, statsTable];

/** What the registry needs. */
export interface ChainRegistryArgs {
  /** The chains of the running configuration, read anew at each start. */
  readonly configured: () => readonly ChainConfig[];
  /** Makes the live record of a chain. */
  readonly record: (config: ChainConfig) => ChainState;
  /** The subtree of a chain. */
  readonly subtree: (state: ChainState) => ChildSpec;
  /** Registered name of the supervisor of the chains. */
  readonly supervisor: string;
  /** The process that owns the table of records. */
  readonly keeper: () => Key;
  /** Closes whoever is still subscribed to a chain; answers how many they were. */
  readonly closeSubscribers: (chain: ChainName, reason: string) => number;
  /** Makes sure that a table exists. */
  readonly openTable: (name: string) => Promise<void>;
}

interface State extends ChainRegistryArgs {
  /** Records of the chains that should run; kept here too, should the table be lost. */
  readonly records: ReadonlyMap<ChainName, ChainState>;
  /** Chains whose record this incarnation has made, until they have been compared once. */
  readonly fresh: Set<ChainName>;
  /** Monitored incarnations by name: one monitor each, however often they are looked at. */
  readonly watched: Map<string, string>;
}

/** Wait before a supervisor that has died is looked for again, ms. */
const retryMs = 20;

/** The registry of chains. */
export const chainRegistry = defineActor({
  name: "rpc/chain-registry",
  init: async (args: ChainRegistryArgs, ctx): Promise<State> => {
    const records = new Map<ChainName, ChainState>();
    const fresh = new Set<ChainName>();
    for (const config of args.configured()) {
      const known = ctx.table<ChainState>(chainsTable)?.get(config.name);
      if (known === undefined) fresh.add(config.name);
      records.set(config.name, known ?? args.record(config));
    }
    const state = { ...args, records, fresh, watched: new Map<string, string>() };
    await reconcile(state, ctx);
    return state;
  },
  calls: {
    /** Carries out the steps of a reload that concern chains; answers when the tree has followed. */
    apply: async (state, change: ChainChange, ctx) => {
      const next = await applied(state, change, ctx);
      return reply(next, "ok" as const);
    },
    list: (state, _arg: undefined) => reply(state, [...state.records.keys()]),
  },
  on: async (state, info, ctx) => {
    if (info.type === "down") ctx.after(retryMs, "reconcile");
    else if (info.type === "info") {
      const transfer = info.payload as Partial<TableTransfer>;
      if (transfer.type === "table_transfer") giveBack(state, transfer.table as string, ctx);
    } else if (info.type !== "timer") return state;
    else if (info.key === "reconcile") await reconcile(state, ctx);
    else giveBack(state, info.payload as string, ctx);
    return state;
  },
  formatState: ({ records }) => ({ chains: [...records.keys()] }),
});

/** Finds the chain registry. */
export const chainRegistryKey = keyFor(chainRegistry);

/** Hands an inherited table to the keeper as soon as it is back. */
const giveBack = (state: State, name: string, ctx: Ctx): void => {
  const keeper = ctx.whereis(state.keeper());
  const isGiven = keeper !== undefined && ctx.table(name)?.giveAway(keeper) === true;
  if (!isGiven) ctx.after(retryMs, `give:${name}`, name);
};

/** A new list of chains and how to get there. */
export interface ChainChange {
  readonly chains: readonly ChainConfig[];
  readonly steps: readonly ReloadStep[];
}

/**
 * Puts the records into the table, ends what has none, starts what does not run, and watches both
 * owners.
 */
const reconcile = async (state: State, ctx: Ctx): Promise<void> => {
  const supervisor = ctx.supervisor(state.supervisor);
  const keeper = ctx.whereis(state.keeper());
  if (supervisor === undefined || keeper === undefined) {
    ctx.after(retryMs, "reconcile");
    return;
  }
  // Tables are lost only with keeper and heir together; the next keeper may have seen them last.
  for (const name of chainTables) if (!(await isOpen(state, name, ctx))) return;
  for (const target of [supervisor, keeper]) {
    if (state.watched.get(target.name) === target.id) continue;
    state.watched.set(target.name, target.id);
    ctx.monitor(target);
  }
  const running = new Set((await supervisor.whichChildren()).map(({ id }) => String(id)));
  // Left by a reload that died with an earlier incarnation: the next one starts it anew.
  for (const id of running) {
    const name = id.slice(childId("").length);
    if (!state.records.has(name)) await stop(state, name, ctx);
  }
  for (const [name, record] of state.records) {
    const table = ctx.table<ChainState>(chainsTable);
    if (table?.has(name) === false) table.put(name, record);
    if (!(await isOpen(state, subscriptionsTable(name), ctx))) return;
    // Processes that run on a record that was lost serve nobody, and their clients must hear of it.
    const isLost = state.fresh.has(name) && running.has(childId(name));
    if (isLost) await end(state, name, `the records of chain ${name} were lost`, ctx);
    if (isLost || !running.has(childId(name))) await start(state, record, ctx);
    state.fresh.delete(name);
  }
};

/**
 * Has the keeper open a table that is missing. A keeper that dies meanwhile must not take its heir
 * with it, which would lose every table: the answer is false, and the registry soon compares again.
 */
const isOpen = async (state: State, name: string, ctx: Ctx): Promise<boolean> => {
  if (ctx.table(name) !== undefined) return true;
  try {
    await ctx.guard(state.openTable(name));
    return true;
  } catch (error) {
    if (!(error instanceof ExitError)) throw error;
    ctx.after(retryMs, "reconcile");
    return false;
  }
};

const start = async (state: State, record: ChainState, ctx: Ctx): Promise<void> => {
  const { name } = record;
  if (!(await isOpen(state, subscriptionsTable(name), ctx))) return;
  ctx.table<ChainState>(chainsTable)?.put(name, record);
  if (record.snapshot === undefined) {
    await ctx.via(benchmarkSnapshotKey()).try.restore(name);
    record.evidence.keepOnly(providersOf(record.config));
  }
  const result = await ctx.supervisor(state.supervisor)?.startChild(state.subtree(record));
  if (result?.ok === false)
    ctx.log.error({ chain: name, reason: result.reason }, "chain not started");
};

/** Tells the clients of a chain why it ends, and stops its processes. */
const end = async (state: State, name: ChainName, reason: string, ctx: Ctx): Promise<void> => {
  const supervisor = ctx.supervisor(state.supervisor);
  await ctx.via(subscriptionHubKey(name)).try.retire(reason);
  await supervisor?.terminateChild(childId(name));
  await supervisor?.deleteChild(childId(name));
  // A hub that crashed over it told nobody, and one that did may have taken a client since.
  state.closeSubscribers(name, reason);
};

const stop = async (state: State, name: ChainName, ctx: Ctx): Promise<void> => {
  await end(state, name, `chain ${name} was removed or replaced`, ctx);
  const known = state.records.get(name) ?? ctx.table<ChainState>(chainsTable)?.get(name);
  ctx.table(chainsTable)?.delete(name);
  known?.dispose();
};

const applied = async (state: State, change: ChainChange, ctx: Ctx): Promise<State> => {
  const records = new Map(state.records);
  const wanted = new Map(change.chains.map((config) => [config.name, config]));
  const renewed = new Map<ChainName, Set<ProviderId>>();
  // The plan starts from what the store knows to run. A second record for a chain that runs already
  // would be found by requests and served by no process.
  const running = [...records.values()].map(({ config }) => config);
  const steps = rebaseSteps(change.steps, running, change.chains);
  // Values first, so that whatever restarts below starts with them.
  for (const [name, config] of wanted) {
    const record = records.get(name);
    if (record === undefined || record.chainId !== config.chainId) continue;
    record.evidence.setHalfLife(config.leaderboard.halfLifeMs, ctx.now());
    record.evidence.keepOnly(providersOf(config));
    record.config = config;
    // The row is the same; putting it again tells readers that names may have changed.
    ctx.table<ChainState>(chainsTable)?.put(name, record);
  }
  for (const { action, chain, provider, process } of steps) {
    if (chain === undefined) continue;
    if (provider === undefined && process === undefined && action !== "patch") {
      if (action !== "start") await stop(state, chain, ctx);
      records.delete(chain);
      const config = wanted.get(chain);
      if (config === undefined) continue;
      const record = state.record(config);
      records.set(chain, record);
      await start({ ...state, records }, record, ctx);
      continue;
    }
    if (process !== undefined) await restartProcess(chain, provider, process, ctx);
    else if (provider !== undefined && action === "restart") {
      renewed.set(chain, (renewed.get(chain) ?? new Set()).add(provider));
    }
  }
  for (const chain of touched(steps)) {
    if (!records.has(chain)) continue;
    const ids = [...(renewed.get(chain) ?? [])];
    await ctx.via(providerPoolKey(chain)).try.configure({ renewed: ids }, { timeoutMs: 30_000 });
  }
  return { ...state, records };
};

/** Who may have evidence: also those that cannot be used today. */
const providersOf = ({ providers, skipped }: ChainConfig): readonly ProviderId[] =>
  [...providers, ...skipped].map(({ id }) => id);

/** Chains in which a provider comes, goes or changes, or a value that routing reads. */
const touched = (steps: readonly ReloadStep[]): ReadonlySet<ChainName> =>
  new Set(
    steps.flatMap(({ chain, provider, process, action }) =>
      chain !== undefined && process === undefined && (provider !== undefined || action === "patch")
        ? [chain]
        : [],
    ),
  );

const restartProcess = async (
  chain: ChainName,
  provider: ProviderId | undefined,
  process: string,
  ctx: Ctx,
): Promise<void> => {
  const supervisor = ctx.supervisor(
    provider === undefined ? childId(chain) : `${childId(chain)}/provider:${provider}`,
  );
  const children = (await supervisor?.whichChildren()) ?? [];
  for (const { id } of children.filter(({ id }) => String(id).endsWith(`/${process}`))) {
    await supervisor?.terminateChild(String(id));
    await supervisor?.restartChild(String(id));
  }
};

/** Id of a chain's subtree under its supervisor, and the name the tree shows. */
const childId = (chain: ChainName): string => `chain:${chain}`;

/** Name of the table of a chain's client subscriptions. */
const subscriptionsTable = (chain: ChainName): string => `rpc/chain/${chain}/subscriptions`;
