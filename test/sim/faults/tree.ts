/** Faults of the tree itself: processes that are killed, crash, hang or drown. */
import { benchmarkStoreKey } from "../../../actors/rpc/benchmark-store.ts";
import { chainRegistryKey } from "../../../actors/rpc/chain-registry.ts";
import { tableKeeperKey } from "../../../actors/ops/table-keeper.ts";
import type { Place } from "../world/places.ts";
import type { SimWorld } from "../world/world.ts";
import { oneOf, type FaultKind, type FaultName } from "./kind.ts";
import { poisonedState } from "./poison.ts";

const EVERYDAY: readonly [number, number] = [800, 6_000];

/** Kills a process and notes when it comes back. */
const kill = (world: SimWorld, victim: Place | undefined, cause: FaultName): undefined => {
  if (victim === undefined || victim.pid === null) return undefined;
  world.noteDeath(victim, cause);
  world.node.inspector.exit(victim.pid, "kill");
  return undefined;
};

const running = (world: SimWorld, kind: Place["kind"]): readonly Place[] =>
  world.places().filter((place) => place.kind === kind && place.pid !== null && place.depth > 0);

const keepers: readonly string[] = [tableKeeperKey().name, chainRegistryKey().name];
const FLOOD = 11_000;
const LOOP_MS = 40;
/** More than any supervisor of the product allows within its window. */
const LOOPS = 12;

/** The rows about processes. */
export const treeFaults: readonly FaultKind[] = [
  {
    name: "kill",
    what: "a worker is killed",
    where: "process",
    forMs: undefined,
    everyMs: EVERYDAY,
    signs: ["back.kill"],
    strike: (world, chance) => kill(world, oneOf(running(world, "worker"), chance), "kill"),
  },
  {
    name: "kill-supervisor",
    what: "a supervisor below the root is killed",
    where: "process",
    forMs: undefined,
    everyMs: [3_000, 12_000],
    signs: ["back.kill-supervisor"],
    strike: (world, chance) =>
      kill(world, oneOf(running(world, "supervisor"), chance), "kill-supervisor"),
  },
  {
    name: "kill-keeper",
    what: "the table keeper or the chain registry is killed",
    where: "process",
    forMs: undefined,
    everyMs: [3_000, 12_000],
    signs: ["back.kill-keeper"],
    strike: (world, chance) => {
      const name = oneOf(keepers, chance);
      const victim = world.places().find((place) => place.name === name);
      return kill(world, victim, "kill-keeper");
    },
  },
  {
    name: "crash",
    what: "a worker's state is poisoned, so that its next message throws inside its handler",
    where: "process",
    forMs: undefined,
    everyMs: EVERYDAY,
    signs: ["crashed.poison"],
    strike: (world, chance) => {
      const victim = oneOf(running(world, "worker"), chance);
      if (victim === undefined || victim.pid === null) return undefined;
      // Refused where the process dies first; then there is nothing to poison.
      world.node.inspector.replaceState(victim.pid, () => poisonedState).catch(() => {});
      return undefined;
    },
  },
  {
    name: "crash-loop",
    what: "a worker is killed each time it comes back, until its supervisor gives up",
    where: "process",
    forMs: undefined,
    everyMs: [15_000, 40_000],
    signs: ["gave-up"],
    strike: (world, chance) => {
      // The root has nobody above it: its own children are left alone, or the program would end.
      const deep = running(world, "worker").filter(({ depth }) => depth > 1);
      const victim = oneOf(deep, chance);
      if (victim === undefined) return undefined;
      for (let loop = 0; loop < LOOPS; loop += 1) {
        world.agenda.after(LOOP_MS * loop, () => {
          const now = world.places().find(({ path }) => path === victim.path);
          kill(world, now, "crash-loop");
        });
      }
      return undefined;
    },
  },
  {
    name: "suspend",
    what: "a worker takes no message for up to 2 s",
    where: "process",
    forMs: [200, 2_000],
    everyMs: [3_000, 12_000],
    signs: ["suspended"],
    strike: (world, chance) => {
      const pid = oneOf(running(world, "worker"), chance)?.pid ?? undefined;
      if (pid === undefined) return undefined;
      const { inspector } = world.node;
      const done = () => world.tally.count("suspended");
      inspector.suspend(pid).then(done, () => {});
      return () => {
        inspector.resume(pid).catch(() => {});
      };
    },
  },
  {
    name: "flood",
    what: "one process gets 11,000 messages at once, more than its mailbox takes",
    where: "process",
    forMs: undefined,
    everyMs: [10_000, 30_000],
    signs: ["otp.mailbox.dropped"],
    strike: (world) => {
      const store = world.node.via(benchmarkStoreKey());
      for (let count = 0; count < FLOOD; count += 1) store.send("sim: flood");
      return undefined;
    },
  },
];
