import { describe, expect, it } from "vitest";
import { formatStep, planReload } from "../../config/plan.ts";
import { rebaseSteps } from "../../config/rebase.ts";
import { mustLoad } from "./support.ts";

const file = (alpha: string, beta = "{ id: b, url: 'https://b.example/' }", extra = ""): string => `
${extra}
chains:
  alpha:
    chain_id: 1
    ${alpha}
    providers:
      - { id: a1, url: "https://a1.example/key", ws_url: "wss://a1.example/" }
      - { id: a2, url: "https://a2.example/" }
  beta: { chain_id: 2, providers: [${beta}] }
`;
const plan = (from: string, to: string): string[] =>
  planReload(mustLoad(from), mustLoad(to)).steps.map(formatStep);

describe("planReload", () => {
  it("does nothing for an equal configuration, secrets and all", () => {
    expect(planReload(mustLoad(file("")), mustLoad(file("")))).toEqual({
      steps: [],
      needsHost: [],
    });
  });

  it("starts what comes, stops what goes, and leaves the rest alone", () => {
    const other = file("").replace("  beta:", "  gamma:").replace("id: a2", "id: a3");
    expect(plan(file(""), other)).toEqual([
      "stop beta",
      "stop alpha/a2",
      "start alpha/a3",
      "start gamma",
    ]);
  });

  it("restarts a whole chain only for its id, a whole provider only for its addresses", () => {
    expect(plan(file(""), file("").replace("chain_id: 1", "chain_id: 7"))).toEqual([
      "restart alpha: chain_id",
    ]);
    expect(plan(file(""), file("").replace("a1.example/key", "a1.example/other"))).toEqual([
      "restart alpha/a1: url",
    ]);
  });

  it("restarts just the processes that hold a key", () => {
    expect(plan(file(""), file("aggregation: { max_cache_size: 500 }"))).toEqual([
      "restart alpha/message-aggregator: aggregation.max_cache_size",
    ]);
    expect(plan(file(""), file("connection: { heartbeat_interval: 1s }"))).toEqual([
      "restart alpha/a1/ws-connection: connection.heartbeat_interval",
    ]);
    expect(plan(file(""), file("breaker: { failure_threshold: 3, recovery_timeout: 1s }"))).toEqual(
      [
        "restart alpha/a1/circuit-breaker: breaker.failure_threshold, breaker.recovery_timeout",
        "restart alpha/a2/circuit-breaker: breaker.failure_threshold, breaker.recovery_timeout",
      ],
    );
    expect(plan(file(""), file("health_check: { interval: 1s }"))).toEqual([
      "restart alpha/a1/probe: health_check.interval",
      "restart alpha/a2/probe: health_check.interval",
    ]);
    expect(plan(file(""), file("health_check: { timeout: 1s }"))).toEqual([
      "restart alpha/a1/probe: health_check.timeout",
      "restart alpha/a1/circuit-breaker: health_check.timeout",
      "restart alpha/a2/probe: health_check.timeout",
      "restart alpha/a2/circuit-breaker: health_check.timeout",
    ]);
  });

  it("patches what is read anew each time", () => {
    expect(plan(file(""), file("strategy: fastest"))).toEqual(["patch alpha: strategy"]);
    expect(
      plan(file(""), file("", "{ id: b, url: 'https://b.example/', priority: 1, cordoned: true }")),
    ).toEqual(["patch beta/b: priority, cordoned"]);
    expect(plan(file(""), file("", undefined, "drain: { timeout: 1s }"))).toEqual([
      "patch host: drain.timeout",
    ]);
  });

  it("names what needs a new host", () => {
    const other = file("", undefined, "listen: { port: 1 }\nregion: x\nlimits: { max_body: 1MiB }");
    expect(planReload(mustLoad(file("")), mustLoad(other)).needsHost).toEqual([
      "listen.port",
      "limits.max_body",
      "region",
    ]);
  });

  it("stops before it starts", () => {
    const actions = planReload(
      mustLoad(file("")),
      mustLoad(
        file("strategy: fastest\n    aggregation: { max_providers: 2 }")
          .replace("  beta:", "  gamma:")
          .replace("id: a2", "id: a3"),
      ),
    ).steps.map(({ action }) => action);
    expect(actions).toEqual(["stop", "stop", "patch", "restart", "start", "start"]);
  });
});

describe("rebaseSteps", () => {
  const chains = (text: string) => mustLoad(text).chains;
  const gamma = file("").replace("  beta:", "  gamma:");
  const rebased = (from: string, running: string, to: string): string[] =>
    rebaseSteps(planReload(mustLoad(from), mustLoad(to)).steps, chains(running), chains(to)).map(
      formatStep,
    );

  it("is the plan itself where its maker was right, each step once", () => {
    const other = gamma.replace("id: a2", "id: a3");
    expect(rebased(file(""), file(""), other)).toEqual(plan(file(""), other));
  });

  it("changes a chain that runs already instead of starting it", () => {
    expect(rebased(file(""), gamma, gamma)).toEqual(["stop beta"]);
    expect(rebased(file(""), gamma, gamma.replace("id: b,", "id: c,"))).toEqual([
      "stop beta",
      "stop gamma/b",
      "start gamma/c",
    ]);
  });

  it("stops what its maker never knew to run, and repeats what it names", () => {
    expect(rebased(file(""), gamma, file(""))).toEqual(["stop gamma", "start beta"]);
    const renewed = file("").replace("a1.example/key", "a1.example/other");
    expect(rebased(file(""), renewed, renewed)).toEqual(["restart alpha/a1: url"]);
  });
});
