import { expect, it } from "vitest";
import { loadConfig } from "../../config/load.ts";
import { createListener } from "../../src/main/listener.ts";
import { RequestMeter } from "../../src/ops/metrics/request-meter.ts";
import { EvidenceBook } from "../../src/rpc/evidence/evidence-book.ts";
import { Gateway } from "../../src/rpc/proxy/gateway.ts";
import { callChain } from "../../src/rpc/proxy/front/own-call.ts";
import { buildSnapshot } from "../../src/rpc/routing.ts";
import { createChainState } from "../../src/rpc/chain-state.ts";
import { createSelectionMemory } from "../../src/rpc/selection/sticky.ts";

it("counts clients' calls as work that a drain waits for, and questions of our own not", async () => {
  const loaded = loadConfig({
    file: "t.yaml",
    text: 'listen: { port: 0 }\nchains: { eth: { chain_id: 1, providers: [{ id: a, url: "http://a.test/" }] } }',
    env: {},
    readFile: () => "",
  });
  if (!loaded.ok) throw new Error(loaded.errors[0]?.message);
  const { config } = loaded;
  const [chain] = config.chains;
  if (chain === undefined) throw new Error("no chain");
  const state = createChainState({
    config: chain,
    evidence: new EvidenceBook({ chain: "eth" }),
    memory: createSelectionMemory(),
    hub: {
      subscribe: async () => ({ ok: false, code: 0, message: "" }),
      resume: () => Promise.resolve({ ok: false, code: -1, message: "" }),
      unsubscribe: async () => false,
      drop: () => {},
    },
    report: () => {},
    onConnect: () => {},
  });
  const row = state.rows("a").http;
  row.isUsable = true;
  // A provider that never answers.
  state.attach(row, { transport: "http", send: () => ({ abort: () => {}, resume: () => {} }) });
  state.snapshot = buildSnapshot(state, 1, 0);
  const gateway = new Gateway({
    chains: { find: () => state, names: () => ["eth"] },
    now: () => 0,
    random: () => 0,
    randomHex: () => "0".repeat(32),
    nextRequestId: () => "r",
    emit: () => {},
    observer: new RequestMeter(),
    redact: (text) => text,
    isDraining: () => false,
    clientVersion: "test",
  });
  const listener = createListener({ config, gateway, onRequest: () => {} });
  await listener.open();
  const giveUp = callChain(gateway.engine, state, "eth_blockNumber", [], () => {});
  expect(gateway.inFlight).toBe(1);
  expect(listener.inFlight).toBe(0);
  giveUp();
  await listener.close();
});
