/** What operators and the other subtrees rely on: tables, configuration, evidence, ports. */
import { adminSocket, adminSocketKey } from "../actors/ops/admin-socket.ts";
import { configStore, configStoreKey } from "../actors/ops/config-store.ts";
import { httpListener, httpListenerKey } from "../actors/ops/http-listener.ts";
import { redisLink, redisLinkKey } from "../actors/ops/redis-link.ts";
import { tableKeeper, tableKeeperKey } from "../actors/ops/table-keeper.ts";
import { telemetryKeeper, telemetryKey } from "../actors/ops/telemetry.ts";
import { benchmarkSnapshot, benchmarkSnapshotKey } from "../actors/rpc/benchmark-snapshot.ts";
import { benchmarkStore, benchmarkStoreKey } from "../actors/rpc/benchmark-store.ts";
import { chainRegistryKey, chainTables } from "../actors/rpc/chain-registry.ts";
import { child, supervisor, type ArgsOf, type SupervisorSpec } from "../src/otp/index.ts";

/** What the processes of this subtree are started with. */
export interface OpsParts {
  /** Tables besides those of the chains whose rows must outlive their writers. */
  readonly tables?: readonly string[] | undefined;
  readonly configStore: ArgsOf<typeof configStore>;
  readonly telemetry: ArgsOf<typeof telemetryKeeper>;
  readonly benchmarkStore: ArgsOf<typeof benchmarkStore>;
  readonly benchmarkSnapshot: ArgsOf<typeof benchmarkSnapshot>;
  /** Undefined where nobody may look in, as in a simulation. */
  readonly adminSocket: ArgsOf<typeof adminSocket> | undefined;
  /** Undefined without a configured Redis. */
  readonly redisLink?: ArgsOf<typeof redisLink> | undefined;
  readonly httpListener: ArgsOf<typeof httpListener>;
}

/** one_for_one: each of them is of use alone, and none of them serves requests itself. */
export const ops = (parts: OpsParts): SupervisorSpec =>
  supervisor("ops", {
    strategy: "one_for_one",
    intensity: 10,
    period: 10,
    children: [
      child(
        tableKeeper,
        { tables: [...chainTables, ...(parts.tables ?? [])], heir: () => chainRegistryKey() },
        { register: tableKeeperKey() },
      ),
      child(configStore, parts.configStore, { register: configStoreKey() }),
      child(telemetryKeeper, parts.telemetry, { register: telemetryKey() }),
      child(benchmarkStore, parts.benchmarkStore, { register: benchmarkStoreKey() }),
      child(benchmarkSnapshot, parts.benchmarkSnapshot, {
        register: benchmarkSnapshotKey(),
        shutdown: 15_000,
      }),
      ...(parts.adminSocket === undefined
        ? []
        : [child(adminSocket, parts.adminSocket, { register: adminSocketKey() })]),
      ...(parts.redisLink === undefined
        ? []
        : [child(redisLink, parts.redisLink, { register: redisLinkKey() })]),
      child(httpListener, parts.httpListener, { register: httpListenerKey(), shutdown: 10_000 }),
    ],
  });
