/** The link to Redis, when the configuration names one; its process opens it. */
import type { RedisConfig } from "../../config/schema.ts";
import { RedisLink } from "../io/redis/link.ts";

/** The link of the host. */
export const makeRedis = (redis: RedisConfig, now: () => number): RedisLink | undefined => {
  const { url, keyPrefix, timeoutMs } = redis;
  if (url === undefined) return undefined;
  return new RedisLink({
    place: { ...redis, url },
    keyPrefix,
    timeoutMs,
    now,
    random: Math.random,
  });
};
