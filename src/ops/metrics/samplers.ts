/**
 * How each sampled family of the metrics table is copied out of the live cells at scrape time, by domain
 * in `samplers/`.
 */
import { clusterSamplers } from "./samplers/cluster.ts";
import { hostSamplers } from "./samplers/host.ts";
import { pairingSamplers } from "./samplers/pairing.ts";
import { providerSamplers } from "./samplers/providers.ts";
import { requestSamplers } from "./samplers/requests.ts";
import type { Samplers } from "./samplers/sampler.ts";
import { streamSamplers } from "./samplers/streams.ts";

export type { MetricSources, RedisView } from "./samplers/sampler.ts";

const byName: Samplers = {
  ...requestSamplers,
  ...providerSamplers,
  ...streamSamplers,
  ...hostSamplers,
  ...pairingSamplers,
  ...clusterSamplers,
};

/** Samplers by full metric name. */
export const SAMPLERS: Samplers = Object.fromEntries(
  Object.entries(byName).map(([name, sample]) => [`paceline_${name}`, sample]),
);
