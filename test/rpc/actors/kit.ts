/** A chain's record for tests of the processes that share it. */
import { loadConfig } from "../../../config/load.ts";
import type { ChainConfig } from "../../../config/schema.ts";
import { createChainState, type ChainState } from "../../../src/rpc/chain-state.ts";
import { EvidenceBook } from "../../../src/rpc/evidence/evidence-book.ts";
import { createSelectionMemory } from "../../../src/rpc/selection/sticky.ts";

/** Configuration of a chain `eth` with the given providers. */
export const chainConfig = (ids: readonly string[] = ["a", "b"], extra = ""): ChainConfig => {
  const providers = ids.map(
    (id) => `      - { id: ${id}, url: "http://${id}.test/", ws_url: "ws://${id}.test/" }`,
  );
  const loaded = loadConfig({
    file: "test.yaml",
    text: ["chains:", "  eth:", "    chain_id: 1", extra, "    providers:", ...providers].join(
      "\n",
    ),
    env: {},
    readFile: () => "",
  });
  if (!loaded.ok) throw new Error(loaded.errors.map(({ message }) => message).join("; "));
  const [chain] = loaded.config.chains;
  if (chain === undefined) throw new Error("no chain");
  return chain;
};

/** The record of that chain, without processes. */
export const chainState = (config: ChainConfig = chainConfig()): ChainState =>
  createChainState({
    config,
    evidence: new EvidenceBook({ chain: config.name }),
    memory: createSelectionMemory(),
    hub: {
      subscribe: async () => ({ ok: false, code: -32002, message: "no hub in this test" }),
      resume: () => Promise.resolve({ ok: false, code: -1, message: "" }),
      unsubscribe: async () => false,
      drop: () => {},
    },
    report: () => {},
    onConnect: () => {},
  });
