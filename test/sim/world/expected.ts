/** What a configuration asks for, written down independently of the supervisors: places and names. */
import { configStoreKey } from "../../../actors/ops/config-store.ts";
import { httpListenerKey } from "../../../actors/ops/http-listener.ts";
import { tableKeeperKey } from "../../../actors/ops/table-keeper.ts";
import { telemetryKey } from "../../../actors/ops/telemetry.ts";
import { benchmarkSnapshotKey } from "../../../actors/rpc/benchmark-snapshot.ts";
import { benchmarkStoreKey } from "../../../actors/rpc/benchmark-store.ts";
import { chainRegistryKey } from "../../../actors/rpc/chain-registry.ts";
import { circuitBreakerKey } from "../../../actors/rpc/circuit-breaker.ts";
import { headTrackerKey } from "../../../actors/rpc/head-tracker.ts";
import { messageAggregatorKey } from "../../../actors/rpc/message-aggregator.ts";
import { probeKey } from "../../../actors/rpc/probe.ts";
import { providerPoolKey } from "../../../actors/rpc/provider-pool.ts";
import { subscriptionHubKey } from "../../../actors/rpc/subscription-hub.ts";
import { wsConnectionKey } from "../../../actors/rpc/ws-connection.ts";
import type { ChainPlan } from "../plan.ts";

/** Places by path and registered names. */
export interface Expected {
  readonly places: readonly string[];
  readonly names: readonly string[];
}

const OPS: readonly string[] = [
  tableKeeperKey(),
  configStoreKey(),
  telemetryKey(),
  benchmarkStoreKey(),
  benchmarkSnapshotKey(),
  httpListenerKey(),
].map(({ name }) => name);

/** The tree of some chains. */
export const expectedOf = (chains: readonly ChainPlan[]): Expected => {
  const registry = chainRegistryKey().name;
  const places = [
    "application",
    "application > ops",
    ...OPS.map((name) => `application > ops > ${name}`),
    "application > chains",
    `application > ${registry}`,
  ];
  const names = [...OPS, registry];
  for (const { name: chain, providers } of chains) {
    const top = `application > chains > chain:${chain}`;
    const pool = `chain:${chain}/providers`;
    const own = [
      headTrackerKey(chain),
      messageAggregatorKey(chain),
      subscriptionHubKey(chain),
      providerPoolKey(chain),
    ].map(({ name }) => name);
    places.push(top, `${top} > ${pool}`, ...own.map((name) => `${top} > ${name}`));
    names.push(`chain:${chain}`, pool, ...own);
    for (const { id } of providers) {
      const supervisor = `chain:${chain}/provider:${id}`;
      const at = `${top} > ${pool} > ${supervisor}`;
      const workers = [
        circuitBreakerKey(chain, id, "http"),
        circuitBreakerKey(chain, id, "ws"),
        wsConnectionKey(chain, id),
        probeKey(chain, id),
      ].map(({ name }) => name);
      places.push(at, ...workers.map((name) => `${at} > ${name}`));
      names.push(supervisor, ...workers);
    }
  }
  return { places, names };
};
