/** Real Ethereum nodes for tests: anvil from the package @foundry-rs/anvil. */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { describe } from "vitest";
import { Child } from "./child.ts";
import { rpc } from "./rpc.ts";

/** A running node. */
export interface Anvil {
  readonly url: string;
  readonly wsUrl: string;
  readonly chainId: number;
  readonly child: Child;
  /** Calls the node directly and returns the result or throws the error's message. */
  rpc(method: string, params?: readonly unknown[]): Promise<any>;
  /** Mines blocks one by one, so that each has its own head event. */
  mine(count?: number): Promise<void>;
  stop(): Promise<void>;
}

/** How a node is started. */
export interface AnvilOptions {
  readonly chainId?: number;
  /** Seconds between blocks; without it blocks come per transaction and by `mine`. */
  readonly blockTimeSec?: number;
  readonly timestamp?: number;
}

/** The account that tests sign with: the first of anvil's well-known mnemonic. */
export const TEST_KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80";

const binary = anvilBinary();
if (binary === undefined && process.env["CI"] === "true") {
  throw new Error("anvil is missing: @foundry-rs/anvil is not installed for this platform");
}
if (binary === undefined) {
  console.log("skipped: tests with a real node, because @foundry-rs/anvil has no binary here");
}

/** `describe` for tests that need a real node; skipped with a printed reason where there is none. */
export const describeWithAnvil = describe.skipIf(binary === undefined);

/** Starts a node on a free port and waits until it answers. */
export async function startAnvil(options: AnvilOptions = {}): Promise<Anvil> {
  if (binary === undefined) throw new Error("anvil is missing");
  const chainId = options.chainId ?? 31_337;
  const args = ["--port", "0", "--chain-id", String(chainId), "--mnemonic", MNEMONIC];
  if (options.blockTimeSec !== undefined) args.push("--block-time", String(options.blockTimeSec));
  if (options.timestamp !== undefined) args.push("--timestamp", String(options.timestamp));
  const child = new Child(binary, args);
  const [, port] = await child.waitFor(/Listening on 127\.0\.0\.1:(\d+)/u);
  const url = `http://127.0.0.1:${port}`;
  const call = (method: string, params: readonly unknown[] = []) => rpc(url, method, params);
  return {
    url,
    wsUrl: `ws://127.0.0.1:${port}`,
    chainId,
    child,
    rpc: call,
    mine: async (count = 1) => {
      for (let i = 0; i < count; i++) await call("evm_mine");
    },
    stop: () => child.kill(),
  };
}

function anvilBinary(): string | undefined {
  const require = createRequire(import.meta.url);
  const name = `@foundry-rs/anvil-${process.platform}-${process.arch === "x64" ? "amd64" : process.arch}`;
  try {
    const path = join(dirname(require.resolve(`${name}/package.json`)), "bin", "anvil");
    return existsSync(path) ? path : undefined;
  } catch {
    return undefined;
  }
}

const MNEMONIC = "test test test test test test test test test test test junk";
