/** One real node behind several fault proxies, and a gateway in front of them. */
import { type FaultProxy, startFaultProxy } from "../../src/io/fault-proxy.ts";
import { type Anvil, startAnvil } from "./anvil.ts";
import { eventually } from "./eventually.ts";
import { type ConfigDocument, Gateway } from "./gateway.ts";
import { anew, post, rpc } from "./rpc.ts";

/** A node with its proxies: one chain as the gateway sees it. */
export interface ProxiedChain {
  readonly node: Anvil;
  readonly proxies: Readonly<Record<string, FaultProxy>>;
  stop(): Promise<void>;
}

/** Starts a node behind one proxy per name. */
export async function startProxiedChain(
  names: readonly string[],
  chainId = 31_337,
): Promise<ProxiedChain> {
  const node = await startAnvil({ chainId });
  const started = await Promise.all(
    names.map(async (name, index) => {
      return [name, await startFaultProxy({ upstreamUrl: node.url, seed: index + 1 })] as const;
    }),
  );
  return {
    node,
    proxies: Object.fromEntries(started),
    stop: async () => {
      await Promise.all(started.map(([, proxy]) => proxy.stop()));
      await node.stop();
    },
  };
}

/** Calls of a method that reached the node through any proxy. */
export function asked({ proxies }: ProxiedChain, method: string): number {
  return Object.values(proxies).reduce(
    (sum, proxy) => sum + (proxy.counters().calls[method] ?? 0),
    0,
  );
}

/** The chain section of a configuration: quick recovery, providers in the order of their names. */
export function chainConfig(chain: ProxiedChain, extra: ConfigDocument = {}): ConfigDocument {
  return {
    chain_id: chain.node.chainId,
    strategy: "priority",
    breaker: { failure_threshold: 5, recovery_timeout: "500ms", success_threshold: 1 },
    connection: { heartbeat_interval: "500ms", reconnect_interval: "50ms" },
    health_check: { interval: "500ms", timeout: "1s" },
    // Who is predicted to fail stays behind for longer than a test waits for it to lead again.
    prediction: { enabled: false },
    providers: Object.entries(chain.proxies).map(([id, proxy], index) => ({
      id,
      url: proxy.url,
      ws_url: proxy.wsUrl,
      priority: index + 1,
    })),
    ...extra,
  };
}

/** Starts a gateway with the given chain sections and waits until each chain answers. */
export async function startGatewayFor(
  chains: Readonly<Record<string, ConfigDocument>>,
  extra: ConfigDocument = {},
): Promise<Gateway> {
  const gateway = await Gateway.start({ config: { chains, ...extra } });
  try {
    for (const name of Object.keys(chains)) {
      await eventually(`${name} answers`, async () => {
        return (await rpc(anew(`${gateway.url}/rpc/${name}`), "eth_gasPrice")) !== undefined;
      });
    }
  } catch (error) {
    await gateway.stop();
    throw error;
  }
  return gateway;
}

/** Waits until every given proxy carries a head subscription of the gateway. */
export async function streamsUp(proxies: Iterable<FaultProxy>): Promise<void> {
  for (const proxy of proxies) {
    await eventually("an upstream subscription", () => proxy.counters().subscriptionsOpen > 0);
  }
}

/** What a steady load has met. */
export interface LoadReport {
  readonly sent: number;
  readonly failures: readonly string[];
  readonly slowestMs: number;
}

/** Accounts that loads have asked for so far; no call of one equals another, so each asks a provider. */
let accountsAsked = 0;
/** Beyond the precompiled contracts. */
const FIRST_ACCOUNT = 1_000_000;

/** Calls `eth_getBalance` from several loops until it is told to stop; each answer is checked. */
export function startLoad(
  url: string,
  loops = 8,
): { finish(): Promise<LoadReport>; sent(): number } {
  const over = new AbortController();
  let sent = 0;
  let slowestMs = 0;
  const failures: string[] = [];
  const loop = async (): Promise<void> => {
    while (!over.signal.aborted) {
      const id = ++sent;
      const address = `0x${(FIRST_ACCOUNT + ++accountsAsked).toString(16).padStart(40, "0")}`;
      const startedMs = performance.now();
      try {
        const params = [address, "latest"];
        const { text } = await post(url, { jsonrpc: "2.0", id, method: "eth_getBalance", params });
        const answer = JSON.parse(text);
        if (answer.id !== id || answer.result !== "0x0") failures.push(text);
      } catch (error) {
        failures.push(String(error));
      }
      slowestMs = Math.max(slowestMs, performance.now() - startedMs);
    }
  };
  const running = Promise.all(Array.from({ length: loops }, loop));
  return {
    sent: () => sent,
    finish: async () => {
      over.abort();
      await running;
      return { sent, failures, slowestMs };
    },
  };
}
