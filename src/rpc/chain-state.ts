/**
 * The live record behind a `ChainView`: one per running chain, kept in the table `rpc/chains`.
 *
 * It outlives every process of its chain, so cooldowns, breaker states and evidence survive a
 * restart. Each field has one writing process, named beside it; everybody else reads.
 */
import type { ChainConfig, MethodsConfig } from "../../config/schema.ts";
import { NameGlobs } from "../lib/name-globs.ts";
import { CapabilityBook } from "./capabilities/capability-book.ts";
import { BudgetBook } from "./budget/budget-book.ts";
import { createCounts, type CacheCounts } from "./cache/cache-counts.ts";
import { Canon } from "./cache/canon.ts";
import type { EndpointRow, HeadView } from "./chain-view.ts";
import type { ErrorRule } from "./errors/rules.ts";
import { UnmatchedErrors } from "./errors/unmatched.ts";
import type { EvidenceBook } from "./evidence/evidence-book.ts";
import { HeadHashes } from "./head/head-hashes.ts";
import { type Helpers, regionOf } from "./help/helping-regions.ts";
import type { ProviderId, Transport } from "./ids.ts";
import { ForecastBook } from "./prediction/forecast-book.ts";
import { BlockRing } from "./integrity/block-ring.ts";
import type { ChainView, HubPort, Upstream } from "./proxy/ports.ts";
import type { EventRacer } from "./race/event-racer.ts";
import type { Priors } from "./selection/prior.ts";
import type { RoutingSnapshot, SelectionMemory } from "./selection/snapshot.ts";

/** The admission cells of one provider. */
export interface ProviderRows {
  readonly http: EndpointRow;
  readonly ws: EndpointRow;
}

/** A chain's view with the fields its processes write. */
export interface ChainState extends ChainView {
  /** Written by the request path (calls) and the message aggregator (races); outlives all processes of the chain. */
  readonly evidence: EvidenceBook;
  /** The races under way. Written by the message aggregator; the next one finds what this one has left. */
  racer: EventRacer | undefined;
  readonly memory: SelectionMemory;
  /** Written by the provider pool; outlives it. */
  readonly forecasts: ForecastBook;
  /** Written by the request path. */
  readonly capabilities: CapabilityBook;
  /** Written by the request path. */
  readonly unmatched: UnmatchedErrors;
  /** Written by the chain registry at reload; the processes read it anew where it may change. */
  config: ChainConfig;
  /** Written by the provider pool. */
  snapshot: RoutingSnapshot | undefined;
  /** Written by the head tracker. */
  head: HeadView | undefined;
  /** Written by the subscription hub. */
  announced: number | undefined;
  /** Somebody subscribes to heads or logs: whoever is polled is asked for the block. Written by the subscription hub. */
  isWatched: boolean;
  /** Who helps while no provider may be asked; undefined where nobody shall. Written by `neighbours`. */
  helpers: Helpers | undefined;
  /** What other regions say of the providers; undefined where nobody asks them. Written by `neighbours`. */
  priors: Priors | undefined;
  /** Written by the head tracker; outlives it. */
  readonly hashes: HeadHashes;
  /** Written by the head tracker, and by answers that passed; outlives both. */
  readonly blocks: BlockRing;
  /** Written by the subscription hub; outlives it. */
  readonly canon: Canon;
  /** Bumped by the request path. */
  readonly answers: CacheCounts;
  /** A new connection to a provider was made; may lead to another node. */
  readonly onConnect: (provider: ProviderId) => void;
  /** Configured by the provider pool, charged by whoever sends. */
  readonly budgets: BudgetBook;
  /** The cells of a provider, made at first sight; their index never changes. */
  rows(provider: ProviderId): ProviderRows;
  /** Publishes the live channel of a row. */
  attach(row: EndpointRow, upstream: Upstream): void;
  /** Withdraws a channel, unless another one has taken its place. */
  detach(row: EndpointRow, upstream: Upstream): void;
  /** Withdraws a provider that runs no more: nobody is sent there, calls in flight may finish. */
  dismiss(provider: ProviderId): void;
  /** Withdraws all providers: the chain is gone for good. */
  dispose(): void;
}

/** The compiled lists of methods of a chain. */
interface MethodPolicy {
  readonly allow: NameGlobs;
  readonly deny: NameGlobs;
}

/** A channel that somebody has to close. */
interface Closable {
  close?(): unknown;
}

/** What a chain's record is made of. */
export interface ChainStateOptions {
  readonly config: ChainConfig;
  readonly evidence: EvidenceBook;
  readonly memory: SelectionMemory;
  readonly hub: HubPort;
  readonly report: ChainView["report"];
  readonly onConnect: (provider: ProviderId) => void;
  /** A client's call has shown a provider's head to be further than it was known to be. */
  readonly onHeight?: (provider: ProviderId, number: number) => void;
}

/** Makes the record of a chain that is about to start. */
export const createChainState = (options: ChainStateOptions): ChainState => {
  const rows = new Map<ProviderId, ProviderRows>();
  const upstreams = new Map<EndpointRow, Upstream>();
  const name = options.config.name;
  let policyOf: MethodsConfig | undefined;
  let compiled: MethodPolicy | undefined;
  // A reload brings another object; until then the lists are compiled once.
  const policy = (): MethodPolicy => {
    const { methods } = state.config;
    if (compiled === undefined || policyOf !== methods) {
      compiled = { allow: new NameGlobs(methods.allow), deny: new NameGlobs(methods.deny) };
      policyOf = methods;
    }
    return compiled;
  };

  const state: ChainState = {
    config: options.config,
    evidence: options.evidence,
    memory: options.memory,
    forecasts: new ForecastBook(),
    capabilities: new CapabilityBook(),
    unmatched: new UnmatchedErrors(),
    hub: options.hub,
    report: options.report,
    heard: (provider, number) => {
      const { http, ws } = state.rows(provider);
      if (number > Math.max(http.head, ws.head)) options.onHeight?.(provider, number);
    },
    onConnect: options.onConnect,
    budgets: new BudgetBook(),
    racer: undefined,
    snapshot: undefined,
    head: undefined,
    announced: undefined,
    isWatched: false,
    helpers: undefined,
    priors: undefined,
    hashes: new HeadHashes(),
    canon: new Canon(),
    answers: createCounts(),
    get cache() {
      return state.config.cache;
    },
    hashAt: (number) => state.hashes.at(number),
    get finalityDepth() {
      return state.config.finalityDepth;
    },
    get consistency() {
      return state.config.consistency;
    },
    blocks: new BlockRing(),
    get integrity() {
      return state.config.integrity;
    },
    get quorum() {
      return state.config.quorum;
    },
    name,
    get aliases() {
      return state.config.aliases;
    },
    get chainId() {
      return state.config.chainId;
    },
    get strategy() {
      return state.config.strategy;
    },
    get failoverEnabled() {
      return state.config.failover.enabled;
    },
    get hedge() {
      return state.config.hedge;
    },
    get logs() {
      return state.config.logs;
    },
    get takesDirectives() {
      return state.config.allowClientDirectives;
    },
    allows: (method) => policy().allow.has(method),
    denies: (method) => policy().deny.has(method),
    get writes() {
      return state.config.write;
    },
    errorRules: (provider) =>
      state.config.providers.find(({ id }) => id === provider)?.errorRules ?? noRules,
    upstream: (row) => upstreams.get(row),
    rows: (provider) => {
      const known = rows.get(provider);
      if (known !== undefined) return known;
      const index = rows.size;
      const made = {
        http: new EndpointCell(name, provider, "http", index),
        ws: new EndpointCell(name, provider, "ws", index),
      };
      rows.set(provider, made);
      return made;
    },
    attach: (row, upstream) => void upstreams.set(row, upstream),
    dismiss: (provider) => {
      state.capabilities.forget(provider);
      state.forecasts.forget(provider);
      for (const row of Object.values(state.rows(provider)) as readonly EndpointRow[]) {
        row.isUsable = false;
        row.unusableReason = "not started";
        forgive(row);
        const upstream: (Upstream & Closable) | undefined = upstreams.get(row);
        upstreams.delete(row);
        upstream?.close?.();
      }
    },
    dispose: () => {
      for (const provider of rows.keys()) state.dismiss(provider);
    },
    detach: (row, upstream) => {
      if (upstreams.get(row) === upstream) upstreams.delete(row);
    },
  };
  return state;
};

/**
 * Its breaker's process is gone and nobody would ever release it: whoever comes back under this name
 * starts anew, and what is still on its way to the old endpoint is of an older generation.
 */
const forgive = (row: EndpointRow): void => {
  row.state = "closed";
  row.openUntilMs = 0;
  row.generation += 1;
  row.forced = false;
  row.dirty = false;
  row.suspect = false;
  row.cooldownUntilMs = 0;
};

const noRules: readonly ErrorRule[] = [];

/**
 * The cell itself. A class, because it is a handle that several processes write to by design
 * (docs/adr/0002): messages that carry one share it, where plain data would be frozen in dev mode.
 */
class EndpointCell implements EndpointRow {
  readonly chain: string;
  readonly provider: ProviderId;
  readonly transport: Transport;
  readonly region: string | undefined;
  readonly index: number;
  state: EndpointRow["state"] = "closed";
  openUntilMs = 0;
  generation = 0;
  forced = false;
  dirty = false;
  cooldownUntilMs = 0;
  suspect = false;
  isUsable = false;
  unusableReason: string | undefined = "not started";
  head = -1;
  headHash: string | undefined = undefined;
  headAtMs = 0;
  budget: EndpointRow["budget"] = undefined;
  inFlight = 0;
  successes = 0;
  completed = 0;
  answered = 0;

  constructor(chain: string, provider: ProviderId, transport: Transport, index: number) {
    this.chain = chain;
    this.provider = provider;
    this.transport = transport;
    this.region = regionOf(provider);
    this.index = index;
  }
}
