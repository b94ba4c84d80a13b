/**
 * How vendors word the limit of an `eth_getLogs` range: one pattern a wording, each with who says it
 * so. Texts are case-folded. Data only; the first that matches decides.
 */

interface Wording {
  /** Group 1 is the number of blocks. */
  readonly pattern: RegExp;
  readonly saidBy: string;
}

/** `10000`, `10,000`, `10.000`, `2k` */
const N = String.raw`(\d[\d.,]*k?)`;

const wording = (pattern: string, saidBy: string): Wording => ({
  pattern: new RegExp(pattern),
  saidBy,
});

/** Every wording of a limit in blocks. */
const RANGE_WORDINGS: readonly Wording[] = [
  wording(
    String.raw`(?:limited to|up to|at most|over|exceeds?|greater than|more than|max(?:imum)?(?: is| of|:)?)\s+(?:an? )?(?:0\s*-\s*)?${N}[\s-]*(?:blocks?|range)`,
    "Alchemy, QuickNode, 1RPC, BlockPi, Blast, Base, Coinbase, Merkle, dRPC, Aurora",
  ),
  wording(String.raw`\(\d+\s*>\s*${N}\)`, "Blast paid plans"),
  wording(String.raw`maximum is set to ${N}`, "Avalanche"),
  wording(String.raw`blocks? distance:? ${N}`, "Cosmos EVM chains: Cronos, Kava, TAC"),
  wording(String.raw`number of requested blocks is ${N}`, "thirdweb"),
  wording(String.raw`smaller than size ${N}`, "Harmony"),
  wording(
    String.raw`range[^\d]{0,12} (?:exceeds?|exceeded|greater than|over)(?: max(?:imum)?)? ${N}`,
    "Somnia, Swell",
  ),
  wording(
    String.raw`(?:too (?:wide|large|big)),?\s*\(?max(?:imum)?(?: is|:)?\s*${N}`,
    "Moonbeam (Frontier), Merkle",
  ),
  wording(
    String.raw`max(?:imum)?(?: allowed)?(?: block)? range(?: is|:| of)?\s*${N}`,
    "Cloudflare, PublicNode, Polygon zkEVM, Merlin, Immutable, Hyperliquid",
  ),
  wording(
    String.raw`(?:range|blocks).{0,40}exceeds?(?: the)?(?: max(?:imum)?)? limit(?: of)? ${N}`,
    "Infura, Ronin",
  ),
  wording(String.raw`range limit(?: is|:| of)? ${N}`, "BlockPi, Chainstack"),
];

/** The most blocks that the words allow. */
export function blocksIn(text: string): number | undefined {
  for (const { pattern } of RANGE_WORDINGS) {
    const blocks = countOf(pattern.exec(text)?.[1]);
    if (blocks !== undefined) return blocks;
  }
  return undefined;
}

/** Texts that name both ends of a range that would work: Infura, zkSync, thirdweb, Nethermind; Alchemy; Ankr and LlamaRPC. */
const NAMED_ENDS =
  /(?:this block range|should work:?|with the range)\s*\[?\s*(0x[0-9a-f]+|\d+)\s*(?:,|-|to)\s*(0x[0-9a-f]+|\d+)/;

/** Infura repeats the ends in `error.data`: `{"from":"0x1","limit":10000,"to":"0x2"}`. */
const DATA_FROM = /"from"\s*:\s*"(0x[0-9a-f]+)"/;
const DATA_TO = /"to"\s*:\s*"(0x[0-9a-f]+)"/;

/** The range whose ends the text names. */
export function suggestionIn(
  text: string,
): { readonly blocks: number; readonly fromBlock: number; readonly toBlock: number } | undefined {
  const named = NAMED_ENDS.exec(text);
  const fromBlock = blockOf(named?.[1] ?? DATA_FROM.exec(text)?.[1]);
  const toBlock = blockOf(named?.[2] ?? DATA_TO.exec(text)?.[1]);
  // Alchemy has been seen to suggest a range that ends before it begins.
  if (fromBlock === undefined || toBlock === undefined || toBlock < fromBlock) return undefined;
  return { blocks: toBlock - fromBlock + 1, fromBlock, toBlock };
}

function blockOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const block = Number(text);
  return Number.isSafeInteger(block) ? block : undefined;
}

/** A count as vendors write it: `10000`, `10,000`, `10.000`, `2k`; `undefined` when it is none. */
export function countOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const isThousands = text.endsWith("k");
  const digits = text.replace(/k$/, "").replaceAll(/[.,]/g, "");
  const count = Number(digits) * (isThousands ? 1000 : 1);
  return Number.isSafeInteger(count) && count > 0 ? count : undefined;
}
