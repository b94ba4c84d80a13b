/** What a schema cannot say: names that collide, names that are taken, providers without a way in. */
import { diagnostic, formatPath } from "../diagnostic.ts";
import type { Diagnostic, Path } from "../diagnostic.ts";
import { CHAIN_DEFAULTS, QUORUM_RULE_DEFAULTS } from "../default.ts";
import { checkRedis } from "./check-redis.ts";
import { isRawMap } from "./source.ts";
import type { RawMap, RawValue, SourceTree } from "./source.ts";
import { STRATEGIES, STRATEGY_ALIASES } from "../schema.ts";

/** First path segments with a meaning of their own; no chain may be called so. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set<string>([
  ...STRATEGIES,
  ...Object.keys(STRATEGY_ALIASES),
  // words of the URL space
  "provider",
  "profile",
  "no-failover",
  "aggressive",
  "debug",
  "benchmark",
  "rpc",
  "ws",
  "api",
]);

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/;
/** `/rpc/:chain` also takes chain ids, so a name that reads as one would be ambiguous. */
const CHAIN_ID = /^(\d+|0x[0-9a-f]+)$/i;

/** Checks names, ids and URLs; works on documents that do not fit the schema, as far as they go. */
export function checkDocument(
  tree: SourceTree,
  leftOut: ReadonlyMap<string, string>,
): readonly Diagnostic[] {
  const problems: Diagnostic[] = [];
  checkRedis(tree, problems);
  const chains = tree.root["chains"];
  if (!isRawMap(chains)) return problems;
  if (Object.keys(chains).length === 0 && !hasMarkets(tree)) {
    const text = "is empty: a gateway needs at least one chain, pairing alone a market";
    problems.push(diagnostic("CONFIG_MISSING_KEY", ["chains"], text, tree.originOf(["chains"])));
  }
  const names = new Names(tree, problems);
  for (const [name, chain] of Object.entries(chains)) {
    names.claim(name, ["chains", name], "key");
    if (!isRawMap(chain)) continue;
    const aliases = chain["aliases"];
    if (Array.isArray(aliases)) {
      aliases.forEach((alias, at) => {
        if (typeof alias === "string") names.claim(alias, ["chains", name, "aliases", at], "value");
      });
    }
    names.shareId(name, chain["chain_id"]);
    checkProviders(tree, name, chain, leftOut, problems);
    checkQuorum(tree, chain["quorum"], ["chains", name, "quorum"], problems);
    checkPrediction(tree, chain["prediction"], ["chains", name, "prediction"], problems);
  }
  return problems;
}

/** Whether markets are named: a host may be there for pairing alone. */
const hasMarkets = ({ root }: SourceTree): boolean => {
  const { pairing } = root;
  const markets = isRawMap(pairing) ? pairing["markets"] : undefined;
  return isRawMap(markets) && Object.keys(markets).length > 0;
};

/** Names under which chains can be reached, each at most once. */
class Names {
  readonly #tree: SourceTree;
  readonly #problems: Diagnostic[];
  readonly #taken = new Map<string, string>();
  readonly #ids = new Map<number, string>();

  constructor(tree: SourceTree, problems: Diagnostic[]) {
    this.#tree = tree;
    this.#problems = problems;
  }

  claim(name: string, path: Path, kind: "key" | "value"): void {
    const origin = kind === "key" ? this.#tree.keyOriginOf(path) : this.#tree.originOf(path);
    const fail = (code: Diagnostic["code"], text: string): void => {
      this.#problems.push(diagnostic(code, path, text, origin));
    };
    const lower = name.toLowerCase();
    if (!NAME.test(name)) {
      fail("CONFIG_BAD_VALUE", `a chain name is ${NAME_WORDS}`);
    } else if (CHAIN_ID.test(name)) {
      fail(
        "CONFIG_RESERVED_NAME",
        `"${name}" reads as a chain id; chains are reached by id anyway`,
      );
    } else if (RESERVED_NAMES.has(lower)) {
      fail(
        "CONFIG_RESERVED_NAME",
        `"${name}" is a word of the URLs (/rpc/${lower}/…): take another`,
      );
    } else {
      const other = this.#taken.get(lower);
      if (other !== undefined) fail("CONFIG_DUPLICATE_NAME", `"${name}" is taken by ${other}`);
      else this.#taken.set(lower, formatPath(path));
    }
  }

  shareId(name: string, chainId: RawValue | undefined): void {
    if (typeof chainId !== "number") return;
    const other = this.#ids.get(chainId);
    if (other === undefined) {
      this.#ids.set(chainId, name);
      return;
    }
    const path = ["chains", name, "chain_id"];
    const text = `is also that of "${other}", which answers /rpc/${chainId}`;
    const origin = this.#tree.originOf(path);
    this.#problems.push(diagnostic("CONFIG_SHARED_CHAIN_ID", path, text, origin, "warning"));
  }
}

const NAME_WORDS = "1 to 64 letters, digits, dots, dashes or underscores, a letter or digit first";

function checkProviders(
  tree: SourceTree,
  chainName: string,
  chain: RawMap,
  leftOut: ReadonlyMap<string, string>,
  problems: Diagnostic[],
): void {
  const providers = chain["providers"];
  if (!Array.isArray(providers)) return;
  const firstAt = new Map<string, number>();
  let available = 0;
  providers.forEach((provider, at) => {
    const path = ["chains", chainName, "providers", at];
    if (!isRawMap(provider)) return;
    const { id } = provider;
    if (typeof id === "string") {
      const idPath = [...path, "id"];
      const first = firstAt.get(id);
      if (!NAME.test(id)) {
        const text = `a provider id is ${NAME_WORDS}`;
        problems.push(diagnostic("CONFIG_BAD_VALUE", idPath, text, tree.originOf(idPath)));
      } else if (first !== undefined) {
        const text = `"${id}" is already the id of providers[${first}] of this chain`;
        problems.push(diagnostic("CONFIG_DUPLICATE_NAME", idPath, text, tree.originOf(idPath)));
      } else firstAt.set(id, at);
    }
    const hasUrl = provider["url"] !== undefined || provider["ws_url"] !== undefined;
    const wasLeftOut = ["url", "ws_url"].some((key) => leftOut.has(formatPath([...path, key])));
    if (hasUrl && provider["shadow"] === undefined) available++;
    if (!hasUrl && !wasLeftOut) {
      const text = "needs a url, a ws_url or both";
      problems.push(diagnostic("CONFIG_MISSING_KEY", path, text, tree.originOf(path)));
    }
    checkUrls(tree, provider, path, problems);
    checkRules(tree, provider["error_rules"], [...path, "error_rules"], problems);
  });
  if (available === 0 && providers.length > 0) {
    const path = ["chains", chainName, "providers"];
    const text = "none of them can be used: every call to this chain will be refused";
    problems.push(diagnostic("CONFIG_NO_PROVIDER", path, text, tree.originOf(path), "warning"));
  }
}

/** The schema has looked at the scheme; this looks at the rest. */
function checkUrls(tree: SourceTree, provider: RawMap, path: Path, problems: Diagnostic[]): void {
  for (const key of ["url", "ws_url"]) {
    const value = provider[key];
    if (typeof value !== "string" || !/^(https?|wss?):\/\//i.test(value)) continue;
    const below = [...path, key];
    const fail = (text: string): void => {
      problems.push(diagnostic("CONFIG_BAD_VALUE", below, text, tree.originOf(below)));
    };
    if (!URL.canParse(value)) fail("is no valid URL");
    else if (new URL(value).hash !== "") fail("holds a # part, which is never sent");
  }
}

function checkRules(
  tree: SourceTree,
  rules: RawValue | undefined,
  path: Path,
  problems: Diagnostic[],
): void {
  if (!Array.isArray(rules)) return;
  rules.forEach((rule, at) => {
    if (!isRawMap(rule) || rule["code"] !== undefined || rule["message_contains"] !== undefined) {
      return;
    }
    const below = [...path, at];
    const text = "a rule needs a code, a message_contains or both, else it would match everything";
    problems.push(diagnostic("CONFIG_MISSING_KEY", below, text, tree.originOf(below)));
  });
}

function checkQuorum(
  tree: SourceTree,
  rules: RawValue | undefined,
  path: Path,
  problems: Diagnostic[],
): void {
  if (!Array.isArray(rules)) return;
  rules.forEach((rule, at) => {
    if (!isRawMap(rule)) return;
    const { agree = QUORUM_RULE_DEFAULTS.agree, of = QUORUM_RULE_DEFAULTS.of } = rule;
    if (typeof agree !== "number" || typeof of !== "number" || agree <= of) return;
    const below = [...path, at];
    const text = `asks ${agree} providers to agree of ${of} that are asked`;
    problems.push(diagnostic("CONFIG_BAD_VALUE", below, text, tree.originOf(below)));
  });
}

/** A provider that comes back at the probability at which it is set back would flap. */
function checkPrediction(
  tree: SourceTree,
  prediction: RawValue | undefined,
  path: Path,
  problems: Diagnostic[],
): void {
  if (!isRawMap(prediction)) return;
  const defaults = CHAIN_DEFAULTS.prediction;
  const { demote_at: high = defaults.demote_at, restore_at: low = defaults.restore_at } =
    prediction;
  if (typeof high !== "number" || typeof low !== "number" || low < high) return;
  const text = `restore_at ${low} must be less than demote_at ${high}`;
  problems.push(diagnostic("CONFIG_BAD_VALUE", path, text, tree.originOf(path)));
}
