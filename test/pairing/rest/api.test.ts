import { describe, expect, it } from "vitest";
import { PAIRING_ROUTES } from "../../../src/pairing/rest/routes.ts";
import { PAIRING_SCHEMAS, type PairingSchema } from "../../../src/pairing/rest/schemas.ts";
import { MARKET } from "../support.ts";
import { startApi, type Answer } from "./support.ts";

const M = `/api/v1/markets/${MARKET}`;
const US = { address: "us", stake: 50_000, location: "US-East-1", features: ["HTTP", "gRPC"] };
const EU = { address: "eu", stake: "9007199254740993", location: "EU-West-1", features: ["HTTP"] };

const fits = (answer: Answer, schema: PairingSchema): void => {
  expect(PAIRING_SCHEMAS[schema].safeParse(answer.body).error?.issues ?? []).toEqual([]);
};

describe("the pairing interface", () => {
  it("replaces, adds, shows and takes out providers", async () => {
    const { ask } = await startApi();
    const put = await ask("PUT", `${M}/providers`, [US, EU]);
    expect(put.status).toBe(200);
    expect(put.body.data).toMatchObject({ accepted: 2, rejected: [], size: 2 });
    fits(put, "Loaded");
    const page = await ask("GET", `${M}/providers?limit=1`);
    fits(page, "ProviderPage");
    expect(page.body.data).toMatchObject({ total: 2, next: expect.any(Number) });
    const one = await ask("GET", `${M}/providers/eu`);
    expect(one.body).toEqual({ success: true, data: EU });
    const added = await ask("POST", `${M}/providers`, { stake: 1, location: "x", features: [] });
    fits(added, "Loaded");
    expect(added.body.data.provider.address).toMatch(/^provider_/);
    expect((await ask("GET", `${M}/locations`)).body.data).toEqual({
      "US-East-1": 1,
      "EU-West-1": 1,
      x: 1,
    });
    const gone = await ask("DELETE", `${M}/providers/us`);
    expect(gone.body.data).toEqual(US);
    expect((await ask("GET", `${M}/providers/us`)).status).toBe(404);
    const empty = await ask("DELETE", `${M}/providers`);
    expect(empty.body.data.size).toBe(0);
  });

  it("pairs a policy, with survivors by filter where asked to explain", async () => {
    const { ask } = await startApi();
    await ask("PUT", `${M}/providers`, [US, EU]);
    const policy = { requiredLocation: "US-East-1", requiredFeatures: ["grpc"], minStake: 10 };
    const plain = await ask("POST", `${M}/pairings`, { policy });
    fits(plain, "Pairing");
    expect(plain.body.data).toMatchObject({ filtered: 1, ranked: 1, cache: "miss" });
    expect(plain.body.data.providers).toEqual([
      {
        address: "us",
        score: expect.any(Number),
        stake: 50_000,
        location: "US-East-1",
        components: { stake: expect.any(Number), location: 1, features: 1 },
      },
    ]);
    const explained = await ask("POST", `${M}/pairings`, {
      policy,
      explain: true,
      top: 1,
      seed: 7,
    });
    fits(explained, "Pairing");
    expect(explained.body.data.survivors).toMatchObject([
      { filter: "location", count: 1 },
      { filter: "features", count: 1 },
      { filter: "stake", count: 1 },
    ]);
  });

  it("says that nobody satisfies a policy and why, again from what it kept", async () => {
    const { ask } = await startApi();
    await ask("PUT", `${M}/providers`, [US, EU]);
    const policy = { requiredLocation: "Mars" };
    for (const cache of ["miss", "hit"]) {
      const { status, body } = await ask("POST", `${M}/pairings`, { policy });
      expect(status).toBe(200);
      expect(body.data).toMatchObject({ providers: [], filtered: 0, blockedBy: "location", cache });
    }
  });

  it("lists every filter that refuses a provider, the policy in the query or in the body", async () => {
    const { ask } = await startApi();
    await ask("PUT", `${M}/providers`, [US, EU]);
    const policy = { requiredLocation: "EU-West-1", requiredFeatures: ["SOAP"], minStake: 60_000 };
    const query = new URLSearchParams({ address: "us", policy: JSON.stringify(policy) });
    const fields = "address=us&requiredLocation=EU-West-1&requiredFeatures=SOAP&min_stake=60000";
    const answers = [
      await ask("GET", `${M}/pairings/why?${query.toString()}`),
      await ask("GET", `${M}/pairings/why?${fields}`),
      await ask("GET", `${M}/pairings/why`, { address: "us", policy }),
    ];
    for (const answer of answers) {
      fits(answer, "WhyNot");
      const { refusals } = answer.body.data as { refusals: { filter: string }[] };
      expect(refusals.map(({ filter }) => filter)).toEqual(["location", "features", "stake"]);
    }
  });

  it("answers a batch in its order, with an error in its place", async () => {
    const { ask } = await startApi();
    await ask("PUT", `${M}/providers`, [US]);
    const batch = [{ policy: {} }, { minStake: -1 }, { requiredLocation: "US-East-1" }];
    const answer = await ask("POST", `${M}/pairings/batch`, batch);
    fits(answer, "PairingResults");
    expect(answer.body.data.results).toMatchObject([
      { error: null, filteredCount: 1 },
      { error: expect.stringContaining("minimum stake cannot be negative"), topProviders: [] },
      { error: null, filteredCount: 1 },
    ]);
  });

  it("shows in a batch and from the queue what each filter leaves, where it is asked to explain", async () => {
    const { ask, node } = await startApi();
    await ask("PUT", `${M}/providers`, [US, EU]);
    const policy = { requiredLocation: "US-East-1", minStake: 60_000 };
    const sent = [
      { policy: { minStake: 1 }, explain: true },
      { policy: { minStake: 1 } },
      { policy },
    ];
    const shown = [
      [{ filter: "stake", count: 2, alone: 0, sole: 0, transient: false }],
      undefined,
      [
        { filter: "location", count: 1, alone: 1, sole: 1, transient: false },
        { filter: "stake", count: 0, alone: 1, sole: 1, transient: false },
      ],
    ];
    const batch = await ask("POST", `${M}/pairings/batch`, sent);
    await ask("POST", `${M}/pairings/queue`, sent);
    await node.advance(10);
    for (const answer of [batch, await ask("GET", "/api/v1/pairing/results")]) {
      fits(answer, "PairingResults");
      const { results } = answer.body.data;
      expect(results.map((one: { survivors?: unknown }) => one.survivors)).toEqual(shown);
    }
  });

  it("queues requests, refuses those without room by their places, and gives results once", async () => {
    const { ask } = await startApi({ queue: 2, workers: 0 });
    await ask("PUT", `${M}/providers`, [US]);
    const batch = [{ policy: {} }, { policy: { nonsense: 1 } }, { policy: {} }, { policy: {} }];
    const answer = await ask("POST", `${M}/pairings/queue`, batch);
    expect(answer.status).toBe(202);
    fits(answer, "Enqueued");
    expect(answer.body.data).toEqual({
      accepted: 2,
      rejected: [
        { index: 1, error: expect.stringContaining("unknown field") },
        { index: 3, error: "queue is full" },
      ],
    });
    const other = await startApi({ workers: 1 });
    await other.ask("PUT", `${M}/providers`, [US]);
    await other.ask("POST", `${M}/pairings/queue`, [{ policy: {} }]);
    await other.node.advance(10);
    const results = await other.ask("GET", "/api/v1/pairing/results");
    fits(results, "PairingResults");
    expect(results.body.data.count).toBe(1);
    expect((await other.ask("GET", "/api/v1/pairing/results")).body.data.count).toBe(0);
  });

  it("has requests wait for room as long as they are told to, or until their sender is gone", async () => {
    const { api, ask, node } = await startApi({ queue: 1, workers: 0 });
    await ask("PUT", `${M}/providers`, [US]);
    const body = Buffer.from(JSON.stringify([{ policy: {} }, { policy: {} }]));
    const request = { method: "POST", path: `${M}/pairings/queue`, query: "timeout=2s", body };
    const timedOut = api.handle(request);
    await node.advance(1_999);
    expect((await ask("GET", "/api/v1/pairing/stats")).body.data.queue_stats.size).toBe(1);
    await node.advance(1);
    expect((await timedOut).body).toMatchObject({
      data: {
        accepted: 1,
        rejected: [{ index: 1, error: "timeout while enqueueing policy" }],
      },
    });
    const sender = new AbortController();
    const abandoned = api.handle({
      ...request,
      body: Buffer.from('[{"policy":{}}]'),
      signal: sender.signal,
    });
    await node.advance(10);
    sender.abort();
    await node.advance(10);
    expect((await abandoned).body).toMatchObject({
      data: { accepted: 0, rejected: [{ index: 0, error: "aborted" }] },
    });
  });

  it("shows what a market, the service and a policy come to, and begins counts anew", async () => {
    const { ask } = await startApi();
    await ask("PUT", `${M}/providers`, [US, EU]);
    await ask("POST", `${M}/pairings`, { policy: {} });
    const stats = await ask("GET", `${M}/stats`);
    fits(stats, "MarketStats");
    expect(stats.body.data).toMatchObject({ total_processed: 1, provider_count: 2 });
    const service = await ask("GET", "/api/v1/pairing/stats");
    fits(service, "PairingStats");
    const filters = await ask("GET", `${M}/filter-stats?requiredLocation=US-East-1`);
    expect(filters.body.data).toMatchObject({ initial: 2, LocationFilter: 1, StakeFilter: 1 });
    const scoring = await ask("GET", `${M}/scoring-stats`);
    fits(scoring, "ScoringStats");
    expect(scoring.body.data.count).toBe(2);
    expect((await ask("POST", "/api/v1/pairing/stats/reset")).body.data).toBe("reset");
    expect((await ask("GET", `${M}/stats`)).body.data.total_processed).toBe(0);
    const markets = await ask("GET", "/api/v1/markets");
    fits(markets, "Markets");
    expect(markets.body.data.markets).toMatchObject([{ market: MARKET, providers: 2 }]);
  });

  it("changes weights, and the next pairing uses them", async () => {
    const { ask } = await startApi();
    await ask("PUT", `${M}/providers`, [US, EU]);
    const scoring = await ask("GET", `${M}/scoring`);
    fits(scoring, "Scorings");
    const policy = { prefer: { location: "US-East-1" } };
    const first = await ask("POST", `${M}/pairings`, { policy, top: 1 });
    expect(first.body.data.providers[0].address).toBe("us");
    const set = await ask("PUT", `${M}/scoring/pairing`, { weights: { stake: 1, location: 0 } });
    fits(set, "Scoring");
    const second = await ask("POST", `${M}/pairings`, { policy, top: 1 });
    expect(second.body.data.providers[0].address).toBe("eu");
  });

  it("knows its paths, says what else a path may be asked, and takes HEAD for GET", async () => {
    const { ask } = await startApi();
    expect(await ask("PATCH", `${M}/providers`)).toMatchObject({
      status: 405,
      allow: "PUT, POST, DELETE, GET",
      body: { code: "PAIRING_BAD_METHOD", success: false },
    });
    expect((await ask("GET", `${M}/nothing`)).status).toBe(404);
    expect((await ask("HEAD", "/api/v1/markets")).status).toBe(200);
    expect((await ask("GET", "/api/v1/markets/none/providers")).body).toMatchObject({
      success: false,
      code: "PAIRING_UNKNOWN_MARKET",
      error: "there is no market none",
    });
  });

  it("takes what it describes, in each spelling and as a bare policy", async () => {
    const { ask } = await startApi();
    const [first, ...others] = PROVIDERS_SENT;
    expect(PAIRING_SCHEMAS.PairingProviders.safeParse(PROVIDERS_SENT).success).toBe(true);
    await ask("PUT", `${M}/providers`, others);
    expect(await ask("POST", `${M}/providers`, first)).toMatchObject({ status: 200 });
    const bodies = ["PairingRequest", "PairingPolicy"] as const;
    expect(PAIRING_ROUTES.pair.body).toEqual(bodies);
    for (const body of REQUESTS_SENT) {
      expect(await ask("POST", `${M}/pairings`, body)).toMatchObject({ status: 200 });
      expect(bodies.some((name) => PAIRING_SCHEMAS[name].safeParse(body).success)).toBe(true);
    }
    expect(PAIRING_SCHEMAS.PairingPolicies.safeParse(REQUESTS_SENT).success).toBe(true);
    const batch = await ask("POST", `${M}/pairings/batch`, REQUESTS_SENT);
    const errors = batch.body.data.results.map(({ error }: { error: unknown }) => error);
    expect(errors).toEqual(REQUESTS_SENT.map(() => null));
  });

  it("takes each question of a query that it describes", async () => {
    const { ask } = await startApi();
    await ask("PUT", `${M}/providers`, [US, EU]);
    const why = Object.keys(PAIRING_ROUTES.whyNot.query);
    expect(why.toSorted()).toEqual([...Object.keys(WHY_ASKED), "policy"].toSorted());
    const query = new URLSearchParams(WHY_ASKED).toString();
    const answer = await ask("GET", `${M}/pairings/why?${query}`);
    fits(answer, "WhyNot");
    expect(answer.body.data).toMatchObject({
      isPicked: false,
      rank: 2,
      components: { stake: 0.05 },
    });
  });

  it("has no two routes for one method and path", () => {
    const keys = Object.values(PAIRING_ROUTES).map(({ method, path }) => `${method} ${path}`);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

const PROVIDERS_SENT = [
  US,
  { ...EU, address: "" },
  { stake: "+7", location: "EU" },
  { address: "zero", stake: 0, location: "EU", features: [] },
];

const REQUESTS_SENT = [
  { policy: {} },
  {
    policy: { requiredLocation: "US-*", requiredFeatures: ["http"], minStake: "9007199254740993" },
  },
  { policy: { required_location: "", required_features: [], min_stake: 1 }, top: 1 },
  { policy: { prefer: { location: "EU", features: ["x"] }, relaxed: true }, topN: 2, mode: "top" },
  { policy: {}, top_n: 3, strategy: "weighted", seed: "s", explain: true },
  { policy: {}, mode: "round-robin", seed: -1, weights: { stake: 0 }, profile: "pairing-strict" },
  { requiredLocation: "US-East-1" },
  {},
];

const WHY_ASKED = {
  address: "us",
  requiredLocation: "",
  requiredFeatures: "HTTP",
  minStake: "9",
  top: "1",
  strategy: "pairing-strict",
};
