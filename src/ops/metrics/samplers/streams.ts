/** Races, subscriptions, connections and what is kept for them. */
import type { CacheCounters, ConnectionStatus, StreamCounters } from "../../views.ts";
import { perChain, perProvider, type Sample, type Samplers } from "./sampler.ts";

const perCache = (value: (cache: CacheCounters) => number): Sample =>
  perChain((chain, put) => {
    for (const cache of chain.caches ?? []) put([chain.name, cache.kind], value(cache));
  });

const perStream = (value: (stream: StreamCounters) => number): Sample =>
  perChain((chain, put) => {
    for (const stream of chain.streams ?? []) put([chain.name, stream.kind], value(stream));
  });

/** States of a connection in which it carries calls and events. */
const UP_STATES: ReadonlySet<string> = new Set(["live", "stale"]);

/** By name without `paceline_`. */
export const streamSamplers: Samplers = {
  aggregation_messages_total: perChain(({ name, aggregation }, put) => {
    for (const [kind, { messages }] of Object.entries(aggregation?.byKind ?? {})) {
      put([name, kind], messages);
    }
  }),
  aggregation_duplicates_total: perChain(({ name, aggregation }, put) => {
    for (const [kind, { duplicates }] of Object.entries(aggregation?.byKind ?? {})) {
      put([name, kind], duplicates);
    }
  }),
  aggregation_races_settled_total: perChain(({ name, aggregation }, put) => {
    if (aggregation !== undefined) put([name], aggregation.racesSettled);
  }),
  aggregation_missed_total: perChain(({ name, aggregation }, put) => {
    if (aggregation !== undefined) put([name], aggregation.missed);
  }),
  aggregation_processing_seconds_total: perChain(({ name, aggregation }, put) => {
    if (aggregation !== undefined) put([name], aggregation.processingMs / 1_000);
  }),
  cache_hits_total: perCache(({ hits }) => hits),
  cache_misses_total: perCache(({ misses }) => misses),
  cache_evictions_total: perCache(({ evictions }) => evictions),
  cache_entries: perCache(({ entries }) => entries),
  cache_limit_entries: perCache(({ limit }) => limit),
  rpc_filters_open: ({ filters }, put) => {
    for (const { kind, count } of filters()) put([kind], count);
  },
  clients: ({ clients }, put) => {
    for (const [kind, count] of Object.entries(clients())) put([kind], count);
  },
  websocket_connected: perProvider(({ connection }) =>
    connection === undefined ? undefined : Number(UP_STATES.has(connection.state)),
  ),
  websocket_subscriptions: perChain(({ name, providers }, put) => {
    const links = providers.flatMap(({ connection }) => connection ?? []);
    const sumOf = (value: (link: ConnectionStatus) => number | undefined): number =>
      links.reduce((sum, link) => sum + (value(link) ?? 0), 0);
    put(
      [name, "wanted"],
      sumOf(({ wanted }) => wanted),
    );
    put(
      [name, "open"],
      sumOf(({ subscriptions }) => subscriptions),
    );
  }),
  subs_active: perStream(({ active }) => active),
  subs_delivered_total: perStream(({ delivered }) => delivered),
  subs_dropped_total: perStream(({ dropped }) => dropped),
};
