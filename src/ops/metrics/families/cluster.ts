/** Metrics of what regions share. */
import { row, type MetricDef } from "./family.ts";

/** Regions that are remembered. */
const MAX_SERIES = 64;
/** Of commands: regions, by reading and writing, by the codes that are seen. */
const MAX_COMMAND_SERIES = 512;

/** This region among the others. */
export const clusterFamilies: readonly MetricDef[] = [
  row("sample", "gauge", "cluster_joined", [], "1 while this region shares with the others."),
  row("sample", "gauge", "cluster_regions", ["kind"], "Other regions by state.", { maxSeries: 8 }),
  row(
    "sample",
    "gauge",
    "cluster_region_age_seconds",
    ["remote"],
    "Time since another region was heard.",
    { maxSeries: MAX_SERIES },
  ),
  row("sample", "gauge", "cluster_names", ["remote"], "Registered names of another region.", {
    maxSeries: MAX_SERIES,
  }),
  row("sample", "gauge", "cluster_rows", ["remote"], "Leaderboard rows of another region.", {
    maxSeries: MAX_SERIES,
  }),
  row("sample", "counter", "cluster_sent_bytes_total", [], "Bytes said to other regions."),
  row("sample", "counter", "cluster_sent_messages_total", [], "Messages to other regions."),
  row("sample", "counter", "cluster_received_bytes_total", [], "Bytes heard on the channel."),
  row("sample", "counter", "cluster_received_messages_total", [], "Messages heard on the channel."),
  row(
    "sample",
    "counter",
    "cluster_refused_total",
    ["reason"],
    "Messages refused: unsigned, replayed, expired, malformed and so on.",
    { maxSeries: 16 },
  ),
  row(
    "event",
    "counter",
    "cluster_commands_total",
    ["remote", "access", "result"],
    "Commands of other regions by what came of them here: ok, or the code of the refusal.",
    { maxSeries: MAX_COMMAND_SERIES },
  ),
  row(
    "sample",
    "counter",
    "cluster_help_asked_total",
    ["remote"],
    "Calls passed on to another region, our own questions to it included.",
    { maxSeries: MAX_SERIES },
  ),
  row(
    "sample",
    "counter",
    "cluster_help_given_total",
    ["remote"],
    "Calls of another region that were taken.",
    { maxSeries: MAX_SERIES },
  ),
  row(
    "sample",
    "counter",
    "cluster_help_refused_total",
    ["reason"],
    "Calls refused that said that another region had passed them on.",
    { maxSeries: 16 },
  ),
  row("sample", "gauge", "cluster_help_in_flight", [], "Calls of other regions being served."),
  row(
    "sample",
    "gauge",
    "cluster_distance_seconds",
    ["remote"],
    "Round trip to another region, configured or measured.",
    { maxSeries: MAX_SERIES },
  ),
];
