import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { HealthInput } from "../../src/ops/health.ts";
import { openApiDocument } from "../../src/ops/openapi.ts";
import { createOpsRoutes, type OpsReply, type OpsRequest } from "../../src/ops/routes.ts";
import { providerVerdict } from "../../src/ops/status.ts";
import { CLUSTER } from "./cluster-support.ts";
import { bookOf } from "./evidence-support.ts";
import { busyGateway } from "./requests-support.ts";
import { chain, down, endpoint, host, processes, provider } from "./views.ts";

const evil = `<img src=x onerror="alert('1')">&`;

const base: HealthInput = {
  region: "local",
  version: "0.1.0",
  nowMs: 10_000,
  isDraining: false,
  isRootAlive: true,
  isConfigLoaded: true,
  isListening: true,
  endpoints: { all: 4, tried: 4 },
  chains: [
    chain("alpha"),
    chain("beta", {
      chainId: 2,
      aliases: [],
      tip: -1,
      providers: [
        provider("dead", { http: endpoint(down), ws: undefined, role: "backup" }),
        provider("new", { head: -1, lag: undefined, race: undefined, calls: undefined }),
      ],
      skipped: [{ id: "keyless", reason: "ALCHEMY_KEY is not set" }],
    }),
  ],
  alerts: [{ id: "x", severity: "critical", message: "beta: trouble", hint: "paceline tree" }],
  host,
  processes,
};

const routesOf = (input: HealthInput = base) =>
  createOpsRoutes({
    health: () => input,
    renderMetrics: () => Promise.resolve({ contentType: "text/plain", text: "m 1\n" }),
    requests: busyGateway().explainer,
    redact: (text) => text.replaceAll("c4n4ry", "***"),
    evidence: (name) => bookOf(name === "beta" ? "dead" : "p1", "new"),
    cluster: CLUSTER,
    wallNow: () => Date.parse("2026-01-01T00:00:10.000Z"),
  });

const ask = async (path: string, more: Partial<OpsRequest> = {}, input?: HealthInput) => {
  const [pathname = "", query = ""] = path.split("?");
  const reply = await routesOf(input)({
    method: "GET",
    path: pathname,
    query: new URLSearchParams(query),
    host: "127.0.0.1:8080",
    ...more,
  });
  if (reply === undefined) throw new Error(`${path} is not an operator's path`);
  return reply;
};

const jsonOf = async (path: string): Promise<any> => JSON.parse((await ask(path)).body);

describe("GET /", () => {
  it("shows chains, tips, provider states, why, and commands that name this host", async () => {
    const { body, headers, status } = await ask("/");
    expect(status).toBe(200);
    expect(headers["content-type"]).toBe("text/html; charset=utf-8");
    for (const text of [
      "alpha",
      "beta",
      "healthy",
      "breaker open, probe in 5 s",
      "keyless (ALCHEMY_KEY is not set)",
      "beta: trouble",
      "curl -s http://127.0.0.1:8080/rpc/alpha",
      "wscat -c ws://127.0.0.1:8080/rpc/beta",
      "npx paceline tree",
    ]) {
      expect(body).toContain(text);
    }
  });

  it("escapes everything that comes from outside", async () => {
    const input: HealthInput = {
      ...base,
      region: evil,
      chains: [
        chain(evil, {
          providers: [
            provider(evil, {
              http: endpoint({ isUsable: false, unusableReason: evil }),
              ws: undefined,
            }),
          ],
        }),
      ],
      alerts: [{ id: "x", severity: "warning", message: evil, hint: evil }],
    };
    const { body } = await ask("/", { host: `evil"><script>` }, input);
    expect(body).not.toContain("<img");
    expect(body).not.toContain("<script");
    expect(body).toContain("http://localhost/rpc/");
  });

  it("needs no script and no other origin, and its policy allows exactly its style", async () => {
    const { body, headers } = await ask("/");
    const style = /<style>([\s\S]*)<\/style>/.exec(body)?.[1] ?? "";
    const hash = createHash("sha256").update(style).digest("base64");
    expect(headers["content-security-policy"]).toContain(
      `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'`,
    );
    expect(body).not.toMatch(/<script|<link|<img|style="|https?:\/\/(?!127\.0\.0\.1:8080)/);
    expect(body.match(/<style>/g)).toHaveLength(1);
  });

  it("masks a key that a reason quotes, on the page and in every JSON answer", async () => {
    const row = endpoint({ isUsable: false, unusableReason: "401 for key c4n4ry" });
    const chains = [chain("alpha", { providers: [provider("p", { http: row, ws: undefined })] })];
    for (const path of ["/", "/api/v1/chains", "/api/v1/chains/alpha", "/health", "/readyz"]) {
      const { body } = await ask(path, {}, { ...base, chains });
      expect(body, path).not.toContain("c4n4ry");
    }
    expect((await ask("/", {}, { ...base, chains })).body).toContain("401 for key ***");
  });

  it("says what to do when no chain runs", async () => {
    const { body } = await ask("/", {}, { ...base, chains: [], alerts: [] });
    expect(body).toContain("No chain runs");
  });
});

describe("REST", () => {
  it("lists chains with providers and their states", async () => {
    const body = await jsonOf("/api/v1/chains");
    expect(body.chains.map(({ name, state }: any) => [name, state])).toEqual([
      ["alpha", "ok"],
      ["beta", "degraded"],
    ]);
    expect(body.chains[0].providers[0]).toMatchObject({
      id: "p1",
      state: "healthy",
      http: { breaker: "closed", usable: true },
      ws: { breaker: "closed", connection: "connected" },
      head: 100,
      p50_ms: 21,
      wins: 8,
      races: 10,
    });
    expect(body.chains[1].providers[0]).toMatchObject({
      id: "dead",
      state: "open",
      http: { breaker: "open", usable: false, retry_in_ms: 5_000 },
      ws: null,
    });
    expect(body.chains[1].tip.number).toBeNull();
  });

  it("tells what a provider cannot serve, and which errors no rule knows", async () => {
    const capabilities = [
      { kind: "method", method: "debug_*", limit: 0 },
      { kind: "range", method: "eth_getLogs", limit: 2_000, untilMs: base.nowMs + 60_000 },
      { kind: "state", limit: 17_000_000, untilMs: base.nowMs + 5 },
    ];
    const unmatched = [
      { code: -32000, text: "the moon is full", count: 3, provider: "p1", method: "eth_call" },
    ];
    const limited = chain("alpha", { providers: [provider("p1", { capabilities })], unmatched });
    const reply = await ask("/api/v1/chains/alpha", {}, { ...base, chains: [limited] });
    const body = JSON.parse(reply.body);
    expect(body.providers[0].capabilities).toEqual([
      { kind: "method", method: "debug_*", limit: 0, expires_in_ms: null },
      { kind: "range", method: "eth_getLogs", limit: 2_000, expires_in_ms: 60_000 },
      { kind: "state", method: null, limit: 17_000_000, expires_in_ms: 5 },
    ]);
    expect(body.unmatched_errors).toEqual(unmatched);
  });

  it("answers one chain by name and alias, its leaderboard, and 404 with the names that run", async () => {
    expect((await jsonOf("/api/v1/chains/main")).name).toBe("alpha");
    const board = await jsonOf("/api/v1/chains/alpha/leaderboard");
    expect(board.leaderboard[0]).toMatchObject({ provider: "p1", rank: 1, win_ratio: 0.8 });
    const missing = await ask("/api/v1/chains/gamma/leaderboard");
    expect(missing.status).toBe(404);
    expect(JSON.parse(missing.body)).toEqual({
      error: 'no chain "gamma"; running: alpha, beta',
      success: false,
    });
  });

  it("refuses other methods with 405 and unknown API paths with 404", async () => {
    const post = await ask("/api/v1/chains", { method: "POST" });
    expect(post.status).toBe(405);
    expect(post.headers["allow"]).toBe("GET, HEAD");
    expect((await ask("/api/v1/nothing")).status).toBe(404);
    expect((await ask("/api/v1/chains/%E0%A4%A")).status).toBe(404);
  });

  it("leaves paths that are not the operator's to others", () => {
    const request = { method: "GET", query: new URLSearchParams(), host: undefined };
    expect(routesOf()({ ...request, path: "/rpc/alpha" })).toBeUndefined();
    expect(routesOf()({ ...request, path: "/favicon.ico" })).toBeUndefined();
  });

  it("serves health, readiness and metrics with their statuses", async () => {
    for (const path of ["/livez", "/startupz", "/readyz", "/readyz?chain=alpha", "/health"]) {
      expect((await ask(path)).status, path).toBe(200);
    }
    expect((await ask("/readyz?chain=alpha&min=3")).status).toBe(503);
    expect((await ask("/metrics")).body).toBe("m 1\n");
    expect((await ask("/metrics/")).status).toBe(200);
  });

  it("answers 503 when the metrics cannot be rendered", async () => {
    const routes = createOpsRoutes({
      health: () => base,
      renderMetrics: () => Promise.reject(new Error("gave up")),
      requests: busyGateway().explainer,
      redact: (text) => text,
      evidence: () => undefined,
      cluster: CLUSTER,
      wallNow: () => 0,
    });
    const request = {
      method: "GET",
      path: "/metrics",
      query: new URLSearchParams(),
      host: undefined,
    };
    expect(((await routes(request)) as OpsReply).status).toBe(503);
  });
});

describe("the API of requests", () => {
  it("explains a request, or a call that is not made, and lists the slow ones", async () => {
    expect(await jsonOf("/api/v1/requests/bad-one")).toMatchObject({ reason: "exhausted" });
    expect((await ask("/api/v1/requests/nobody")).status).toBe(404);
    const dry = "/api/v1/chains/eth/explain?method=eth_call&params=[]&provider=b";
    expect(await jsonOf(dry)).toMatchObject({ outcome: "dry_run", provider: "b" });
    const slow = await jsonOf("/api/v1/requests/slow?since=1&limit=5");
    expect(slow).toMatchObject({ total: 1, entries: [{ why: "failed" }] });
  });

  it.each([
    ["/api/v1/chains/eth/explain", 400],
    ["/api/v1/chains/nowhere/explain?method=eth_call", 404],
    ["/api/v1/chains/eth/explain?method=eth_call&provider=nobody", 404],
    ["/api/v1/chains/eth/explain?method=eth_call&transport=smoke", 400],
    ["/api/v1/chains/eth/explain?method=eth_call&params={", 400],
    ["/api/v1/requests/slow?limit=1001", 400],
    ["/api/v1/requests/slow?since=-1", 400],
  ])("%s: %i", async (path, status) => {
    expect((await ask(path)).status).toBe(status);
  });
});

describe("openapi.json", () => {
  const document = openApiDocument("0.1.0") as any;
  const filled = (path: string, name: string): string =>
    path
      .replace("{chain}/explain", "ethereum/explain?method=eth_call&transport=http")
      .replace("{chain}", name)
      .replace("{id}", "slow-one");

  it("describes every path that is routed, and only those", async () => {
    for (const path of Object.keys(document.paths)) {
      const reply = await ask(filled(path, "alpha"));
      expect(reply.status, path).toBe(200);
    }
    expect(Object.keys(document.paths)).toHaveLength(17);
  });

  const check = (schema: any, value: unknown, at: string): string[] => {
    if (schema.$ref)
      return check(document.components.schemas[schema.$ref.split("/").at(-1)], value, at);
    if (schema.anyOf) {
      const problems = schema.anyOf.map((one: any) => check(one, value, at));
      return problems.some((found: string[]) => found.length === 0) ? [] : problems[0];
    }
    const types = [schema.type].flat();
    const actual =
      value === null
        ? "null"
        : Array.isArray(value)
          ? "array"
          : Number.isInteger(value)
            ? "integer"
            : typeof value;
    const fits = types.includes(actual) || (actual === "integer" && types.includes("number"));
    if (schema.type !== undefined && !fits) return [`${at}: ${actual} is not ${types.join("|")}`];
    if (schema.enum && !schema.enum.includes(value))
      return [`${at}: ${String(value)} is not in the enum`];
    if (actual === "array")
      return (value as unknown[]).flatMap((one, n) => check(schema.items, one, `${at}[${n}]`));
    if (actual !== "object") return [];
    const record = value as Record<string, unknown>;
    const missing = (schema.required ?? []).filter((key: string) => !(key in record));
    const known = Object.entries(schema.properties ?? {}).filter(
      ([key]) => record[key] !== undefined,
    );
    return [
      ...missing.map((key: string) => `${at}.${key} is missing`),
      ...known.flatMap(([key, one]) => check(one, record[key], `${at}.${key}`)),
    ];
  };

  it("has schemas that the answers satisfy", async () => {
    for (const path of Object.keys(document.paths)) {
      const content = document.paths[path].get.responses["200"].content["application/json"];
      if (content === undefined || path === "/openapi.json") continue;
      const body = await jsonOf(filled(path, "beta"));
      expect(check(content.schema, body, path)).toEqual([]);
    }
  });
});

describe("the state of a provider", () => {
  const stateOf = (more: Parameters<typeof provider>[1]) =>
    providerVerdict(provider("p", more), 3, 10_000).state;

  it("is one word that matches what is measured", () => {
    expect(stateOf({})).toBe("healthy");
    expect(stateOf({ ws: endpoint(down) })).toBe("degraded");
    expect(stateOf({ http: endpoint(down), ws: endpoint(down) })).toBe("open");
    expect(stateOf({ http: endpoint(down), ws: endpoint({ state: "half_open" }) })).toBe(
      "half_open",
    );
    expect(stateOf({ ws: undefined, http: endpoint({ cooldownUntilMs: 12_000 }) })).toBe(
      "rate_limited",
    );
    expect(stateOf({ ws: undefined, http: endpoint({ suspect: true }) })).toBe("suspect");
    expect(stateOf({ lag: 4 })).toBe("lagging");
    expect(stateOf({ head: -1, lag: undefined, calls: undefined })).toBe("unknown");
    expect(stateOf({ http: undefined, ws: undefined })).toBe("unusable");
    const untried = endpoint({ isUsable: false, unusableReason: "chain id not verified yet" });
    expect(stateOf({ http: untried, ws: undefined })).toBe("unknown");
  });
});
