/**
 * How `eth_getLogs` is served: with numbers for its tags, never beyond the tip, by providers that
 * have seen the last block asked for (one that is behind answers fewer logs, with success).
 */
import { finalizedNumber, safeNumber } from "../../consistency/finality.ts";
import { helperFor, isForsaken } from "../../help/helping-regions.ts";
import type { ProviderId } from "../../ids.ts";
import type { MethodInfo } from "../../json-rpc/methods.ts";
import { hexQuantity } from "../../json-rpc/quantity.ts";
import { readLogsQuery, sliceParams } from "../../logs/query.ts";
import { type LogsRange, resolveRange } from "../../logs/range.ts";
import { isAsked } from "../../selection/asked.ts";
import { TriedSet } from "../../selection/pick.ts";
import type { RoutingSnapshot } from "../../selection/snapshot.ts";
import type { LogsConfig } from "../../../../config/schema.ts";
import type { Call, CallSink } from "../call.ts";
import type { Engine } from "../engine.ts";
import { withParams } from "../make-call.ts";
import type { ChainView } from "../ports.ts";
import type { Running, Service } from "../service.ts";
import { LogsCall } from "./logs-call.ts";
import { Takers } from "./takers.ts";

/** What holds for a chain that says nothing else. */
const DEFAULT_RULES: LogsConfig = { maxRange: 30_000, partRange: 5_000, parallel: 4 };

/** The service of `eth_getLogs`. */
export class LogsReads implements Service {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  serve(call: Call, info: MethodInfo, sink: CallSink): Running | undefined {
    const engine = this.#engine;
    const { chain, body, envelope } = call;
    const { snapshot } = chain;
    // Another region cuts the range by what its own providers take.
    if (this.#isHelped(call, info)) return engine.exchange(call, info, sink);
    const query = readLogsQuery(body, envelope.paramsStart, envelope.paramsEnd);
    const range = query === undefined ? undefined : resolveRange(query, heightsOf(chain));
    if (query === undefined || range === undefined || snapshot === undefined) {
      return engine.exchange(call, info, sink);
    }
    const rules = chain.logs ?? DEFAULT_RULES;
    const { fromBlock, toBlock } = range;
    const blocks = toBlock - fromBlock + 1;
    if (blocks > rules.maxRange) {
      engine.refuse(call, sink, "logs_range", `${blocks} blocks are over the limit`, {
        from_block: hexQuantity(fromBlock),
        to_block: hexQuantity(toBlock),
        blocks,
        max_blocks: rules.maxRange,
      });
      return undefined;
    }
    const pinned = withoutLaggards(
      numbered(call, range, () => sliceParams(query, ALL(range))),
      toBlock,
      snapshot,
    );
    const isOne = blocks === 1 && query.addresses.length === 0 && query.topics.length === 0;
    // A leg of another call is one question to one provider.
    if (isOne || call.isPart) return engine.exchange(pinned, info, sink);
    const takers = new Takers(
      engine.chooser.select(snapshot, pinned, info.name, undefined, engine.now()).ranking,
      chain,
      rules.partRange,
    );
    const running = new LogsCall(engine, pinned, info, sink, takers, query, range, rules);
    running.start();
    return running;
  }

  /** Another region is the only one that may be asked now, and it may be. */
  #isHelped({ chain, options }: Call, info: MethodInfo): boolean {
    if (chain.helpers === undefined) return false;
    const nowMs = this.#engine.now();
    if (!isForsaken(chain.snapshot, nowMs)) return false;
    return helperFor(chain, options, info, nowMs, new TriedSet()) !== undefined;
  }
}

const ALL = ({ fromBlock, toBlock }: LogsRange) => ({
  fromBlock,
  toBlock,
  addresses: undefined,
  topics: undefined,
});

function heightsOf(chain: ChainView) {
  return {
    latest: chain.head?.number ?? chain.snapshot?.tip ?? -1,
    safe: safeNumber(chain),
    finalized: finalizedNumber(chain),
  };
}

function numbered(call: Call, range: LogsRange, params: () => string): Call {
  return range.isAsWritten ? call : withParams(call, params());
}

/**
 * The call without the providers that have not seen `block`. One that is named speaks for itself; of
 * those with a tag, and of all, the ones that are behind are left out while another one is not.
 */
function withoutLaggards(call: Call, block: number, { endpoints }: RoutingSnapshot): Call {
  const { options } = call;
  const asked = options.provider;
  let laggards: ProviderId[] | undefined;
  let isAnybodyThere = false;
  for (const endpoint of endpoints) {
    const { provider, transports } = endpoint;
    if (asked === provider) return call;
    if (asked !== undefined && !isAsked(asked, endpoint)) continue;
    const head = Math.max(transports.http?.head ?? -1, transports.ws?.head ?? -1);
    if (head >= block) isAnybodyThere = true;
    else (laggards ??= []).push(provider);
  }
  // Where no head is known nobody can be told from the others.
  if (laggards === undefined || !isAnybodyThere) return call;
  return { ...call, options: { ...options, exclude: [...options.exclude, ...laggards] } };
}
