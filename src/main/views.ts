/** Maps the live records of the chains onto the shapes that pages, metrics and health read. */
import type { ChainConfig, ProviderConfig } from "../../config/schema.ts";
import type { Node, TreeNode } from "../otp/index.ts";
import type { ChainView, ConnectionStatus, ProcessesView, ProviderView } from "../ops/views.ts";
import type { ChainState } from "../rpc/chain-state.ts";
import { rank } from "../rpc/selection/rank.ts";
import type { EndpointView, Ranking } from "../rpc/selection/snapshot.ts";

/** Counters that only the chain's event processes know. */
export type ChainExtras = Pick<ChainView, "aggregation" | "caches" | "streams"> & {
  readonly connections: ReadonlyMap<string, ConnectionStatus>;
};

/** The view of one chain. */
export const chainView = (
  state: ChainState,
  extras: ChainExtras,
  restarts: Restarts,
): ChainView => {
  const { config, snapshot, head } = state;
  const order =
    snapshot === undefined ? undefined : rank(snapshot, { method: "eth_blockNumber", seed: 0.5 });
  const { connections, ...counters } = extras;
  return {
    name: config.name,
    chainId: config.chainId,
    aliases: config.aliases,
    strategy: config.strategy,
    tip: head?.number ?? -1,
    tipHash: head?.hash,
    tipAtMs: head?.atMs,
    blockTimeMs: snapshot?.blockTimeMs ?? config.blockTimeMs ?? 0,
    maxLagBlocks: config.selection.maxLagBlocks,
    skipped: config.skipped,
    restarts: restarts.of(`chain:${config.name}`),
    providers: config.providers.map((provider) =>
      providerView(state, provider, config, order, connections, restarts),
    ),
    ...counters,
  };
};

const providerView = (
  state: ChainState,
  provider: ProviderConfig,
  config: ChainConfig,
  order: Ranking | undefined,
  connections: ChainExtras["connections"],
  restarts: Restarts,
): ProviderView => {
  const { id } = provider;
  const rows = state.rows(id);
  const view = state.snapshot?.endpoints.find((endpoint) => endpoint.provider === id);
  const place = order?.candidates.findIndex(({ row }) => row.provider === id) ?? -1;
  return {
    id,
    vendor: provider.vendor,
    region: provider.region,
    role: provider.role,
    type: provider.type,
    priority: provider.priority,
    http: provider.url === undefined ? undefined : rows.http,
    ws: provider.wsUrl === undefined ? undefined : rows.ws,
    connection: connections.get(id),
    head: Math.max(rows.http.head, rows.ws.head),
    lag: view?.lag,
    rank: place < 0 ? undefined : place + 1,
    score: order?.candidates[place]?.score,
    race: view?.race,
    calls: view === undefined ? undefined : callsOf(view, provider),
    restarts: restarts.of(`chain:${config.name}/provider:${id}`),
  };
};

const callsOf = (view: EndpointView, provider: ProviderConfig) =>
  view.calls.get(provider.url === undefined ? "ws" : "http", undefined);

/** Restarts of the processes below each supervisor, by the ids from the chain down. */
export class Restarts {
  readonly #counts = new Map<string, number>();
  /** Facts of the whole tree. */
  readonly processes: ProcessesView;

  constructor(node: Node) {
    let supervisors = 0;
    let workers = 0;
    let worst: { readonly supervisor: string; readonly ratio: number } | undefined;
    const visit = (at: TreeNode, owners: readonly string[]): number => {
      if (at.kind === "worker") {
        workers += 1;
        return at.restarts.count;
      }
      supervisors += 1;
      const ratio = at.restarts.intensity === 0 ? 0 : at.restarts.count / at.restarts.intensity;
      if (ratio > (worst?.ratio ?? 0)) worst = { supervisor: at.name, ratio };
      const id = at.name.startsWith("chain:") || at.name.startsWith("provider:") ? [at.name] : [];
      const path = [...owners, ...id];
      const total = at.children.reduce((sum, child) => sum + visit(child, path), 0);
      if (id.length > 0) this.#counts.set(path.join("/"), total);
      return total;
    };
    const tree = node.inspector.tree();
    const restarts = tree === undefined ? 0 : visit(tree, []);
    const mailboxes = node.inspector.processes().map(({ mailbox }) => mailbox);
    this.processes = {
      supervisors,
      workers,
      restarts,
      mailboxMessages: mailboxes.reduce((sum, length) => sum + length, 0),
      mailboxMaxMessages: mailboxes.reduce((max, length) => Math.max(max, length), 0),
      worstBudget: worst,
    };
  }

  /** Restarts below `path`, e.g. `chain:eth/provider:a`. */
  of(path: string): number {
    return this.#counts.get(path) ?? 0;
  }
}
