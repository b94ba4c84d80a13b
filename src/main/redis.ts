/** The link to Redis, when the configuration names one; its process opens it. */
import type { RedisConfig } from "../../config/schema.ts";
import { RedisLink } from "../io/redis-link.ts";

/** The link of the host. */
export const makeRedis = (
  { url, keyPrefix, timeoutMs }: RedisConfig,
  now: () => number,
): RedisLink | undefined =>
  url === undefined
    ? undefined
    : new RedisLink({ url, keyPrefix, timeoutMs, now, random: Math.random });
