/** Faults that come from clients, operators, the clock and the configuration. */
import { circuitBreakerKey } from "../../../actors/rpc/circuit-breaker.ts";
import { between, oneOf, type FaultKind } from "./kind.ts";

const HOUR_MS = 3_600_000;
const SPIKE = 150;
const BROKEN_MS = 50;
const SETTLED_MS = 1_500;

/** The rows about everything around the tree. */
export const surroundingFaults: readonly FaultKind[] = [
  {
    name: "slow-consumer",
    what: "a subscriber stops reading",
    where: "client",
    forMs: undefined,
    everyMs: [10_000, 25_000],
    signs: ["subs.slow_consumer"],
    strike: (world, chance) => {
      const chain = oneOf(world.plan.chains, chance);
      if (chain === undefined) return undefined;
      world.subscribe(chain.name, chance() < 0.5 ? "newHeads" : "logs", true).isSlow = true;
      return undefined;
    },
  },
  {
    name: "load-spike",
    what: "150 requests at one instant",
    where: "client",
    forMs: undefined,
    everyMs: [8_000, 20_000],
    signs: ["spike.answered"],
    strike: (world, chance) => {
      const chain = oneOf(world.plan.chains, chance);
      if (chain !== undefined) world.load.spike(chain.name, SPIKE);
      return undefined;
    },
  },
  {
    name: "clock-jump",
    what: "the wall clock is set up to two hours forwards or back",
    where: "clock",
    forMs: undefined,
    everyMs: [5_000, 20_000],
    signs: ["snapshot.jumped"],
    strike: (world, chance) => {
      world.node.stepWall(between([-2 * HOUR_MS, 2 * HOUR_MS], chance));
      return undefined;
    },
  },
  {
    name: "breaker-forced",
    what: "an operator opens a breaker for up to 3 s",
    where: "configuration",
    forMs: undefined,
    everyMs: [5_000, 20_000],
    signs: ["circuit_breaker.forced"],
    strike: (world, chance) => {
      const link = oneOf(
        world.links.filter(({ isSpared }) => !isSpared),
        chance,
      );
      if (link === undefined) return undefined;
      const key = circuitBreakerKey(link.chain, link.provider, chance() < 0.5 ? "http" : "ws");
      const forMs = between([500, 3_000], chance);
      // Who is not there at the moment cannot be forced.
      void world.node.via(key).try.force({ action: "open", forMs });
      return undefined;
    },
  },
  {
    name: "reload",
    what: "the configuration is read again in mid-flight: another figure, a provider less, or a broken file",
    where: "configuration",
    forMs: [2_000, 8_000],
    everyMs: [5_000, 20_000],
    signs: ["reload.applied", "reload.refused"],
    strike: (world, chance) => {
      const draw = chance();
      const { config } = world;
      if (draw < 0.25) {
        config.isBroken = true;
        world.reload();
        // Long enough for the store to have read it; whoever reads it later refuses it as well.
        world.agenda.after(BROKEN_MS, () => {
          config.isBroken = false;
        });
        return undefined;
      }
      if (draw < 0.6) {
        config.windowMs = between([500, 2_000], chance);
        world.reload();
        return undefined;
      }
      const link = oneOf(
        world.links.filter(({ isSpared, name }) => !isSpared && !config.absent.has(name)),
        chance,
      );
      if (link === undefined) return undefined;
      return world.spoil([link], () => {
        config.absent.add(link.name);
        world.reload();
        return () => {
          config.absent.delete(link.name);
          world.reload();
        };
      });
    },
  },
  {
    name: "chain-added",
    what: "a chain is added to the configuration and served",
    where: "configuration",
    forMs: undefined,
    everyMs: [6_000, 15_000],
    signs: ["late.answered"],
    strike: (world) => {
      if (world.config.hasLate) return undefined;
      world.config.hasLate = true;
      world.reload();
      // A client of the new chain; it is closed when the chain goes away.
      world.agenda.after(SETTLED_MS, () => {
        if (world.chain("late") !== undefined) world.subscribe("late", "newHeads", true);
      });
      return undefined;
    },
  },
  {
    name: "chain-removed",
    what: "that chain is removed again, and its clients are told",
    where: "configuration",
    forMs: undefined,
    everyMs: [10_000, 25_000],
    signs: ["late.closed"],
    strike: (world) => {
      if (!world.config.hasLate) return undefined;
      world.config.hasLate = false;
      world.reload();
      return undefined;
    },
  },
];
