/** What the processes of every chain are started with: drivers and the way into the request path. */
import type { ChainParts } from "../../supervisors/chain.ts";
import type { LimitsConfig } from "../../config/schema.ts";
import { createHttpUpstream } from "../io/http/http-upstream.ts";
import { connectWs } from "../io/ws-client.ts";
import type { NeighboursPort } from "../rpc/help/ports.ts";
import type { Engine } from "../rpc/proxy/engine.ts";
import type { Gateway } from "../rpc/proxy/gateway.ts";
import { callChain, type OwnAnswer } from "../rpc/proxy/front/own-call.ts";
import type { Quorum } from "../rpc/proxy/call.ts";
import type { ChainView } from "../rpc/proxy/ports.ts";

/** The parts of all chains. */
export const chainParts = (
  { engine, ws }: Gateway,
  limits: () => LimitsConfig,
  redact: (text: string) => string,
  neighbours: NeighboursPort | undefined,
): ChainParts => ({
  neighbours: neighbours === undefined ? undefined : (state) => ({ state, port: neighbours }),
  headTracker: (state) => ({ state }),
  messageAggregator: (state) => ({ state }),
  subscriptionHub: (state) => ({
    state,
    fetch: (method, params, signal, quorum) =>
      fetchFrom(engine, state, method, params, signal, quorum),
    closeSubscribers: (chain, reason) => ws.closeSubscribers(chain, reason),
    maxBufferedBytes: limits().wsMaxBufferedBytes,
    maxBehindMs: limits().wsMaxBehindMs,
    maxSubscriptions: limits().wsMaxSubscriptions,
  }),
  openHttp: (_state, { id, url, headers, http }, onConnect) => {
    if (url === undefined) throw new Error(`provider ${id} has no url`);
    return createHttpUpstream({ url, headers, connections: http.pool, onConnect });
  },
  ws: (state, { id, wsUrl, headers }) => ({
    state,
    provider: id,
    redact,
    connect: (handlers) => {
      if (wsUrl === undefined) throw new Error(`provider ${id} has no ws_url`);
      const { timeoutMs } = state.config.healthCheck;
      return connectWs({ url: wsUrl, headers, handshakeTimeoutMs: timeoutMs }, handlers);
    },
  }),
});

/** One question through the whole request path, so that gap filling fails over like any call. */
const fetchFrom = (
  engine: Engine,
  chain: ChainView,
  method: string,
  params: readonly unknown[],
  signal: AbortSignal,
  quorum: Quorum | undefined,
): Promise<unknown> =>
  new Promise((resolve, reject) => {
    const report = (answer: OwnAnswer): void => {
      if (answer.ok) resolve(answer.result);
      else reject(new Error(`${method} on ${chain.name}: ${answer.detail}`));
    };
    const giveUp = callChain(engine, chain, method, params, report, quorum);
    signal.addEventListener("abort", giveUp, { once: true });
  });
