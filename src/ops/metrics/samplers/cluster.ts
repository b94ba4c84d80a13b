/** Other regions, and what regions do for each other. */
import { type HelpView, PEER_STATES, type RegionView } from "../../../cluster/protocol.ts";
import { one, type Sample, type Samplers } from "./sampler.ts";

const perRegion =
  (value: (region: RegionView) => number): Sample =>
  ({ cluster }, put) => {
    for (const region of cluster().regions) {
      if (!region.isSelf) put([region.region], value(region));
    }
  };

/** What helping has counted, by region or reason. */
const ofHelp =
  (read: (help: HelpView) => Readonly<Record<string, number>>, scale = 1): Sample =>
  ({ cluster }, put) => {
    const { help } = cluster();
    if (help === undefined) return;
    for (const [name, value] of Object.entries(read(help))) put([name], value * scale);
  };

/** By name without `paceline_`. */
export const clusterSamplers: Samplers = {
  cluster_joined: one(({ cluster }) => Number(cluster().state === "joined")),
  cluster_regions: ({ cluster }, put) => {
    const others = cluster().regions.filter(({ isSelf }) => !isSelf);
    for (const state of PEER_STATES) {
      put([state], others.filter((other) => other.state === state).length);
    }
  },
  cluster_region_age_seconds: perRegion(({ ageMs }) => ageMs / 1_000),
  cluster_names: perRegion(({ names }) => names),
  cluster_rows: perRegion(({ rows }) => rows),
  cluster_sent_bytes_total: one(({ cluster }) => cluster().sent.bytes),
  cluster_sent_messages_total: one(({ cluster }) => cluster().sent.messages),
  cluster_received_bytes_total: one(({ cluster }) => cluster().received.bytes),
  cluster_received_messages_total: one(({ cluster }) => cluster().received.messages),
  cluster_refused_total: ({ cluster }, put) => {
    for (const [reason, count] of Object.entries(cluster().refused)) put([reason], count);
  },
  cluster_help_asked_total: ofHelp(({ asked }) => asked),
  cluster_help_given_total: ofHelp(({ given }) => given),
  cluster_help_refused_total: ofHelp(({ refused }) => refused),
  cluster_help_in_flight: one(({ cluster }) => cluster().help?.inFlight ?? 0),
  cluster_distance_seconds: ofHelp(({ distancesMs }) => distancesMs, 1 / 1_000),
};
