/** What this region shares with others over Redis. */
import { leaderboardSync, leaderboardSyncKey } from "../actors/cluster/leaderboard-sync.ts";
import { regionCommands, regionCommandsKey } from "../actors/cluster/region-commands.ts";
import { regionPresence, regionPresenceKey } from "../actors/cluster/region-presence.ts";
import { registrySync, registrySyncKey } from "../actors/cluster/registry-sync.ts";
import { singleton, type SingletonArgs, singletonKey } from "../actors/cluster/singleton.ts";
import { type ArgsOf, child, supervisor, type SupervisorSpec } from "../src/otp/index.ts";

/** What the processes of this subtree are started with. */
export interface ClusterParts {
  readonly regionPresence: ArgsOf<typeof regionPresence>;
  readonly registrySync: ArgsOf<typeof registrySync>;
  readonly leaderboardSync: ArgsOf<typeof leaderboardSync>;
  readonly regionCommands: ArgsOf<typeof regionCommands>;
  /** Processes that the whole cluster has once. */
  readonly singletons?: readonly Singleton[];
}

type Singleton = Omit<SingletonArgs, "supervisor">;

/** Whatever fails here again and again waits longer each time: it must not use up the tree's budget. */
const backoff = { minMs: 200, maxMs: 10_000 };

/** one_for_one: what they share lies with the host, so none needs another to have started. */
export const cluster = (parts: ClusterParts): SupervisorSpec =>
  supervisor("cluster", {
    strategy: "one_for_one",
    intensity: 20,
    period: 10,
    children: [
      child(registrySync, parts.registrySync, { register: registrySyncKey(), backoff }),
      child(leaderboardSync, parts.leaderboardSync, { register: leaderboardSyncKey(), backoff }),
      child(regionCommands, parts.regionCommands, { register: regionCommandsKey(), backoff }),
      child(regionPresence, parts.regionPresence, { register: regionPresenceKey(), backoff }),
      ...(parts.singletons === undefined ? [] : [singletons(parts.singletons)]),
    ],
  });

const RUNNING = "running-singletons";

/** Keepers come first: at an orderly end the processes end before their leases are given back. */
export const singletons = (kept: readonly Singleton[]): SupervisorSpec =>
  supervisor("singletons", {
    strategy: "one_for_one",
    intensity: 20,
    period: 10,
    children: [
      ...kept.map((one) =>
        child(
          singleton,
          { ...one, supervisor: RUNNING },
          { id: one.name, register: singletonKey(one.name), backoff },
        ),
      ),
      supervisor(RUNNING, { strategy: "one_for_one", children: [] }),
    ],
  });
