/** Joins what regions do for each other to this host: tickets, ways to the others, who is nearest. */
import type { Config } from "../../config/schema.ts";
import type { Cluster } from "../cluster/cluster.ts";
import { Distances } from "../cluster/help/distances.ts";
import { HelpDesk } from "../cluster/help/help-desk.ts";
import { nearestHelpers } from "../cluster/help/nearest-helpers.ts";
import { Tickets } from "../cluster/help/ticket.ts";
import type { HelpRefusal, HelpView } from "../cluster/protocol.ts";
import { createHttpUpstream } from "../io/http/http-upstream.ts";
import { Secret } from "../lib/secret.ts";
import {
  HELP_HEADER,
  type HelpDoor,
  type HelperUpstream,
  type NeighboursPort,
  QUESTION_MS,
} from "../rpc/help/ports.ts";

/** What helping is made of. */
export interface HelpSources {
  readonly config: Config;
  readonly cluster: Cluster;
  readonly secret: string;
  /** The channel of the cluster, which enters signatures. */
  readonly channel: string;
  readonly now: () => number;
  /** Whether calls of a chain are taken from other regions. */
  readonly offers: (chain: string) => boolean;
  readonly tell: (refusal: HelpRefusal, message: string) => void;
}

/** The parts of it. */
export interface HostHelp {
  readonly door: HelpDoor;
  readonly neighbours: NeighboursPort;
  readonly view: () => HelpView;
}

/** Refusals that have a reason of their own: these end by themselves. */
const REASONS: Readonly<Partial<Record<HelpRefusal, "too_many_helped" | "help_apart">>> = {
  full: "too_many_helped",
  unknown: "help_apart",
  stale: "help_apart",
};

/** Sockets to one region for one chain; more calls than that wait. */
const SOCKETS = 64;
/** Share of a call's time that the other region is told of: its word must be here before time is up. */
const TOLD_SHARE = 0.9;

/** Makes them. */
export const makeHelp = (sources: HelpSources): HostHelp => {
  const { config, cluster, now } = sources;
  const { helpMaxInFlight: maxInFlight, distancesMs } = config.cluster;
  const { membership } = cluster;
  const distances = new Distances(distancesMs);
  const desk = new HelpDesk({
    membership,
    tickets: new Tickets(sources.secret, sources.channel),
    maxInFlight,
    offers: sources.offers,
    tell: sources.tell,
  });
  return {
    door: {
      admit: (ticket, call) => {
        const judgement = desk.admit({ ticket, ...call }, now());
        if (judgement.ok) return { ...judgement, counter: desk.counter };
        const { refusal, message } = judgement;
        return { ok: false, reason: REASONS[refusal] ?? "help_refused", message };
      },
    },
    neighbours: {
      maxInFlight,
      helpers: (chain) => nearestHelpers(membership, distances, chain),
      rows: (chain) =>
        cluster.boardsOf(chain, now()).flatMap(({ region, rows }) => {
          const distanceMs = distances.of(region);
          return rows.map(({ provider, subject, score, weight }) => {
            return { region, distanceMs, provider, subject, score, weight };
          });
        }),
      open: ({ name: chain, chainId }, { region, url }) =>
        openWay(url, chain, (body, untilMs) => {
          const leftMs = untilMs === undefined ? QUESTION_MS : untilMs - now();
          return desk.ticket(region, { chain, chainId, timeoutMs: leftMs * TOLD_SHARE }, body);
        }),
      measured: (region, tookMs) => distances.measured(region, tookMs),
    },
    view: () => ({ ...desk.view(), distancesMs: distancesOf(cluster, distances) }),
  };
};

const distancesOf = (
  { membership: { peers } }: Cluster,
  distances: Distances,
): Readonly<Record<string, number>> =>
  Object.fromEntries(
    [...peers.keys()].flatMap((region) => {
      const ms = distances.of(region);
      return ms === undefined ? [] : [[region, ms]];
    }),
  );

/** The way to a chain of another region: each call carries a ticket of its own. */
const openWay = (
  url: string,
  chain: string,
  ticketOf: (body: Buffer, untilMs: number | undefined) => string | undefined,
): HelperUpstream => {
  const base = url.replace(/\/+$/, "");
  const upstream = createHttpUpstream({
    url: new Secret(`${base}/rpc/${encodeURIComponent(chain)}`),
    connections: SOCKETS,
  });
  return {
    transport: "http",
    send: (body, id, handler) => {
      const ticket = ticketOf(body, handler.expiresAtMs);
      if (ticket !== undefined) return upstream.send(body, id, handler, [HELP_HEADER, ticket]);
      let isOver = false;
      queueMicrotask(() => {
        if (isOver) return;
        const detail = "the region was not heard lately";
        handler.onFailure({ kind: "refused", reusedSocket: false, detail });
      });
      return {
        abort: () => {
          isOver = true;
        },
        resume: () => undefined,
      };
    },
    close: () => void upstream.close(),
  };
};
