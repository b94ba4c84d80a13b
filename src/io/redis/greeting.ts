/** What a server says of itself before it is used: whether it is new enough, and whether it may be written to. */
import type { RedisClient } from "./place.ts";

/** What was found. */
export interface Greeting {
  /** It copies another server: what is written is refused, what is published is heard at it alone. */
  readonly isReplica: boolean;
}

/** Scripts that read the time and then write are refused by servers older than this. */
const OLDEST = [5, 0] as const;

/**
 * Asks a server that has just been connected; throws when it cannot be used. One that loads its data,
 * or wants a password, shows it at the first command. Who may not ask for more is not held up by it.
 */
export const greet = async (client: RedisClient): Promise<Greeting> => {
  await client.ping();
  const [server, replication] = await Promise.all(
    ["server", "replication"].map((section) => client.info(section).catch(() => "")),
  );
  const version = readInfo(server ?? "", "redis_version");
  if (version !== undefined && isTooOld(version)) {
    throw new Error(`Redis ${version} is too old: ${OLDEST.join(".")} or newer is needed`);
  }
  return { isReplica: readInfo(replication ?? "", "role") === "slave" };
};

const readInfo = (info: string, key: string): string | undefined =>
  new RegExp(`^${key}:(\\S{1,32})\\s*$`, "m").exec(info)?.[1];

const isTooOld = (version: string): boolean => {
  const [major, minor] = version.split(".").map(Number);
  if (major === undefined || !Number.isInteger(major)) return false;
  return major < OLDEST[0] || (major === OLDEST[0] && (minor ?? 0) < OLDEST[1]);
};
