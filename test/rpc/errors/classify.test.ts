import { describe, expect, it } from "vitest";
import type { ErrorClass } from "../../../src/rpc/errors/classes.ts";
import { classifyError } from "../../../src/rpc/errors/classify.ts";
import { DECISIONS, isRelayed } from "../../../src/rpc/errors/decisions.ts";
import { retryAfterMs, retryHintMs } from "../../../src/rpc/errors/retry-after.ts";

const classify = (
  code: number | undefined,
  message: string,
  more: { method?: string; status?: number; data?: string; isNearHead?: boolean } = {},
): ErrorClass =>
  classifyError({ method: "eth_call", status: 200, data: "", code, message, ...more }, []);

const logs = { method: "eth_getLogs" };
const raw = { method: "eth_sendRawTransaction" };

describe("the class of a vendor's error", () => {
  it.each<[string, number, string, ErrorClass, object?]>([
    ["geth revert", 3, "execution reverted: ERC20: transfer amount exceeds balance", "revert"],
    ["geth revert without reason", -32000, "execution reverted", "revert"],
    [
      "revert data under a foreign message",
      -32603,
      "call failed",
      "revert",
      { data: "0x08c379a0000000" },
    ],
    ["panic data", -32000, "VM error", "revert", { data: "0x4e487b710000000000000011" }],
    ["hardhat revert", -32603, "VM Exception while processing transaction: revert", "revert"],
    ["parity VM error", -32015, "VM execution error.", "revert"],
    ["gas of a call", -32000, "out of gas: gas required exceeds allowance: 1", "revert"],
    ["geth nonce", -32000, "nonce too low: next nonce 5, tx nonce 4", "tx_rejected", raw],
    ["geth known", -32000, "already known", "tx_known", raw],
    ["nethermind known", -32010, "AlreadyKnown", "tx_known", raw],
    [
      "parity imported",
      -32010,
      "Transaction with the same hash was already imported.",
      "tx_known",
      raw,
    ],
    ["a type nobody knows", -32000, "unknown transaction type: 9", "tx_rejected", raw],
    ["underpriced", -32000, "replacement transaction underpriced", "tx_rejected", raw],
    [
      "funds of a transaction",
      -32000,
      "insufficient funds for gas * price + value",
      "tx_rejected",
      raw,
    ],
    ["funds of a call", -32000, "insufficient funds for gas * price + value", "invalid_params"],
    ["OP stack sender", -32005, "sender is over rate limit", "tx_rejected", raw],
    [
      "Alchemy batch",
      429,
      "Your app has exceeded its compute units per second capacity",
      "rate_limit",
    ],
    ["Infura daily", -32005, "daily request count exceeded, request rate limited", "rate_limit"],
    ["Infura results", -32005, "query returned more than 10000 results", "capability", logs],
    [
      "QuickNode",
      -32007,
      "15/second request limit reached - reduce calls per second",
      "rate_limit",
    ],
    ["Cloudflare", -32046, "Cannot fulfill request", "rate_limit"],
    ["dRPC rate", 30, "You've reached the free tier limit", "rate_limit"],
    [
      "dRPC timeout",
      30,
      "Request timeout on the free tier, please upgrade your tier to the paid one",
      "rate_limit",
    ],
    [
      "dRPC capability",
      35,
      "ranges over 10000 blocks are not supported on freetier",
      "capability",
      logs,
    ],
    ["Ankr", -32090, "Too many requests, reason: call rate limit exhausted", "rate_limit"],
    ["proxyd", -32016, "over rate limit", "rate_limit"],
    [
      "Alchemy range",
      -32600,
      "You can make eth_getLogs requests with up to a 500 block range.",
      "capability",
      logs,
    ],
    ["publicnode archive", -32701, "Archive requests require a personal token", "capability"],
    ["generic limit on logs", -32005, "block range limit exceeded", "capability", logs],
    ["generic limit elsewhere", -32005, "limit exceeded", "rate_limit"],
    ["erigon range", -32000, "block range is too wide", "capability", logs],
    ["geth missing state", -32000, "missing trie node abc (path )", "capability"],
    [
      "geth missing recent state",
      -32000,
      "missing trie node abc",
      "block_unavailable",
      { isNearHead: true },
    ],
    ["geth pruned", -32000, "historical state abc is not available", "capability"],
    ["erigon pruned", -32000, "history has been pruned for this block", "capability"],
    ["geth header", -32000, "header not found", "block_unavailable"],
    [
      "anvil block",
      -32602,
      "BlockOutOfRangeError: block height is 5 but requested was 9",
      "block_unavailable",
    ],
    ["besu block", -32602, "Unknown block", "block_unavailable"],
    [
      "Alchemy missing state under the revert code",
      3,
      "missing data for block",
      "block_unavailable",
    ],
    ["dRPC block", 26, "Unknown block", "block_unavailable"],
    ["nethermind syncing", -32000, "Node is syncing", "node_syncing"],
    ["geth method", -32601, "the method debug_x does not exist/is not available", "capability"],
    [
      "vendor refusal as internal error",
      -32603,
      "trace_block is not available on the Free tier - upgrade",
      "capability",
    ],
    ["EIP-1474 unsupported", -32004, "Method not supported", "capability"],
    [
      "geth params",
      -32602,
      "invalid argument 0: hex string has length 3, want 40",
      "invalid_params",
    ],
    ["parse error", -32700, "parse error", "invalid_params"],
    ["internal", -32603, "Internal JSON-RPC error", "server"],
    ["overload", -32000, "server overloaded, try again", "server"],
    ["proxyd backend", -32010, "backend is offline", "server"],
    ["key", -32000, "invalid project id", "auth"],
    ["EIP-1193 unauthorised", 4100, "Unauthorized", "auth"],
    ["user", 4001, "User rejected the request", "user"],
    ["unknown", -32000, "the moon is full", "unmatched"],
    ["rejected code outside a write", -32003, "response is odd", "unmatched"],
  ])("%s", (_who, code, message, expected, more) => {
    expect(classify(code, message, more)).toBe(expected);
  });

  it("lets the HTTP status speak before the body's words", () => {
    expect(classify(-32000, "execution reverted", { status: 503 })).toBe("server");
    expect(classify(-32000, "whatever", { status: 429 })).toBe("rate_limit");
    expect(classify(-32000, "whatever", { status: 403 })).toBe("auth");
    expect(classify(-32602, "invalid argument 0", { status: 400 })).toBe("invalid_params");
  });

  it("tries the provider's own rules first", () => {
    const error = {
      method: "eth_call",
      status: 200,
      data: "",
      code: -32000,
      message: "Whoops busy",
    };
    expect(classifyError(error, [{ messageContains: "BUSY", class: "rate_limit" }])).toBe(
      "rate_limit",
    );
    expect(classifyError(error, [{ code: -1, messageContains: "busy", class: "rate_limit" }])).toBe(
      "unmatched",
    );
  });
});

describe("the decision table", () => {
  it("never counts what is not the provider's fault", () => {
    const innocent: ErrorClass[] = [
      "ok",
      "empty",
      "rate_limit",
      "capability",
      "revert",
      "invalid_params",
      "cancelled",
      "user",
      "unmatched",
    ];
    for (const errorClass of innocent)
      expect(["none", "success"]).toContain(DECISIONS[errorClass].breaker);
    for (const errorClass of [
      "transport",
      "server",
      "malformed",
      "timeout",
      "auth",
      "wrong_chain",
    ] as const) {
      expect(["none", "success"]).not.toContain(DECISIONS[errorClass].breaker);
      expect(DECISIONS[errorClass].failover).toBe("always");
    }
  });

  it("never relays our own trouble with a provider", () => {
    for (const errorClass of ["auth", "rate_limit", "transport", "timeout", "malformed"] as const) {
      expect(isRelayed(errorClass)).toBe(false);
      expect(DECISIONS[errorClass].client).toBe("own");
    }
  });
});

describe("the words of a rate limit", () => {
  it.each<[string, string, number | undefined]>([
    ["Too many requests, reason: call rate limit exhausted, retry in 10s", "", 10_000],
    ["Too many requests, reason: call rate limit exhausted, retry in 10m0s", "", 600_000],
    ["retry in 99m59s", "", 600_000],
    ["slow", '{"rate":{"allowed_rps":1,"backoff_seconds":30,"current_rps":2.2}}', 30_000],
    ["slow", '{"rate":{"allowed_rps":1,"backoff_seconds":0,"current_rps":2.2}}', undefined],
    ["retry in a while", "", undefined],
  ])("%s %s: %s ms", (message, data, expected) => {
    expect(retryHintMs(message, data)).toBe(expected);
  });
});

describe("Retry-After", () => {
  it("reads seconds and bounds them", () => {
    expect(retryAfterMs("3")).toBe(3000);
    expect(retryAfterMs("0.5")).toBe(500);
    expect(retryAfterMs("99999")).toBe(600_000);
    expect(retryAfterMs("Wed, 21 Oct 2026 07:28:00 GMT")).toBeUndefined();
    expect(retryAfterMs(undefined)).toBeUndefined();
  });
});
