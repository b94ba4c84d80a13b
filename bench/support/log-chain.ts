/** The chain of the logs bench: 20,000 blocks of five transfer logs, 100,000 in all. */

export const FIRST_BLOCK = 1;
export const LAST_BLOCK = 20_000;
export const LOGS_PER_BLOCK = 5;

const word = (seed: number): string =>
  `0x${(seed * 2_654_435_761).toString(16).padStart(16, "0").repeat(4)}`;

/** The logs of a block, without brackets. */
export function logsOf(block: number): string {
  const logs: string[] = [];
  for (let index = 0; index < LOGS_PER_BLOCK; index++) {
    logs.push(
      JSON.stringify({
        address: "0xa0b86991c6218b36c1d19d4a2e9eb0ce3606eb48",
        topics: [word(1), word(block + index), word(block - index)],
        data: word(index + 1),
        blockNumber: `0x${block.toString(16)}`,
        transactionHash: word(block * 31 + index),
        transactionIndex: `0x${index.toString(16)}`,
        blockHash: word(block * 7),
        logIndex: `0x${index.toString(16)}`,
        removed: false,
      }),
    );
  }
  return logs.join(",");
}
