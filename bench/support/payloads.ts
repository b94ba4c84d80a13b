/** Generated result bodies of the sizes that real chains give. */

const hex = (seed: number, digits: number): string => {
  let state = (seed * 2_654_435_761) >>> 0;
  let text = "";
  while (text.length < digits) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += state.toString(16).padStart(8, "0");
  }
  return `0x${text.slice(0, digits)}`;
};

/** A block with its header and 250 transaction hashes, about 19 KB; another chain of hashes than others. */
export function blockBody(number: number): string {
  return JSON.stringify({
    baseFeePerGas: "0x2a0c2d60e",
    difficulty: "0x0",
    extraData: hex(1, 40),
    gasLimit: "0x1c9c380",
    gasUsed: "0x1268a5c",
    hash: hex(number, 64),
    logsBloom: hex(3, 512),
    miner: hex(4, 40),
    nonce: "0x0000000000000000",
    number: `0x${number.toString(16)}`,
    parentHash: hex(number - 1, 64),
    receiptsRoot: hex(6, 64),
    size: "0x1f6a2",
    stateRoot: hex(7, 64),
    timestamp: "0x667a3f5b",
    transactions: Array.from({ length: 250 }, (_, index) => hex(index + 10, 64)),
    transactionsRoot: hex(8, 64),
    uncles: [],
  });
}

/** 2,800 logs, about 1.9 MB. */
export function logsBody(): string {
  return JSON.stringify(
    Array.from({ length: 2800 }, (_, index) => ({
      address: hex(index, 40),
      topics: [hex(index + 1, 64), hex(index + 2, 64), hex(index + 3, 64)],
      data: hex(index + 4, 128),
      blockNumber: "0x1346edf",
      transactionHash: hex(index + 5, 64),
      transactionIndex: "0x1c",
      blockHash: hex(9, 64),
      logIndex: `0x${index.toString(16)}`,
      removed: false,
    })),
  );
}
