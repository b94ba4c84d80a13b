import { describe, expect, it } from "vitest";
import { circuitBreaker, circuitBreakerKey } from "../../../actors/rpc/circuit-breaker.ts";
import { providerPool, providerPoolKey } from "../../../actors/rpc/provider-pool.ts";
import type { ProviderConfig } from "../../../config/schema.ts";
import {
  child,
  createVirtualNode,
  defineActor,
  supervisor,
  type ChildSpec,
} from "../../../src/otp/index.ts";
import type { AttemptOutcome } from "../../../src/rpc/chain-view.ts";
import type { ChainState } from "../../../src/rpc/chain-state.ts";
import { chainConfig, chainState } from "./kit.ts";

const key = providerPoolKey("eth");
const stub = defineActor({ name: "test/provider", init: (id: string) => ({ id }) });

const start = async (state: ChainState = chainState()) => {
  const node = createVirtualNode({ seed: 3 });
  const opened: string[] = [];
  const closed: string[] = [];
  const provider = (_state: ChainState, config: ProviderConfig): ChildSpec =>
    supervisor(`provider:${config.id}`, { children: [child(stub, config.id, { id: config.id })] });
  await node.start(
    supervisor("root", {
      intensity: 10,
      children: [
        supervisor("providers", { register: "eth/providers", intensity: 10, children: [] }),
        child(
          providerPool,
          {
            state,
            supervisor: "eth/providers",
            provider,
            openHttp: (_chain, { id }) => {
              opened.push(id);
              return {
                transport: "http",
                send: () => ({ abort: () => {}, resume: () => {} }),
                close: () => void closed.push(id),
              };
            },
          },
          { register: key },
        ),
      ],
    }),
  );
  await node.advance(20);
  const running = (): readonly string[] =>
    node.inspector
      .processes()
      .map(({ name }) => name)
      .filter((name) => name.startsWith("provider:"))
      .sort();
  const verify = async (...ids: readonly string[]): Promise<void> => {
    for (const id of ids) node.via(key).cast.verified({ provider: id, transport: "http" });
    await node.settle();
  };
  return { node, state, opened, closed, running, verify };
};

const limited = (state: ChainState, retryAfterMs?: number): AttemptOutcome => {
  const row = state.rows("a").http;
  const { generation } = row;
  const errorClass = "rate_limit";
  return { row, generation, method: "eth_call", errorClass, durationMs: 1, retryAfterMs };
};

describe("the provider pool", () => {
  it("starts a subtree and a pool per provider, and trusts none before it has named its chain", async () => {
    const { state, opened, running, verify } = await start();
    expect(running()).toEqual(["provider:a", "provider:b"]);
    expect(opened).toEqual(["a", "b"]);
    expect(state.rows("a").http.isUsable).toBe(false);
    await verify("a");
    expect(state.rows("a").http.isUsable).toBe(true);
    expect(state.rows("b").http.unusableReason).toContain("not verified");
  });

  it("quarantines a provider on another chain until it is verified again", async () => {
    const { node, state, verify } = await start();
    const told: unknown[] = [];
    node.telemetry.attach("test", ["provider.quarantined"], ({ fields }) => told.push(fields));
    await verify("a");
    node.via(key).cast.wrongChain({ provider: "a", transport: "http", seen: 5 });
    await node.settle();
    expect(state.rows("a").http).toMatchObject({
      isUsable: false,
      unusableReason: "wrong chain: 5 instead of 1",
    });
    expect(told).toHaveLength(1);
    await verify("a");
    expect(state.rows("a").http.isUsable).toBe(true);
  });

  it("releases a quarantined breaker also when the first word was lost with its process", async () => {
    const { node, state, verify } = await start();
    const row = state.rows("a").http;
    node.via(key).cast.wrongChain({ provider: "a", transport: "http", seen: 999 });
    await node.settle();
    // The breaker is down while the pool learns that the chain is right after all.
    Object.assign(row, { state: "open", forced: true, openUntilMs: Number.POSITIVE_INFINITY });
    await verify("a");
    const args = { state, provider: "a", transport: "http" } as const;
    const register = circuitBreakerKey("eth", "a", "http");
    await node.drive(
      node.supervisor("eth/providers")?.startChild(child(circuitBreaker, args, { register })) ??
        Promise.reject(new Error("no supervisor")),
    );
    expect(row.state).toBe("open");
    await node.advance(250);
    expect(row).toMatchObject({ state: "closed", forced: false, isUsable: true });
    // An operator's word afterwards stands.
    await node.drive(node.via(register).call.force({ action: "open" }));
    await node.advance(2_000);
    expect(row).toMatchObject({ state: "open", forced: true });
  });

  it("rests a rate-limited endpoint, longer each time, until a call succeeds again", async () => {
    const { node, state } = await start();
    const row = state.rows("a").http;
    const restsFor = async (): Promise<number> => {
      const nowMs = node.nowMs();
      node.via(key).cast.outcome(limited(state));
      await node.settle();
      const rest = row.cooldownUntilMs - nowMs;
      await node.advance(rest + 1);
      return rest;
    };
    const first = await restsFor();
    expect(first).toBeGreaterThanOrEqual(900);
    expect(first).toBeLessThanOrEqual(1_100);
    expect(await restsFor()).toBeGreaterThan(1_700);
    row.successes += 1;
    expect(await restsFor()).toBeLessThanOrEqual(1_100);
  });

  it("obeys Retry-After", async () => {
    const { node, state } = await start();
    node.via(key).cast.outcome(limited(state, 7_000));
    await node.settle();
    expect(state.rows("a").http.cooldownUntilMs).toBe(node.nowMs() + 7_000);
  });

  it("rebuilds the snapshot at once when something changed and each second otherwise", async () => {
    const { node, state } = await start();
    await node.advance(2_000);
    const before = state.snapshot?.version ?? 0;
    node.via(key).cast.changed();
    await node.advance(250);
    expect(state.snapshot?.version).toBe(before + 1);
    await node.advance(3_000);
    expect(state.snapshot?.version).toBeGreaterThanOrEqual(before + 3);
    expect(state.snapshot?.version).toBeLessThanOrEqual(before + 5);
  });

  it("adopts pools, cells and children after its own death", async () => {
    const { node, state, opened, closed, running, verify } = await start();
    await verify("a", "b");
    node.via(key).cast.outcome(limited(state, 60_000));
    await node.settle();
    const { cooldownUntilMs } = state.rows("a").http;
    const pids = node.inspector.processes().map(({ pid }) => pid);
    node.inspector.exit(key.name, "kill");
    await node.advance(20);
    expect(opened).toEqual(["a", "b"]);
    expect(closed).toEqual([]);
    expect(state.rows("a").http).toMatchObject({ isUsable: true, cooldownUntilMs });
    expect(running()).toEqual(["provider:a", "provider:b"]);
    const survivors = node.inspector.processes().filter(({ pid }) => pids.includes(pid));
    expect(survivors.length).toBe(pids.length - 1);
  });

  it("stops, when it is back, a provider that was removed while it was down", async () => {
    const { node, state, closed, running } = await start();
    state.config = chainConfig(["a"]);
    node.inspector.exit(key.name, "kill");
    await node.advance(100);
    expect(running()).toEqual(["provider:a"]);
    expect(closed).toEqual(["b"]);
    expect(state.upstream(state.rows("b").http)).toBeUndefined();
  });

  it("starts all providers again when their supervisor has died", async () => {
    const { node, running } = await start();
    node.inspector.exit("eth/providers", "kill");
    await node.advance(100);
    expect(running()).toEqual(["provider:a", "provider:b"]);
  });

  it("holds one monitor on its supervisor, however often it looks at it", async () => {
    const { node } = await start();
    for (let i = 0; i < 50; i += 1) await node.drive(node.via(key).call.configure({ renewed: [] }));
    expect(node.inspector.info(key.name)?.monitors).toHaveLength(1);
    node.inspector.exit("eth/providers", "kill");
    await node.advance(100);
    expect(node.inspector.info(key.name)?.monitors).toHaveLength(1);
  });

  it("adds, removes and renews exactly the providers that a reload names", async () => {
    const { node, state, opened, closed, running } = await start();
    const pidOf = (name: string) =>
      node.inspector.processes().find((process) => process.name === name)?.pid;
    const before = { a: pidOf("provider:a"), b: pidOf("provider:b") };
    state.config = chainConfig(["a", "c"]);
    await node.drive(node.via(key).call.configure({ renewed: [] }));
    expect(running()).toEqual(["provider:a", "provider:c"]);
    expect(pidOf("provider:a")).toBe(before.a);
    expect(closed).toEqual(["b"]);
    expect(opened).toEqual(["a", "b", "c"]);
    await node.drive(node.via(key).call.configure({ renewed: ["a"] }));
    expect(pidOf("provider:a")).not.toBe(before.a);
    expect(closed).toEqual(["b", "a"]);
  });

  it("forgets the quarantine of a provider that was removed: who comes back starts anew", async () => {
    const { node, state, verify } = await start();
    const row = state.rows("b").http;
    node.via(key).cast.wrongChain({ provider: "b", transport: "http", seen: 999 });
    Object.assign(row, { state: "open", forced: true, openUntilMs: Number.POSITIVE_INFINITY });
    const { generation } = row;
    const { config } = state;
    state.config = { ...config, providers: config.providers.slice(0, 1) };
    await node.drive(node.via(key).call.configure({ renewed: [] }));
    state.config = config;
    await node.drive(node.via(key).call.configure({ renewed: [] }));
    expect(row).toMatchObject({ state: "closed", forced: false, isUsable: false });
    // What is still on its way to the old endpoint says nothing about the new one.
    expect(row.generation).toBeGreaterThan(generation);
    await verify("b");
    expect(row.isUsable).toBe(true);
    await node.stop();
  });

  it("keeps a cordoned provider connected but unusable, whatever it answers", async () => {
    const config = chainConfig();
    const [first, ...others] = config.providers;
    const cordoned = { ...(first as ProviderConfig), cordoned: true };
    const { state, verify, running } = await start(
      chainState({ ...config, providers: [cordoned, ...others] }),
    );
    await verify("a", "b");
    expect(running()).toContain("provider:a");
    expect(state.rows("a").http).toMatchObject({ isUsable: false, unusableReason: "cordoned" });
    expect(state.rows("b").http.isUsable).toBe(true);
  });
});
