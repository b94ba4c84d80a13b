/**
 * Fake providers in a process of their own: `node fakes.ts CHAINS PROVIDERS LATENCY_MS` prints one
 * line of JSON with their addresses, then serves until it is killed.
 */
import { startFakeServer } from "../../src/io/fake-provider.ts";
import { FakeChain } from "../../src/rpc/fake/chain.ts";
import { FakeProvider } from "../../src/rpc/fake/provider.ts";

const [chains = 1, providers = 1, latencyMs = 1] = process.argv.slice(2).map(Number);
const startMs = Date.now();
const found: { chain: number; url: string; wsUrl: string }[] = [];
for (let index = 0; index < chains; index++) {
  const chainId = 1_001 + index;
  const chain = new FakeChain({ seed: 1, chainId, blockTimeMs: 1_000, startMs });
  for (let at = 0; at < providers; at++) {
    const id = `p${at}`;
    const mind = new FakeProvider({ id, chain, faults: { latencyMs }, seed: at, startMs });
    const { url, wsUrl } = await startFakeServer(mind, Date.now);
    found.push({ chain: chainId, url, wsUrl });
  }
}
console.log(JSON.stringify(found));
