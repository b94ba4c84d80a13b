/** One provider of one chain: its breakers, its WebSocket, its probe. */
import { circuitBreaker, circuitBreakerKey } from "../actors/rpc/circuit-breaker.ts";
import { probe, probeKey } from "../actors/rpc/probe.ts";
import { wsConnection, wsConnectionKey } from "../actors/rpc/ws-connection.ts";
import type { ProviderConfig } from "../config/schema.ts";
import { child, supervisor, type ArgsOf, type SupervisorSpec } from "../src/otp/index.ts";

type WsConnectionArgs = ArgsOf<typeof wsConnection>;
type ChainState = ArgsOf<typeof probe>["state"];

/** What the sockets of a provider are opened with. */
export type WsParts = (state: ChainState, provider: ProviderConfig) => WsConnectionArgs;

/**
 * rest_for_one: a connection and a probe report to the breakers, so new breakers want new reporters;
 * a broken socket leaves the breakers alone. The budget is wide: sockets are made to fail.
 */
export const provider = (
  state: ChainState,
  config: ProviderConfig,
  wsParts: WsParts,
): SupervisorSpec => {
  const at = [state.name, config.id] as const;
  const breaker = (transport: "http" | "ws") =>
    child(
      circuitBreaker,
      { state, provider: config.id, transport },
      { register: circuitBreakerKey(...at, transport) },
    );
  return supervisor(`provider:${config.id}`, {
    register: `chain:${state.name}/provider:${config.id}`,
    strategy: "rest_for_one",
    intensity: 10,
    period: 10,
    children: [
      ...(config.url === undefined ? [] : [breaker("http")]),
      ...(config.wsUrl === undefined ? [] : [breaker("ws")]),
      ...(config.wsUrl === undefined
        ? []
        : [
            child(wsConnection, wsParts(state, config), {
              register: wsConnectionKey(...at),
              backoff: { minMs: 100, maxMs: 10_000 },
            }),
          ]),
      child(probe, { state, provider: config.id }, { register: probeKey(...at) }),
    ],
  });
};
