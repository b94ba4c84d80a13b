/** What a schema cannot say of `pairing.lists`: chains and markets that do not exist, half an epoch. */
import { DEFAULTS } from "../default.ts";
import { diagnostic } from "../diagnostic.ts";
import type { Diagnostic, Path } from "../diagnostic.ts";
import { isRawMap } from "./source.ts";
import type { RawMap, RawValue, SourceTree } from "./source.ts";

const AT = ["pairing", "lists"];

/** Checks `pairing.lists`, as far as it goes. */
export function checkLists(tree: SourceTree): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  const fail = (path: Path, text: string): void => {
    problems.push(diagnostic("CONFIG_BAD_VALUE", path, text, tree.originOf(path)));
  };
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
  return problems;
}

const mapOf = (value: RawValue | undefined): RawMap => (isRawMap(value) ? value : {});
