/** Everything in a configuration that must never be printed. */
import type { Config } from "../../config/schema.ts";
import { createRedactor } from "../lib/redactor.ts";

/** Masks the secrets of all given configurations, e.g. the old and the new one of a reload. */
export const secretsOf = (...configs: readonly Config[]): ((text: string) => string) => {
  const chains = configs.flatMap((config) => config.chains);
  const providers = chains.flatMap((chain) => chain.providers);
  const secrets = [
    ...configs.flatMap(({ redis, cluster }) => [
      redis.url,
      redis.sentinelPassword,
      redis.tlsKey,
      cluster.secret,
    ]),
    ...configs.map(({ storage: { database } }) =>
      database.engine === "postgres" ? database.url : undefined,
    ),
    ...providers.flatMap(({ url, wsUrl, headers }) => [url, wsUrl, ...Object.values(headers)]),
  ];
  return createRedactor(
    secrets.filter((secret) => secret !== undefined),
    [...chains.map(({ name }) => name), ...providers.map(({ id }) => id)],
  );
};
