/** The link to Redis, when the configuration names one; its process opens it. */
import type { RedisConfig } from "../../config/schema.ts";
import { RedisLink, type RedisLinkOptions } from "../io/redis/link.ts";

/** What another connection is for than the one that commands use. */
type Purpose = Partial<Pick<RedisLinkOptions, "listensTo" | "timeoutMs">>;

/** A link of the host. */
export const makeRedis = (
  redis: RedisConfig,
  now: () => number,
  purpose: Purpose = {},
): RedisLink | undefined => {
  const { url, keyPrefix, timeoutMs } = redis;
  if (url === undefined) return undefined;
  return new RedisLink({
    place: { ...redis, url },
    keyPrefix,
    timeoutMs,
    now,
    random: Math.random,
    ...purpose,
  });
};
