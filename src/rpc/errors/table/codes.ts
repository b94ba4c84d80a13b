/** What statuses, selectors and codes mean when nothing before them has said more. */
import type { ErrorClass } from "../classes.ts";
import { WRITES, type TableRule } from "../rules.ts";

/** One HTTP status, or all from `status` to `last`. */
export interface StatusRule {
  readonly status: number;
  readonly last?: number;
  readonly class: ErrorClass;
  readonly source: string;
}

/** Only statuses that mean the same whatever the body says; other 4xx leave the word to the body. */
export const STATUS_RULES: readonly StatusRule[] = [
  { status: 500, last: 599, class: "server", source: "RFC 9110" },
  { status: 401, class: "auth", source: "RFC 9110; Infura (graphprotocol/indexer#145)" },
  { status: 402, class: "auth", source: "dRPC, out of budget (enviodev/hyperindex#715)" },
  {
    status: 403,
    class: "auth",
    source: "Alchemy, out of capacity (xmtp/xmtpd#672); Ankr (wevm/viem#3476)",
  },
  { status: 407, class: "auth", source: "RFC 9110" },
  { status: 408, class: "server", source: "RFC 9110" },
  { status: 429, class: "rate_limit", source: "RFC 6585; every vendor" },
];

/** Selectors of revert data, in hex. */
export const REVERT_SELECTORS: readonly { readonly selector: string; readonly source: string }[] = [
  {
    selector: "08c379a0",
    source: "Error(string); Cloudflare and Infura as a result (ethers-io/ethers.js#949)",
  },
  { selector: "4e487b71", source: "Panic(uint256)" },
];

/** The last word; the first that matches decides. */
export const CODE_RULES: readonly TableRule[] = [
  { codes: [-32700, -32600], class: "invalid_params", source: "JSON-RPC 2.0, 5.1" },
  { codes: [-32601], class: "capability", source: "JSON-RPC 2.0, 5.1: method not found" },
  { codes: [-32602], class: "invalid_params", source: "JSON-RPC 2.0, 5.1" },
  { codes: [-32603], class: "server", source: "JSON-RPC 2.0, 5.1: internal error" },
  {
    codes: [-32003, -32010],
    methods: WRITES,
    class: "tx_rejected",
    source: "EIP-1474 -32003; parity and Nethermind -32010",
  },
  { codes: [-32005], class: "rate_limit", source: "EIP-1474: limit exceeded" },
  {
    codes: [-32002],
    class: "server",
    source: "EIP-1474: resource unavailable; geth: request timed out",
  },
  { codes: [-32001], class: "block_unavailable", source: "EIP-1474: resource not found" },
  {
    codes: [-32004, 4200],
    class: "capability",
    source: "EIP-1474, EIP-1193: method not supported",
  },
  { codes: [-32604], class: "capability", source: "Besu: method not enabled" },
  { codes: [-32015], class: "revert", source: "parity: VM execution error" },
  { codes: [4001], class: "user", source: "EIP-1193: user rejected" },
  { codes: [4100], class: "auth", source: "EIP-1193: unauthorized" },
  { codes: [4900, 4901], class: "server", source: "EIP-1193: disconnected" },
  {
    codes: [
      -38010, -38011, -38012, -38013, -38014, -38015, -38020, -38021, -38022, -38023, -38024,
      -38025, -38026,
    ],
    class: "invalid_params",
    source: "execution-apis: eth_simulateV1",
  },
];

/** Ranges of codes by execution-apis. */
export const CODE_RANGES: readonly {
  readonly first: number;
  readonly last: number;
  readonly class: ErrorClass;
  readonly source: string;
}[] = [
  { first: 1, last: 199, class: "revert", source: "execution-apis: execution; 3 is a revert" },
  { first: 800, last: 999, class: "revert", source: "execution-apis: gas" },
  { first: 1000, last: 1999, class: "tx_rejected", source: "execution-apis: transaction pool" },
];
