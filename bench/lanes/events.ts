/**
 * A chain that only makes events: every connection gets the same numbered sequence with the same
 * hashes, so K connections are K providers. `GET /control?lane=..` sets what a lane is sent; the path
 * of a connection is `/LANE/PROVIDER`. Frames are built once and written raw to all connections.
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import { WebSocketServer, type WebSocket } from "ws";
import { addToBloom, BLOOM_BYTES } from "../../src/rpc/integrity/proof/bloom.ts";
import { eventFrame, eventPrefix } from "../../src/rpc/subscription/delivery/frames.ts";

const TICK_MS = 5;
const MEMORY_BLOCKS = 1_000;
const HEADS = "0xe1";
const LOGS = "0xe2";
const headPrefix = eventPrefix(HEADS);
const logPrefix = eventPrefix(LOGS);
const word = (n: number | bigint): string => n.toString(16).padStart(64, "0");
const quantity = (n: number): string => `0x${n.toString(16)}`;

/** What the address and the topics of all logs come to. */
const bloom = new Uint8Array(BLOOM_BYTES);
for (const item of [word(7).slice(24), word(11), word(12), word(13)]) {
  addToBloom(bloom, Buffer.from(item, "hex"));
}
const LOGS_BLOOM = `0x${Buffer.from(bloom).toString("hex")}`;
const EMPTY_BLOOM = `0x${"00".repeat(256)}`;

interface Peer {
  readonly provider: string;
  readonly raw: Socket;
  readonly streams: Set<string>;
}

interface Lane {
  readonly tag: number;
  readonly peers: Set<Peer>;
  /** Next block and next log in it. */
  number: number;
  log: number;
  /** Logs of a block, and logs and heads a second. */
  logsPerBlock: number;
  logRate: number;
  headRate: number;
  owedLogs: number;
  owedHeads: number;
  /** When the logs of recent blocks were made, by block and index, ns: asked for they are the same. */
  readonly madeNs: Map<number, bigint[]>;
  /** When somebody first asked for a block by its number since the last skip, ms since 1970. */
  askedAtMs: number;
  /** How much later each provider is told of a head, ms. */
  readonly delaysMs: Map<string, number>;
  /** What the delays came to: sum and count by provider. */
  readonly margins: Map<string, { sumMs: number; count: number }>;
}

const lanes = new Map<string, Lane>();

const laneOf = (name: string): Lane => {
  const known = lanes.get(name);
  if (known !== undefined) return known;
  const lane: Lane = {
    tag: lanes.size + 1,
    peers: new Set(),
    number: 1_000,
    log: 0,
    logsPerBlock: 0,
    logRate: 0,
    headRate: 0,
    owedLogs: 0,
    owedHeads: 0,
    askedAtMs: 0,
    madeNs: new Map(),
    delaysMs: new Map(),
    margins: new Map(),
  };
  lanes.set(name, lane);
  return lane;
};

const hashOf = (lane: Lane, number: number): string =>
  `0x${lane.tag.toString(16).padStart(8, "c")}${word(number).slice(8)}`;

/** A header of 1.7 KB whose `extraData` is the time it was made, ns. */
const header = (lane: Lane, number: number, atNs: bigint): string =>
  `{"parentHash":"${hashOf(lane, number - 1)}","sha3Uncles":"0x${word(9)}","miner":"0x${word(1).slice(24)}","stateRoot":"0x${word(8)}","transactionsRoot":"0x${word(3)}","receiptsRoot":"0x${word(2)}","logsBloom":"${lane.logsPerBlock > 0 ? LOGS_BLOOM : EMPTY_BLOOM}","difficulty":"0x0","number":"${quantity(number)}","gasLimit":"0x1c9c380","gasUsed":"0xb5c2f","timestamp":"0x65f1a2b3","extraData":"0x${word(atNs)}","mixHash":"0x${word(4)}","nonce":"0x0000000000000000","baseFeePerGas":"0x5d21dba00","withdrawalsRoot":"0x${word(5)}","blobGasUsed":"0x0","excessBlobGas":"0x0","parentBeaconBlockRoot":"0x${word(6)}","hash":"${hashOf(lane, number)}"}`;

/** A log of 0.78 KB whose `data` begins with its place in the sequence and the time it was made. */
const logAt = (lane: Lane, number: number, index: number, atNs: bigint): string =>
  `{"address":"0x${word(7).slice(24)}","topics":["0x${word(11)}","0x${word(12)}","0x${word(13)}"],"data":"0x${word(number * lane.logsPerBlock + index)}${word(atNs)}${word(1)}","blockNumber":"${quantity(number)}","transactionHash":"0x${word(number * 1_000 + index)}","transactionIndex":"${quantity(index)}","blockHash":"${hashOf(lane, number)}","logIndex":"${quantity(index)}","removed":false}`;

const write = (lane: Lane, stream: string, frames: readonly Buffer[]): void => {
  const bytes = frames.length === 1 ? (frames[0] as Buffer) : Buffer.concat(frames);
  const sentMs = performance.now();
  for (const peer of lane.peers) {
    if (!peer.streams.has(stream)) continue;
    const delayMs = stream === HEADS ? (lane.delaysMs.get(peer.provider) ?? 0) : 0;
    if (delayMs === 0) {
      peer.raw.write(bytes);
      continue;
    }
    setTimeout(() => {
      const margin = lane.margins.get(peer.provider) ?? { sumMs: 0, count: 0 };
      lane.margins.set(peer.provider, margin);
      margin.sumMs += performance.now() - sentMs;
      margin.count++;
      peer.raw.write(bytes);
    }, delayMs);
  }
};

/** Remembers when the next log was made. */
const noteMade = ({ madeNs, number, log }: Lane, atNs: bigint): void => {
  const made = madeNs.get(number) ?? [];
  if (made.length === 0) madeNs.set(number, made);
  made[log] = atNs;
  madeNs.delete(number - MEMORY_BLOCKS);
};

const sendHead = (lane: Lane): void => {
  const result = Buffer.from(header(lane, lane.number, process.hrtime.bigint()));
  write(lane, HEADS, [eventFrame(headPrefix, result)]);
};

let lastMs = performance.now();
setInterval(() => {
  const nowMs = performance.now();
  const elapsed = Math.min(100, nowMs - lastMs) / 1_000;
  lastMs = nowMs;
  for (const lane of lanes.values()) {
    lane.owedHeads += elapsed * lane.headRate;
    for (; lane.owedHeads >= 1; lane.owedHeads--) {
      lane.number++;
      sendHead(lane);
    }
    lane.owedLogs += elapsed * lane.logRate;
    if (lane.owedLogs < 1) continue;
    let frames: Buffer[] = [];
    const atNs = process.hrtime.bigint();
    for (; lane.owedLogs >= 1; lane.owedLogs--) {
      if (lane.log === lane.logsPerBlock) {
        if (frames.length > 0) write(lane, LOGS, frames);
        frames = [];
        lane.log = 0;
        lane.number++;
        sendHead(lane);
      }
      noteMade(lane, atNs);
      const result = Buffer.from(logAt(lane, lane.number, lane.log++, atNs));
      frames.push(eventFrame(logPrefix, result));
    }
    if (frames.length > 0) write(lane, LOGS, frames);
  }
}, TICK_MS);

const answer = (lane: Lane, method: string, params: readonly unknown[]): string => {
  const numberOf = (hash: string) => Number.parseInt(hash.slice(-13), 16);
  switch (method) {
    case "eth_chainId":
      return '"0x1"';
    case "eth_blockNumber":
      return `"${quantity(lane.number)}"`;
    case "eth_getBlockByHash":
      return header(lane, numberOf(String(params[0])), 0n);
    case "eth_getBlockByNumber":
      if (lane.askedAtMs === 0) lane.askedAtMs = performance.timeOrigin + performance.now();
      return header(lane, params[0] === "latest" ? lane.number : Number(params[0]), 0n);
    case "eth_getLogs": {
      const { blockHash } = params[0] as { blockHash: string };
      const number = numberOf(blockHash);
      // A node does not have the block that is being made.
      if (number === lane.number && lane.log < lane.logsPerBlock) return "null";
      const made = lane.madeNs.get(number);
      const logs = Array.from({ length: lane.logsPerBlock }, (_, i) =>
        logAt(lane, number, i, made?.[i] ?? 0n),
      );
      return `[${logs.join(",")}]`;
    }
    default:
      return '"0x1"';
  }
};

const control = (url: URL, response: ServerResponse): void => {
  const lane = laneOf(url.searchParams.get("lane") ?? "");
  const numbers = ["logsPerBlock", "logRate", "headRate"] as const;
  for (const name of numbers) {
    const value = url.searchParams.get(name);
    if (value !== null) lane[name] = Number(value);
  }
  for (const [name, value] of url.searchParams) {
    if (name.startsWith("delay.")) lane.delaysMs.set(name.slice(6), Number(value));
  }
  // Blocks are made while nobody listens; the newest one has all its logs.
  const skip = url.searchParams.get("skip");
  if (skip !== null) {
    for (const { raw } of lane.peers) raw.destroy();
    lane.number += Number(skip);
    lane.log = lane.logsPerBlock;
    lane.askedAtMs = 0;
  }
  if (url.searchParams.has("resetMargins")) lane.margins.clear();
  const margins = Object.fromEntries(
    [...lane.margins].map(([provider, { sumMs, count }]) => [provider, sumMs / count]),
  );
  const { number, log, askedAtMs } = lane;
  response.end(JSON.stringify({ number, log, askedAtMs, peers: lane.peers.size, margins }));
};

const server = createServer((request: IncomingMessage, response) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname === "/control") {
    control(url, response);
    return;
  }
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const call = JSON.parse(Buffer.concat(chunks).toString()) as {
      id: number;
      method: string;
      params: unknown[];
    };
    const result = answer(laneOf(url.pathname.split("/")[1] ?? ""), call.method, call.params);
    response.setHeader("content-type", "application/json");
    response.end(`{"jsonrpc":"2.0","id":${call.id},"result":${result}}`);
  });
});

const sockets = new WebSocketServer({ server, perMessageDeflate: false });
sockets.on("connection", (socket: WebSocket, request: IncomingMessage) => {
  const [, laneName = "", provider = ""] = (request.url ?? "").split("/");
  const lane = laneOf(laneName);
  const peer: Peer = { provider, raw: request.socket, streams: new Set() };
  lane.peers.add(peer);
  socket.on("close", () => lane.peers.delete(peer));
  socket.on("error", () => socket.terminate());
  socket.on("message", (data: Buffer) => {
    const call = JSON.parse(data.toString()) as { id: number; method: string; params: unknown[] };
    let result = "true";
    if (call.method === "eth_subscribe") {
      const id = call.params[0] === "newHeads" ? HEADS : LOGS;
      peer.streams.add(id);
      result = `"${id}"`;
    } else if (call.method === "eth_unsubscribe") peer.streams.delete(String(call.params[0]));
    else result = answer(lane, call.method, call.params);
    socket.send(`{"jsonrpc":"2.0","id":${call.id},"result":${result}}`);
  });
});
server.listen(0, "127.0.0.1", () => {
  const address = server.address();
  if (typeof address === "object") console.log(`events http://127.0.0.1:${address?.port}`);
});
