/** What a schema cannot say of `pairing`: chains and markets that do not exist, half an epoch, lone hosts. */
import { DEFAULTS } from "../default.ts";
import { diagnostic } from "../diagnostic.ts";
import type { Diagnostic, Path } from "../diagnostic.ts";
import { isRawMap } from "./source.ts";
import type { RawMap, RawValue, SourceTree } from "./source.ts";

const AT = ["pairing", "lists"];

type Fail = (path: Path, text: string) => void;

/** Checks `pairing`, as far as it goes. */
export function checkPairing(tree: SourceTree): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  const fail: Fail = (path, text) => {
    problems.push(diagnostic("CONFIG_BAD_VALUE", path, text, tree.originOf(path)));
  };
  checkLists(tree, fail);
  checkSharing(tree, fail);
  return problems;
}

/** Rankings are shared over Redis, and nobody may make one up. */
function checkSharing({ root }: SourceTree, fail: Fail): void {
  const { pairing, redis, cluster } = root;
  if (mapOf(mapOf(pairing)["cache"])["shared"] !== true) return;
  const path = ["pairing", "cache", "shared"];
  if (mapOf(redis)["url"] === undefined) fail(path, "needs redis.url: hosts share over Redis");
  if (mapOf(cluster)["secret"] === undefined) {
    fail(path, "needs cluster.secret: what hosts share is signed with it");
  }
}

function checkLists(tree: SourceTree, fail: Fail): void {
  const pairing = mapOf(tree.root["pairing"]);
  const lists = mapOf(pairing["lists"]);
  const chains = mapOf(tree.root["chains"]);
  const markets = mapOf(pairing["markets"]);
  const isClosed = (pairing["on_demand"] ?? DEFAULTS.pairing.on_demand) === 0;
  const knowChain = (path: Path, name: RawValue | undefined): void => {
    if (typeof name === "string" && !Object.hasOwn(chains, name)) {
      fail(path, `no chain is called "${name}"`);
    }
  };
  for (const [chain, market] of Object.entries(mapOf(lists["chains"]))) {
    const path = [...AT, "chains", chain];
    knowChain(path, chain);
    if (isClosed && typeof market === "string" && !Object.hasOwn(markets, market)) {
      fail(path, `no market is called "${market}", and none is made on demand`);
    }
  }
  const blocks = mapOf(lists["blocks"]);
  knowChain([...AT, "blocks", "chain"], blocks["chain"]);
  const given = ["chain", "every"].filter((key) => blocks[key] !== undefined);
  if (given.length === 1) fail([...AT, "blocks"], "needs both chain and every");
}

const mapOf = (value: RawValue | undefined): RawMap => (isRawMap(value) ? value : {});
