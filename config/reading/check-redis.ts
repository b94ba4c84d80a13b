/** What a schema cannot say of Redis and of what regions share over it. */
import { diagnostic } from "../diagnostic.ts";
import type { Diagnostic, Path } from "../diagnostic.ts";
import { isRawMap } from "./source.ts";
import type { RawMap, SourceTree } from "./source.ts";

/** Other regions refuse longer names. */
const MAX_REGION_CHARS = 128;

/** Checks `redis` and `cluster` together. */
export function checkRedis(tree: SourceTree, problems: Diagnostic[]): void {
  const { redis } = tree.root;
  if (isRawMap(redis)) checkPlace(tree, redis, problems);
  checkCluster(tree, problems);
}

function checkPlace(tree: SourceTree, redis: RawMap, problems: Diagnostic[]): void {
  if (typeof redis["url"] !== "string") return;
  const url = redis["url"].toLowerCase();
  const fail = (key: string, text: string): void => {
    const path: Path = ["redis", key];
    problems.push(diagnostic("CONFIG_BAD_VALUE", path, text, tree.originOf(path)));
  };
  if (url.includes("://") && !URL.canParse(url)) {
    fail("url", "is no URL: a password that holds @ : / or # is written with % and two digits");
  }
  const [sentinels, nodes] = ["sentinels", "cluster_nodes"].map((key) => {
    const hosts = redis[key];
    return Array.isArray(hosts) && hosts.length > 0;
  });
  if (sentinels === true && nodes === true) {
    fail("cluster_nodes", "a Redis Cluster has no Sentinels: leave one of the two out");
  }
  if (!/^rediss?:/.test(url)) {
    const text = "needs a redis:// or rediss:// URL beside it";
    if (sentinels === true) fail("sentinels", `${text}: its host is the name of the master`);
    if (nodes === true) fail("cluster_nodes", text);
  }
  if (nodes === true && /^rediss?:\/\/[^/]*\/0*[1-9]/.test(url)) {
    fail("url", "a Redis Cluster has one database only: leave the number out");
  }
  for (const key of ["tls_ca", "tls_cert", "tls_key"]) {
    if (redis[key] !== undefined && !url.startsWith("rediss:")) {
      fail(key, "is for TLS, which redis.url does not ask for: let it begin with rediss://");
    }
  }
  if ((redis["tls_cert"] === undefined) !== (redis["tls_key"] === undefined)) {
    const [there, missing] =
      redis["tls_cert"] === undefined ? ["tls_key", "tls_cert"] : ["tls_cert", "tls_key"];
    fail(there ?? "", `is of no use without redis.${missing}`);
  }
}

function checkCluster(tree: SourceTree, problems: Diagnostic[]): void {
  const { cluster, redis, region } = tree.root;
  if (!isRawMap(cluster) || cluster["secret"] === undefined) {
    warnOfLoneWishes(tree, problems);
    return;
  }
  if (!isRawMap(redis) || redis["url"] === undefined) {
    const path = ["cluster", "secret"];
    const text = "nothing is shared without redis.url: regions share over Redis";
    const origin = tree.originOf(path);
    problems.push(diagnostic("CONFIG_MISSING_KEY", path, text, origin, "warning"));
  }
  if (typeof region === "string" && region.length > MAX_REGION_CHARS) {
    const text = `must have at most ${MAX_REGION_CHARS} characters to be shared`;
    problems.push(diagnostic("CONFIG_BAD_VALUE", ["region"], text, tree.originOf(["region"])));
  }
}

/** What other regions are asked for while nothing is shared with them. */
function warnOfLoneWishes(tree: SourceTree, problems: Diagnostic[]): void {
  const { cluster, chains } = tree.root;
  const wishes: Path[] = [];
  if (isRawMap(cluster) && cluster["help"] === true) wishes.push(["cluster", "help"]);
  for (const [name, chain] of Object.entries(isRawMap(chains) ? chains : {})) {
    if (!isRawMap(chain)) continue;
    const { help, leaderboard } = chain;
    if (help === true) wishes.push(["chains", name, "help"]);
    if (isRawMap(leaderboard) && leaderboard["prior"] === "regions") {
      wishes.push(["chains", name, "leaderboard", "prior"]);
    }
  }
  for (const path of wishes) {
    const text = "no other region is known without cluster.secret and redis.url";
    problems.push(diagnostic("CONFIG_MISSING_KEY", path, text, tree.originOf(path), "warning"));
  }
}
