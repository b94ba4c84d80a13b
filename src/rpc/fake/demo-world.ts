/**
 * The world of `npm start`: two chains, four providers each, every one with its own temper. It is
 * data plus a seed; whoever starts it brings the server that puts a mind on a socket.
 */
import { FakeChain } from "./chain.ts";
import type { FaultProfile, Outage } from "./faults.ts";
import { FakeProvider } from "./provider.ts";

/** A running provider of the demo. */
export interface DemoProvider {
  readonly chain: string;
  readonly id: string;
  readonly url: string;
  readonly wsUrl: string;
}

/** A running demo. */
export interface DemoWorld {
  readonly providers: readonly DemoProvider[];
  /** The variables of config/demo.yml, e.g. `DEMO_ALPHA_HARE_URL` and `DEMO_ALPHA_HARE_WS_URL`. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Starts a server for one mind; src/io/fake-provider.ts has one. */
export type StartServer = (
  mind: FakeProvider,
  now: () => number,
) => Promise<{ readonly url: string; readonly wsUrl: string; stop(): Promise<void> }>;

/** What the demo is started with; the same seed gives the same schedule after the start. */
export interface DemoOptions {
  readonly seed: number;
  /** Epoch ms; block timestamps follow it. */
  readonly now: () => number;
  readonly startServer: StartServer;
}

/** Starts both chains and all their providers. */
export async function startDemoWorld(options: DemoOptions): Promise<DemoWorld> {
  const { seed, now, startServer } = options;
  const startMs = now();
  const minds = DEMO_CHAINS.flatMap(({ name, chainId, blockTimeMs, providers }) => {
    const chain = new FakeChain({ seed, chainId, blockTimeMs, startMs });
    return Object.entries(providers).map(([id, faults]) => ({
      chain: name,
      id,
      mind: new FakeProvider({
        id,
        chain,
        faults: { maxLogBlocks: MAX_LOG_BLOCKS, ...faults },
        seed,
        startMs,
      }),
    }));
  });
  const servers = await Promise.all(
    minds.map(async ({ chain, id, mind }) => ({ chain, id, ...(await startServer(mind, now)) })),
  );
  const env: Record<string, string> = {};
  for (const { chain, id, url, wsUrl } of servers) {
    const name = `DEMO_${chain}_${id}`.toUpperCase();
    env[`${name}_URL`] = url;
    env[`${name}_WS_URL`] = wsUrl;
  }
  return {
    providers: servers.map(({ chain, id, url, wsUrl }) => ({ chain, id, url, wsUrl })),
    env,
    stop: async () => {
      await Promise.all(servers.map((server) => server.stop()));
    },
  };
}

/** The demo runs in the host's own process, and a block is made when it is asked for: 0.3 ms each. */
const MAX_LOG_BLOCKS = 50;

/** One provider of a chain is out at a time: turns of 15 s in a minute, 8 s each. */
function outage(turn: number, style: Outage["style"]): Outage {
  return { everyMs: 60_000, durationMs: 8_000, offsetMs: 20_000 + turn * 15_000, style };
}

/** The fast one, the steady one, the cheap one with limits, and the old one at the back. */
const DEMO_CHAINS: readonly {
  name: string;
  chainId: number;
  blockTimeMs: number;
  providers: Readonly<Record<string, FaultProfile>>;
}[] = [
  {
    name: "alpha",
    chainId: 31_001,
    blockTimeMs: 1_000,
    providers: {
      hare: {
        latencyMs: 4,
        jitterMs: 6,
        headDelayMs: 15,
        headJitterMs: 40,
        ratios: { status500: 0.01, truncate: 0.005 },
        outage: outage(0, "refuse"),
      },
      heron: {
        latencyMs: 12,
        jitterMs: 8,
        headDelayMs: 25,
        headJitterMs: 20,
        isArchival: true,
        maxLogBlocks: 200,
      },
      finch: {
        latencyMs: 9,
        jitterMs: 25,
        headDelayMs: 20,
        headJitterMs: 120,
        rateLimit: { requestsPerSec: 50, burst: 100, retryAfterSec: 2, style: "status" },
        ratios: { rpcError: 0.02 },
        outage: outage(2, "status503"),
      },
      tortoise: {
        latencyMs: 45,
        jitterMs: 60,
        headDelayMs: 150,
        headJitterMs: 250,
        lagBlocks: 1,
        ratios: { status500: 0.03, garbage: 0.01, hang: 0.002 },
        outage: outage(3, "hang"),
        wsDropAfterMs: 90_000,
      },
    },
  },
  {
    name: "beta",
    chainId: 31_002,
    blockTimeMs: 3_000,
    providers: {
      otter: {
        latencyMs: 6,
        jitterMs: 5,
        headDelayMs: 30,
        headJitterMs: 60,
        ratios: { reset: 0.005 },
        outage: outage(1, "refuse"),
      },
      badger: { latencyMs: 18, jitterMs: 10, headDelayMs: 40, headJitterMs: 40, isArchival: true },
      magpie: {
        latencyMs: 8,
        jitterMs: 30,
        headDelayMs: 20,
        headJitterMs: 200,
        rateLimit: { requestsPerSec: 40, burst: 80, retryAfterSec: 2, style: "body429" },
        ratios: { rpcError: 0.01, drip: 0.002 },
        outage: outage(3, "status503"),
      },
      snail: {
        latencyMs: 80,
        jitterMs: 80,
        headDelayMs: 300,
        headJitterMs: 600,
        ratios: { status500: 0.04, truncate: 0.01 },
        outage: outage(0, "hang"),
        wsDropAfterMs: 120_000,
      },
    },
  },
];
