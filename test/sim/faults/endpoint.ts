/** Faults of one provider's endpoint, and of the network before several of them. */
import { Inventor } from "../world/inventor.ts";
import type { Link, LiveProfile } from "../world/link.ts";
import type { SimWorld } from "../world/world.ts";
import { between, oneOf, type FaultKind, type FaultName, type Heal } from "./kind.ts";

type Everyday = Pick<FaultKind, "forMs" | "everyMs">;

const WINDOW: Everyday = { forMs: [1_000, 8_000], everyMs: [4_000, 20_000] };
/** What a product notices by silence has to last longer than its patience. */
const LONG: Everyday = { forMs: [9_000, 20_000], everyMs: [12_000, 30_000] };

/** A fault that changes one link for a time; `spoil` returns how to put it right. */
const onLink = (
  name: FaultName,
  what: string,
  signs: readonly string[],
  spoil: (link: Link, chance: () => number, world: SimWorld) => Heal,
  times: Everyday = WINDOW,
  isFree: (link: Link) => boolean = () => true,
): FaultKind => ({
  name,
  what,
  where: "endpoint",
  ...times,
  signs,
  strike: (world, chance) => {
    const free = world.links.filter((link) => !link.isSpared && isFree(link));
    const link = oneOf(free, chance);
    return link === undefined ? undefined : world.spoil([link], () => spoil(link, chance, world));
  },
});

/** A fault that is a setting of the fake provider; one at a time per setting and provider. */
const byProfile = <Key extends keyof LiveProfile>(
  name: FaultName,
  what: string,
  signs: readonly string[],
  key: Key,
  value: (chance: () => number, world: SimWorld) => LiveProfile[Key],
  times?: Everyday,
): FaultKind =>
  onLink(
    name,
    what,
    signs,
    ({ profile, base }, chance, world) => {
      profile[key] = value(chance, world);
      return () => {
        profile[key] = base[key];
      };
    },
    times,
    ({ profile, base }) => profile[key] === base[key],
  );

/** A share of all requests, from some to all. */
const share = (chance: () => number): number => (chance() < 0.4 ? 1 : 0.1 + 0.6 * chance());

type Ratio = keyof NonNullable<LiveProfile["ratios"]>;

const byRatio = (
  name: FaultName,
  what: string,
  signs: readonly string[],
  kind: Ratio,
): FaultKind => {
  const set = (link: Link, ratio: number): void => {
    link.profile.ratios = { ...link.profile.ratios, [kind]: ratio };
  };
  const usual = ({ base }: Link): number => base.ratios?.[kind] ?? 0;
  return onLink(
    name,
    what,
    signs,
    (link, chance) => {
      set(link, share(chance));
      return () => set(link, usual(link));
    },
    WINDOW,
    (link) => (link.profile.ratios?.[kind] ?? 0) === usual(link),
  );
};

const outage = (style: "refuse" | "hang") => (_chance: unknown, world: SimWorld) => ({
  everyMs: Number.POSITIVE_INFINITY,
  durationMs: Number.POSITIVE_INFINITY,
  offsetMs: world.sinceStartMs,
  style,
});

/** The rows about endpoints. */
export const endpointFaults: readonly FaultKind[] = [
  byProfile(
    "refuse",
    "connections are refused, open sockets are closed",
    ["heard.refused"],
    "outage",
    outage("refuse"),
  ),
  byRatio("reset", "connections are reset before an answer", ["heard.reset"], "reset"),
  byProfile(
    "hang",
    "half-open: sockets stay up and nothing is said, not even a pong",
    ["heard.silence"],
    "outage",
    outage("hang"),
  ),
  byProfile("slow", "every answer takes 0.5 to 3 s more", ["heard.slow"], "latencyMs", (chance) =>
    between([500, 3_000], chance),
  ),
  byRatio("drip", "a body trickles in over 3 s", ["heard.slow"], "drip"),
  byRatio("garbage", "answers are not JSON", ["heard.garbage"], "garbage"),
  byRatio("truncate", "answers break off in the middle", ["heard.truncated"], "truncate"),
  byRatio("status-500", "answers are HTTP 500 with a page of HTML", ["heard.500"], "status500"),
  byRatio("rpc-error", "answers are JSON-RPC internal errors", ["heard.rpc-error"], "rpcError"),
  {
    ...byRatio(
      "lie",
      "state reads are answered with a wrong value, on chains whose nonces need a quorum",
      ["provider.misbehaviour"],
      "lie",
    ),
    hasOwnDice: true,
  },
  byProfile(
    "rate-limit",
    "more than 2 requests a second get 429 with Retry-After",
    ["provider.cooldown.start"],
    "rateLimit",
    () => ({ requestsPerSec: 2, burst: 2, retryAfterSec: 1, style: "status" }),
  ),
  byProfile(
    "wrong-chain",
    "the provider serves another chain",
    ["provider.quarantined"],
    "wrongChainId",
    () => 999_999,
    LONG,
  ),
  byProfile(
    "stale-head",
    "the provider falls 5 to 30 blocks behind",
    ["head.lag"],
    "lagBlocks",
    (chance) => between([5, 30], chance),
    LONG,
  ),
  {
    ...onLink("ws-cut", "the WebSocket breaks", ["heard.ws-cut"], () => () => {}),
    forMs: undefined,
    strike: (world, chance) => {
      const link = oneOf(world.links, chance);
      if (link !== undefined) world.wires.cutSockets(link);
      return undefined;
    },
  },
  onLink(
    "mute",
    "subscriptions stay open but say nothing; calls and pings work",
    ["withheld.events"],
    (link) => {
      link.mutes += 1;
      return () => {
        link.mutes -= 1;
      };
    },
    LONG,
  ),
  onLink("duplicate-events", "every event comes twice", ["heard.duplicate"], (link) => {
    link.stutters += 1;
    return () => {
      link.stutters -= 1;
    };
  }),
  {
    name: "partition",
    what: "nothing passes to or from several providers, on all chains; their sockets are dead after",
    where: "network",
    forMs: [1_000, 6_000],
    everyMs: [8_000, 25_000],
    signs: ["partitioned.silence"],
    strike: (world, chance) => {
      const isTotal = chance() < 0.15;
      const within = isTotal ? 1 : 0.3 + 0.5 * chance();
      const links = world.links.filter(
        ({ isSpared }) => (isTotal || !isSpared) && chance() < within,
      );
      if (links.length === 0) return undefined;
      const silence = world.tally.get("heard.silence");
      return world.spoil(links, () => {
        for (const link of links) link.cuts += 1;
        return () => {
          for (const link of links) {
            link.cuts -= 1;
            link.pastCuts += 1;
          }
          world.tally.count("partitioned.silence", world.tally.get("heard.silence") - silence);
        };
      });
    },
  },
  {
    name: "reorg",
    what: "the chain replaces its last one to three blocks, up to every 8 blocks",
    where: "chain",
    forMs: undefined,
    everyMs: [10_000, 20_000],
    signs: ["head.reorg"],
    // The chain of a run that has this kind is built so; nothing strikes.
    strike: () => undefined,
  },
  {
    name: "deep-reorg",
    what: "the chain replaces its last 4 to 64 blocks once, also blocks of before the start",
    where: "chain",
    forMs: undefined,
    everyMs: [10_000, 20_000],
    hasOwnDice: true,
    signs: ["reorg.deep"],
    strike: () => undefined,
  },
  {
    ...onLink(
      "invented-heads",
      "a provider tells of a false branch on a real block, beside the true one or instead of it",
      ["heard.invention"],
      (link, chance) => {
        link.inventor = new Inventor(link.name, chance() < 0.5);
        return () => {
          link.inventor = undefined;
        };
      },
      { forMs: [2_000, 12_000], everyMs: [6_000, 20_000] },
      ({ inventor }) => inventor === undefined,
    ),
    hasOwnDice: true,
  },
];
