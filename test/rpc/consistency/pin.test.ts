import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { pinCall, readsMovingBlock } from "../../../src/rpc/consistency/pin.ts";
import { scanBody, type Envelope } from "../../../src/rpc/json-rpc/scan.ts";
import { upstreamBytes } from "../../../src/rpc/json-rpc/request-bytes.ts";

const NUMBERS = { latest: 0x64, safe: 0x44, finalized: 0x24 } as const;

const scan = (text: string): { body: Buffer; envelope: Envelope } => {
  const body = Buffer.from(text);
  const scanned = scanBody(body);
  if (scanned.kind !== "single") throw new Error("not one call");
  return { body, envelope: scanned.envelope };
};

const callText = (method: string, params: string): string =>
  `{"jsonrpc":"2.0","id":1,"method":"${method}","params":${params}}`;

/** The params after pinning; `undefined` when nothing was pinned. */
const pinnedParams = (method: string, params: string): string | undefined => {
  const { body, envelope } = scan(callText(method, params));
  const pinned = pinCall(body, envelope, (tag) => NUMBERS[tag]);
  if (pinned === undefined) return undefined;
  const { paramsStart, paramsEnd } = pinned.envelope;
  return pinned.body.toString("utf8", paramsStart, paramsEnd);
};

const tx = '{"to":"0xaa","data":"0x"}';

const TABLE: readonly (readonly [string, string, string | undefined])[] = [
  // A tag in its place.
  ["eth_call", `[${tx},"latest"]`, `[${tx},"0x64"]`],
  ["eth_call", `[${tx},"safe"]`, `[${tx},"0x44"]`],
  ["eth_call", `[${tx},"finalized"]`, `[${tx},"0x24"]`],
  ["eth_call", `[${tx},"latest",{"0xbb":{}}]`, `[${tx},"0x64",{"0xbb":{}}]`],
  ["eth_call", `[ ${tx} , "latest" ]`, `[ ${tx} , "0x64" ]`],
  ["eth_call", `[${tx},"lat\\u0065st"]`, `[${tx},"0x64"]`],
  ["eth_estimateGas", `[${tx},"latest"]`, `[${tx},"0x64"]`],
  ["eth_createAccessList", `[${tx},"latest"]`, `[${tx},"0x64"]`],
  ["eth_getBalance", '["0xaa","latest"]', '["0xaa","0x64"]'],
  ["eth_getCode", '["0xaa","safe"]', '["0xaa","0x44"]'],
  ["eth_getTransactionCount", '["0xaa","latest"]', '["0xaa","0x64"]'],
  ["eth_getStorageAt", '["0xaa","0x0","latest"]', '["0xaa","0x0","0x64"]'],
  ["eth_getProof", '["0xaa",["0x0"],"latest"]', '["0xaa",["0x0"],"0x64"]'],
  ["eth_simulateV1", '[{"blockStateCalls":[]},"latest"]', '[{"blockStateCalls":[]},"0x64"]'],
  ["eth_getBlockByNumber", '["latest",false]', '["0x64",false]'],
  ["eth_getBlockByNumber", '["finalized",true]', '["0x24",true]'],
  ["eth_getHeaderByNumber", '["latest"]', '["0x64"]'],
  ["eth_getBlockReceipts", '["latest"]', '["0x64"]'],
  ["eth_getBlockTransactionCountByNumber", '["latest"]', '["0x64"]'],
  ["eth_getTransactionByBlockNumberAndIndex", '["latest","0x0"]', '["0x64","0x0"]'],
  ["eth_getUncleByBlockNumberAndIndex", '["latest","0x0"]', '["0x64","0x0"]'],
  ["eth_getUncleCountByBlockNumber", '["latest"]', '["0x64"]'],
  ["eth_feeHistory", '["0x5","latest",[25]]', '["0x5","0x64",[25]]'],
  ["debug_traceCall", `[${tx},"latest",{}]`, `[${tx},"0x64",{}]`],
  ["debug_traceBlockByNumber", '["latest"]', '["0x64"]'],
  ["trace_call", `[${tx},["trace"],"latest"]`, `[${tx},["trace"],"0x64"]`],
  ["trace_block", '["latest"]', '["0x64"]'],
  // A block left out, where the method says that it means latest.
  ["eth_call", `[${tx}]`, `[${tx},"0x64"]`],
  ["eth_call", `[${tx},null]`, `[${tx},"0x64"]`],
  ["eth_getBalance", '["0xaa"]', '["0xaa","0x64"]'],
  ["eth_getStorageAt", '["0xaa","0x0"]', '["0xaa","0x0","0x64"]'],
  ["eth_getProof", '["0xaa",["0x0"]]', undefined],
  ["eth_getBlockByNumber", "[]", undefined],
  ["eth_call", "[]", undefined],
  // An object that names a block (EIP-1898).
  ["eth_call", `[${tx},{"blockNumber":"latest"}]`, `[${tx},{"blockNumber":"0x64"}]`],
  ["eth_call", `[${tx},{"blockHash":"0x12"}]`, undefined],
  // Filters.
  [
    "eth_getLogs",
    '[{"fromBlock":"0x1","toBlock":"latest"}]',
    '[{"fromBlock":"0x1","toBlock":"0x64"}]',
  ],
  [
    "eth_getLogs",
    '[{"fromBlock":"finalized","toBlock":"safe"}]',
    '[{"fromBlock":"0x24","toBlock":"0x44"}]',
  ],
  ["eth_getLogs", '[{"fromBlock":"0x1"}]', '[{"toBlock":"0x64","fromBlock":"0x1"}]'],
  [
    "eth_getLogs",
    '[{"address":"0xaa"}]',
    '[{"fromBlock":"0x64","toBlock":"0x64","address":"0xaa"}]',
  ],
  ["eth_getLogs", "[{}]", '[{"fromBlock":"0x64","toBlock":"0x64"}]'],
  ["eth_getLogs", '[{"fromBlock":null,"toBlock":"0x9"}]', '[{"fromBlock":"0x64","toBlock":"0x9"}]'],
  ["eth_getLogs", '[{"blockHash":"0x12"}]', undefined],
  ["eth_getLogs", '[{"fromBlock":"0x1","toBlock":"0x2"}]', undefined],
  ["eth_getLogs", '[{"fromBlock":"earliest","toBlock":"0x2"}]', undefined],
  ["trace_filter", '[{"toBlock":"latest"}]', '[{"toBlock":"0x64"}]'],
  ["trace_filter", '[{"fromBlock":"0x1"}]', undefined],
  // What is no moving tag.
  ["eth_call", `[${tx},"pending"]`, undefined],
  ["eth_getTransactionCount", '["0xaa","pending"]', undefined],
  ["eth_call", `[${tx},"earliest"]`, undefined],
  ["eth_call", `[${tx},"0x10"]`, undefined],
  ["eth_call", `[${tx},"LATEST"]`, undefined],
  ["eth_call", '[{"data":"latest"},"0x10"]', undefined],
  ["eth_call", '{"block":"latest"}', undefined],
  ["eth_call", "null", undefined],
  ["eth_getTransactionReceipt", '["latest"]', undefined],
  ["eth_gasPrice", "[]", undefined],
];

describe("the tags of a call", () => {
  it.each(TABLE)("%s %s becomes %s", (method, params, wanted) => {
    expect(pinnedParams(method, params)).toBe(wanted);
  });

  it("stay when their block is not known", () => {
    const { body, envelope } = scan(callText("eth_call", `[${tx},"safe"]`));
    expect(pinCall(body, envelope, () => -1)).toBeUndefined();
  });

  it("make the highest number the pin", () => {
    const { body, envelope } = scan(
      callText("eth_getLogs", '[{"fromBlock":"finalized","toBlock":"latest"}]'),
    );
    expect(pinCall(body, envelope, (tag) => NUMBERS[tag])?.pin).toBe(0x64);
  });

  it("count as reads of a moving block, as the height itself does", () => {
    const reads = (method: string, params: string): boolean => {
      const { body, envelope } = scan(callText(method, params));
      return readsMovingBlock(body, envelope);
    };
    expect(reads("eth_blockNumber", "[]")).toBe(true);
    expect(reads("eth_call", `[${tx}]`)).toBe(true);
    expect(reads("eth_call", `[${tx},"0x1"]`)).toBe(false);
    expect(reads("eth_chainId", "[]")).toBe(false);
  });

  it("are found whatever surrounds the call, and nothing but them changes", () => {
    const space = fc.constantFrom("", " ", "\n\t");
    const value = fc.jsonValue({ maxDepth: 3 });
    const id = fc.oneof(fc.string(), fc.maxSafeInteger());
    fc.assert(
      fc.property(
        value,
        id,
        space,
        fc.boolean(),
        fc.boolean(),
        (first, id, gap, idLast, inBatch) => {
          const params = `[${gap}${JSON.stringify(first)}${gap},${gap}"latest"${gap}]`;
          const idPart = `"id":${JSON.stringify(id)}`;
          const rest = `"method":"eth_call"${gap},"params":${params}`;
          const text = `{"jsonrpc":"2.0",${idLast ? `${rest},${idPart}` : `${idPart},${rest}`}}`;
          const body = Buffer.from(inBatch ? `[${text}]` : text);
          const scanned = scanBody(body);
          const envelope =
            scanned.kind === "batch"
              ? scanned.envelopes[0]
              : scanned.kind === "single"
                ? scanned.envelope
                : undefined;
          if (envelope === undefined || envelope.fault !== undefined) return;
          const pinned = pinCall(body, envelope, () => 255);
          expect(pinned).toBeDefined();
          if (pinned === undefined) return;
          const sent = JSON.parse(
            upstreamBytes(pinned.body, pinned.envelope, 123_456_789).toString(),
          );
          expect(sent).toEqual({
            jsonrpc: "2.0",
            id: 123_456_789,
            method: "eth_call",
            params: [JSON.parse(JSON.stringify(first)), "0xff"],
          });
          const token = pinned.body.toString(
            "utf8",
            pinned.envelope.idStart,
            pinned.envelope.idEnd,
          );
          expect(token).toBe(JSON.stringify(id));
        },
      ),
    );
  });

  it("never throw and keep JSON whole on any params", () => {
    const methods = fc.constantFrom(
      "eth_call",
      "eth_getLogs",
      "eth_getBlockByNumber",
      "trace_filter",
    );
    fc.assert(
      fc.property(methods, fc.json({ maxDepth: 4 }), (method, params) => {
        const { body, envelope } = scan(callText(method, params));
        if (envelope.fault !== undefined) return;
        const pinned = pinCall(body, envelope, () => 1);
        if (pinned !== undefined) expect(() => JSON.parse(pinned.body.toString())).not.toThrow();
      }),
    );
  });
});
