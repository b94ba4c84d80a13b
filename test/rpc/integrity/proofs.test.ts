/** Header hashes, blooms and receipt roots: known vectors, and the blocks of a real node. */
import { expect, it, describe } from "vitest";
import { BlockRing } from "../../../src/rpc/integrity/block-ring.ts";
import { headerHash } from "../../../src/rpc/integrity/proof/header.ts";
import { learnHeader, prove } from "../../../src/rpc/integrity/proof/proofs.ts";
import { hasOwnBloom, receiptsRoot } from "../../../src/rpc/integrity/proof/receipts.ts";
import { rlp } from "../../../src/lib/rlp.ts";
import { listRoot } from "../../../src/rpc/integrity/proof/trie.ts";
import { describeWithAnvil, startAnvil } from "../../support/anvil.ts";
import { cleanupAfterEach } from "../../support/cleanup.ts";
import { TWO_LOGS, wordOf } from "../../support/contracts.ts";

const SENDER = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266";
const ALL = { headers: true, bloom: true, receipts: true };

describe("RLP and the trie", () => {
  it("encode the examples of the specification", () => {
    const hex = (item: Parameters<typeof rlp>[0]): string => rlp(item).toString("hex");
    expect(hex(Buffer.from("dog"))).toBe("83646f67");
    expect(hex([Buffer.from("cat"), Buffer.from("dog")])).toBe("c88363617483646f67");
    expect(hex(Buffer.alloc(0))).toBe("80");
    expect(hex([])).toBe("c0");
    expect(hex(Buffer.of(0x0f))).toBe("0f");
    expect(hex([[], [[]], [[], [[]]]])).toBe("c7c0c1c0c3c0c1c0");
    expect(hex(Buffer.alloc(56, 0x61))).toBe(`b838${"61".repeat(56)}`);
    expect(hex(Buffer.alloc(1024, 0x61)).startsWith("b90400")).toBe(true);
  });

  it("have the well-known root of nothing", () => {
    expect(listRoot([]).toString("hex")).toBe(
      "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421",
    );
  });
});

const answered = (method: string, result: unknown, ring: BlockRing | undefined) => {
  const bytes = Buffer.from(JSON.stringify({ jsonrpc: "2.0", id: 1, result }));
  return prove(
    method,
    {
      body: Buffer.alloc(0),
      paramsStart: -1,
      paramsEnd: -1,
      bytes,
      start: bytes.indexOf('"result":') + 9,
      end: bytes.length,
      provider: "a",
      ring,
      blockTimeMs: 12_000,
    },
    ALL,
  );
};

describeWithAnvil("the proofs over a real node's blocks", () => {
  const use = cleanupAfterEach();

  it("accept what the node says and refuse every change of it", async () => {
    const node = use(await startAnvil());
    await node.rpc("anvil_setCode", [TWO_LOGS.address, TWO_LOGS.code]);
    await node.rpc("evm_setAutomine", [false]);
    // Enough receipts for a trie with branches, extensions and two-byte positions.
    for (let n = 0; n < 140; n++) {
      const to = n % 3 === 0 ? SENDER : TWO_LOGS.address;
      const data = n % 3 === 0 ? "0x" : wordOf(n);
      await node.rpc("eth_sendTransaction", [
        {
          from: SENDER,
          to,
          data,
          gas: "0xea60",
          ...(n % 2 === 0 ? { gasPrice: "0x77359400" } : {}),
        },
      ]);
    }
    await node.mine(1);
    const block = await node.rpc("eth_getBlockByNumber", ["latest", false]);
    const receipts = await node.rpc("eth_getBlockReceipts", ["latest"]);
    expect(receipts.length).toBe(140);
    expect(headerHash(block)).toBe(block.hash);
    expect(receiptsRoot(receipts)).toBe(block.receiptsRoot);
    expect(receipts.every((receipt: unknown) => hasOwnBloom(receipt) === true)).toBe(true);

    const ring = new BlockRing();
    ring.advance(Number(block.number));
    ring.note("a", Number(block.number), block.hash);
    expect(answered("eth_getBlockByNumber", block, ring)).toBe(undefined);
    expect(answered("eth_getBlockReceipts", receipts, ring)).toBe(undefined);
    for (const field of ["stateRoot", "timestamp", "miner", "receiptsRoot", "baseFeePerGas"]) {
      const digit = block[field].endsWith("1") ? "2" : "1";
      const changed = { ...block, [field]: `${block[field].slice(0, -1)}${digit}` };
      expect(answered("eth_getBlockByHash", changed, ring), field).toMatch(/hashes to/);
    }
    const short = receipts.slice(0, -1);
    expect(answered("eth_getBlockReceipts", short, ring)).toMatch(/root/);
    const failed = receipts.with(5, { ...receipts[5], status: "0x0" });
    expect(answered("eth_getBlockReceipts", failed, ring)).toMatch(/root/);
    const [withLogs] = receipts.filter(({ logs }: { logs: unknown[] }) => logs.length > 0);
    const bare = { ...withLogs, logs: withLogs.logs.slice(1).map(otherAddress) };
    expect(answered("eth_getTransactionReceipt", bare, ring)).toMatch(/bloom/);
    expect(answered("eth_getTransactionReceipt", withLogs, ring)).toBe(undefined);
    expect(answered("eth_getLogs", withLogs.logs, ring)).toBe(undefined);
    expect(answered("eth_getLogs", withLogs.logs.map(otherAddress), ring)).toMatch(/bloom/);
    // Pushed heads teach the ring as well, but only what their hash vouches for.
    const fresh = new BlockRing();
    fresh.advance(Number(block.number));
    fresh.note("a", Number(block.number), block.hash);
    learnHeader(JSON.stringify({ ...block, receiptsRoot: block.stateRoot }), block.hash, fresh);
    learnHeader("{", block.hash, fresh);
    expect(fresh.factsOf(block.hash)).toBe(undefined);
    learnHeader(JSON.stringify(block), block.hash, fresh);
    expect(fresh.factsOf(block.hash)?.receiptsRoot).toBe(block.receiptsRoot);
    expect(answered("eth_getBlockReceipts", short, fresh)).toMatch(/root/);
    // A block that the ring has no header of cannot be held against anybody.
    expect(answered("eth_getLogs", withLogs.logs.map(otherAddress), new BlockRing())).toBe(
      undefined,
    );
  });
});

const otherAddress = (log: object): object => ({ ...log, address: `0x${"77".repeat(20)}` });

describe("a header of an unknown shape", () => {
  const word = `0x${"11".repeat(32)}`;
  const plain = {
    parentHash: word,
    sha3Uncles: word,
    miner: `0x${"22".repeat(20)}`,
    stateRoot: word,
    transactionsRoot: word,
    receiptsRoot: word,
    logsBloom: `0x${"00".repeat(256)}`,
    difficulty: "0x0",
    number: "0x1",
    gasLimit: "0x1c9c380",
    gasUsed: "0x0",
    timestamp: "0x5",
    extraData: "0x",
    mixHash: word,
    nonce: "0x0000000000000000",
    hash: word,
  };

  it("is neither right nor wrong", () => {
    expect(headerHash(plain)).toMatch(/^0x[0-9a-f]{64}$/);
    expect(headerHash({ ...plain, sendRoot: word })).toBe(undefined);
    expect(headerHash({ ...plain, requestsHash: word })).toBe(undefined);
    expect(headerHash({ ...plain, blobGasUsed: "0x0" })).toBe(undefined);
    expect(headerHash({ ...plain, stateRoot: "0x1" })).toBe(undefined);
    expect(headerHash({ ...plain, number: "latest" })).toBe(undefined);
    const { nonce: _, ...lacking } = plain;
    expect(headerHash(lacking)).toBe(undefined);
    expect(answered("eth_getBlockByNumber", { ...plain, l1BlockNumber: "0x1" }, undefined)).toBe(
      undefined,
    );
    expect(answered("eth_getBlockByNumber", plain, undefined)).toMatch(/hashes to/);
  });

  it("hashes by every field that its fork appended", () => {
    const london = { ...plain, baseFeePerGas: "0x7" };
    const shanghai = { ...london, withdrawalsRoot: word };
    const cancun = {
      ...shanghai,
      blobGasUsed: "0x0",
      excessBlobGas: "0x0",
      parentBeaconBlockRoot: word,
    };
    const prague = { ...cancun, requestsHash: word };
    const hashes = [plain, london, shanghai, cancun, prague].map(headerHash);
    expect(new Set(hashes).size).toBe(5);
    expect(hashes.every((one) => one !== undefined)).toBe(true);
  });
});
