/** One chain: its event path, its pool and its providers. */
import { headTracker, headTrackerKey } from "../actors/rpc/head-tracker.ts";
import { messageAggregator, messageAggregatorKey } from "../actors/rpc/message-aggregator.ts";
import { neighbours, neighboursKey } from "../actors/rpc/neighbours.ts";
import { providerPool, providerPoolKey } from "../actors/rpc/provider-pool.ts";
import { subscriptionHub, subscriptionHubKey } from "../actors/rpc/subscription-hub.ts";
import { child, supervisor, type ArgsOf, type SupervisorSpec } from "../src/otp/index.ts";
import { provider, type WsParts } from "./provider.ts";

type ChainState = ArgsOf<typeof providerPool>["state"];

/** What the processes of a chain are started with. */
export interface ChainParts {
  readonly headTracker: (state: ChainState) => ArgsOf<typeof headTracker>;
  readonly messageAggregator: (state: ChainState) => ArgsOf<typeof messageAggregator>;
  readonly subscriptionHub: (state: ChainState) => ArgsOf<typeof subscriptionHub>;
  readonly openHttp: ArgsOf<typeof providerPool>["openHttp"];
  readonly ws: WsParts;
  readonly neighbours?: ((state: ChainState) => ArgsOf<typeof neighbours>) | undefined;
}

/** one_for_one: processes find each other by key and share the chain's record; none needs another. */
export const chain = (state: ChainState, parts: ChainParts): SupervisorSpec => {
  const { name } = state;
  const providers = `chain:${name}/providers`;
  const others = parts.neighbours?.(state);
  return supervisor(`chain:${name}`, {
    register: `chain:${name}`,
    strategy: "one_for_one",
    intensity: 10,
    period: 10,
    children: [
      child(headTracker, parts.headTracker(state), { register: headTrackerKey(name) }),
      child(messageAggregator, parts.messageAggregator(state), {
        register: messageAggregatorKey(name),
      }),
      child(subscriptionHub, parts.subscriptionHub(state), { register: subscriptionHubKey(name) }),
      supervisor("providers", {
        register: providers,
        strategy: "one_for_one",
        intensity: 30,
        period: 10,
        children: [],
      }),
      child(
        providerPool,
        {
          state,
          supervisor: providers,
          provider: (chainState, config) => provider(chainState, config, parts.ws),
          openHttp: parts.openHttp,
        },
        { register: providerPoolKey(name) },
      ),
      ...(others === undefined
        ? []
        : [child(neighbours, others, { register: neighboursKey(name) })]),
    ],
  });
};
