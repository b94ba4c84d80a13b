/**
 * The whole tree:
 *
 *     application (one_for_one)
 *     ├── ops        table-keeper · config-store · telemetry · benchmark-store · benchmark-snapshot · admin-socket · redis-link · http-listener
 *     ├── chains     chain:<name>, one per configured chain (chain.ts)
 *     │   └── head-tracker · message-aggregator · subscription-hub · providers · provider-pool · neighbours
 *     │       └── provider:<id>   circuit-breaker (http, ws) · ws-connection · probe (provider.ts)
 *     ├── cluster    registry-sync · leaderboard-sync · region-commands · region-presence (cluster.ts)
 *     ├── pairing    store-writer · directory · policy-queue · result-buffer · workers · intake · epoch-clock (pairing.ts)
 *     └── chain-registry          keeps the children of `chains` equal to the configuration
 */
import { tableKeeperKey } from "../actors/ops/table-keeper.ts";
import { chainRegistry, chainRegistryKey } from "../actors/rpc/chain-registry.ts";
import { child, supervisor, type ArgsOf, type SupervisorSpec } from "../src/otp/index.ts";
import { chain, type ChainParts } from "./chain.ts";
import { chains, chainsName } from "./chains.ts";
import { cluster, type ClusterParts } from "./cluster.ts";
import { ops, type OpsParts } from "./ops.ts";
import { pairing, type PairingParts } from "./pairing.ts";

type Registry = ArgsOf<typeof chainRegistry>;

/** What the tree is started with; the host program brings the drivers. */
export interface ApplicationParts {
  readonly ops: OpsParts;
  readonly chain: ChainParts;
  /** Undefined without a configured market. */
  readonly pairing?: PairingParts | undefined;
  /** Undefined where nothing is shared with other regions. */
  readonly cluster?: ClusterParts | undefined;
  readonly registry: Pick<Registry, "configured" | "record" | "openTable" | "closeSubscribers">;
}

/**
 * one_for_one: the chains go on while ops restarts and the other way round; the registry looks after
 * chains that a restart of their supervisor has lost.
 */
export const application = (parts: ApplicationParts): SupervisorSpec =>
  supervisor("application", {
    strategy: "one_for_one",
    intensity: 10,
    period: 10,
    children: [
      ops(parts.ops),
      chains(),
      ...(parts.cluster === undefined ? [] : [cluster(parts.cluster)]),
      ...(parts.pairing === undefined ? [] : [pairing(parts.pairing)]),
      child(
        chainRegistry,
        {
          ...parts.registry,
          subtree: (state) => chain(state, parts.chain),
          supervisor: chainsName,
          keeper: () => tableKeeperKey(),
        },
        { register: chainRegistryKey(), startTimeoutMs: 60_000 },
      ),
    ],
  });
