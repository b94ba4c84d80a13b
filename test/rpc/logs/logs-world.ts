/** A gateway over scripted nodes that answer `eth_getLogs` from one chain of logs. */
import type { HeadView } from "../../../src/rpc/chain-view.ts";
import type { LogsConfig } from "../../../config/schema.ts";
import type { FakeReply, ScriptedCall, World, WorldOptions } from "../proxy/support.ts";
import { world } from "../proxy/support.ts";
import type { TestFilter, TestLog } from "./chain.ts";
import { bodyText, select } from "./chain.ts";

/** A node: answers, or says why not. */
export type Node = (call: ScriptedCall, filter: TestFilter) => void;

export interface LogsWorld extends World {
  readonly logs: TestLog[];
  /** The filters that were asked for, by provider. */
  asked(provider: number): string[];
  ask(filter: object, options?: AskOptions): FakeReply;
  setHead(head: Partial<HeadView>): void;
}

interface AskOptions {
  readonly id?: string;
  readonly url?: string;
}

/** Answers with what the chain has. */
export const honest =
  (logs: readonly TestLog[]): Node =>
  (call, filter) =>
    call.result(`[${bodyText(select(logs, filter))}]`);

export const filterOf = (call: ScriptedCall): TestFilter =>
  (call.request.params as TestFilter[])[0] as TestFilter;

/** `1-50` */
export const spanOf = (call: ScriptedCall): string => {
  const { fromBlock, toBlock } = filterOf(call);
  return `${Number(fromBlock)}-${Number(toBlock)}`;
};

/** A world at `tip` whose nodes all have `logs`. */
export function logsWorld(
  logs: TestLog[],
  options: WorldOptions & { readonly rules?: Partial<LogsConfig> } = {},
): LogsWorld {
  const tip = options.tip ?? 1000;
  const w = world({ ...options, tip, script: (call) => honest(logs)(call, filterOf(call)) });
  for (const row of [...w.rows, ...w.wsRows]) row.head = tip;
  const rules = { maxRange: 30_000, partRange: 100, parallel: 4, ...options.rules };
  Object.assign(w.chain, { logs: rules });
  return Object.assign(w, {
    logs,
    asked: (provider: number) => (w.upstreams[provider]?.calls ?? []).map(spanOf),
    ask(filter: object, { id = "7", url }: AskOptions = {}) {
      const params = JSON.stringify([filter]);
      return w.post(`{"jsonrpc":"2.0","id":${id},"method":"eth_getLogs","params":${params}}`, url);
    },
    setHead(head: Partial<HeadView>) {
      const known = w.chain.head ?? { number: tip, hash: undefined, atMs: 0, blockTimeMs: 12_000 };
      Object.defineProperty(w.chain, "head", {
        value: { ...known, ...head },
        configurable: true,
      });
    },
  });
}

/** Makes a node of a provider. */
export function become(w: World, provider: number, node: Node): void {
  const upstream = w.upstreams[provider];
  if (upstream !== undefined) upstream.script = (call) => node(call, filterOf(call));
}

/** All calls that wait, in the order they were made. */
export const open = (w: World): ScriptedCall[] =>
  w.upstreams
    .flatMap(({ calls }) => calls)
    .filter(({ isAborted }) => !isAborted)
    .toSorted((a, b) => a.id - b.id);
