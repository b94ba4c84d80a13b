/** What must never become a wrong ranking or a stalled loop: each row a request and its answer. */
import { describe, expect, it } from "vitest";
import { MARKET } from "../support.ts";
import { startApi } from "./support.ts";

const M = `/api/v1/markets/${MARKET}`;
const US = { address: "us", stake: 50_000, location: "US-East-1", features: ["HTTP"] };
const EU = { address: "eu", stake: 40_000, location: "EU-West-1", features: ["HTTP"] };

interface Wrong {
  readonly what: string;
  readonly body: unknown;
  readonly path: string;
  readonly message?: RegExp;
  readonly status?: number;
}

const provider = (change: object) => ({ ...US, address: "new", ...change });

const PROVIDERS: readonly Wrong[] = [
  { what: "a negative stake", body: provider({ stake: -1 }), path: "stake", message: /negative/ },
  { what: "no stake", body: provider({ stake: undefined }), path: "stake", message: /missing/ },
  { what: "a stake of null", body: provider({ stake: null }), path: "stake" },
  { what: "a fraction", body: provider({ stake: 1.5 }), path: "stake", message: /whole/ },
  {
    what: "a number beyond 2^53",
    body: `{"address":"new","location":"x","features":[],"stake":9007199254740993}`,
    path: "stake",
    message: /decimal string/,
  },
  { what: "more than 64 bits", body: provider({ stake: "9223372036854775808" }), path: "stake" },
  { what: "a stake in words", body: provider({ stake: "many" }), path: "stake" },
  { what: "infinity", body: `{"address":"n","location":"x","stake":1e999}`, path: "stake" },
  { what: "no location", body: provider({ location: "" }), path: "location" },
  { what: "a location that is a number", body: provider({ location: 7 }), path: "location" },
  { what: "an empty feature", body: provider({ features: ["HTTP", " "] }), path: "features[1]" },
  { what: "a feature that is no text", body: provider({ features: [1] }), path: "features[0]" },
  { what: "features that are no list", body: provider({ features: "HTTP" }), path: "features" },
  { what: "a control character", body: provider({ location: "a\u0000b" }), path: "location" },
  { what: "half a surrogate pair", body: provider({ address: "\uD800" }), path: "address" },
  { what: "an endless name", body: provider({ address: "a".repeat(257) }), path: "address" },
  {
    what: "257 features",
    body: provider({ features: Array.from({ length: 257 }, (_, i) => `f${i}`) }),
    path: "features",
    message: /at most 256/,
  },
  { what: "an unknown field", body: provider({ speed: 9 }), path: "speed" },
  {
    what: "its prototype",
    body: `{"__proto__":1,"address":"a","stake":1,"location":"x"}`,
    path: "__proto__",
  },
  { what: "a provider that is a number", body: "7", path: "" },
  { what: "a provider that is null", body: "null", path: "", message: /nil/ },
  { what: "broken JSON", body: `{"address":`, path: "", message: /no JSON/ },
  { what: "nothing", body: "", path: "", message: /empty/ },
  {
    what: "bytes that are no text",
    body: Buffer.from([0x7b, 0xff, 0x7d]),
    path: "",
    message: /UTF-8/,
  },
];

const policy = (change: object) => ({ policy: change });

const PAIRINGS: readonly Wrong[] = [
  { what: "no policy", body: policy(null as unknown as object), path: "policy", message: /nil/ },
  { what: "a policy that is a list", body: { policy: [] }, path: "policy" },
  { what: "a negative minimum", body: policy({ minStake: -1 }), path: "policy.minStake" },
  { what: "half a minimum", body: policy({ minStake: 0.5 }), path: "policy.minStake" },
  {
    what: "a huge minimum as a number",
    body: `{"policy":{"minStake":9007199254740993}}`,
    path: "policy.minStake",
    message: /decimal string/,
  },
  {
    what: "an empty feature",
    body: policy({ requiredFeatures: [""] }),
    path: "policy.requiredFeatures[0]",
  },
  {
    what: "33 features",
    body: policy({ requiredFeatures: Array.from({ length: 33 }, (_, i) => `f${i}`) }),
    path: "policy.requiredFeatures",
  },
  {
    what: "a place that is a list",
    body: policy({ requiredLocation: ["x"] }),
    path: "policy.requiredLocation",
  },
  { what: "an unknown field", body: policy({ minimumStake: 1 }), path: "policy.minimumStake" },
  {
    what: "a field in both spellings",
    body: policy({ minStake: 1, min_stake: 6 }),
    path: "policy.min_stake",
    message: /given twice/,
  },
  { what: "an unknown option", body: { policy: {}, tops: 3 }, path: "tops" },
  { what: "two tops", body: { policy: {}, top: 3, topN: 4 }, path: "top" },
  { what: "top 0", body: { policy: {}, top: 0 }, path: "top" },
  { what: "top -1", body: { policy: {}, top: -1 }, path: "top" },
  { what: "top 65", body: { policy: {}, top: 65 }, path: "top" },
  { what: "top in words", body: { policy: {}, top: "5" }, path: "top" },
  {
    what: "a negative weight",
    body: { policy: {}, weights: { stake: -1 } },
    path: "weights.stake",
  },
  {
    what: "a weight of null",
    body: { policy: {}, weights: { stake: null } },
    path: "weights.stake",
  },
  {
    what: "an endless weight",
    body: `{"policy":{},"weights":{"stake":1e999}}`,
    path: "weights.stake",
  },
  { what: "a weight of nobody", body: { policy: {}, weights: { luck: 1 } }, path: "weights.luck" },
  { what: "weights in a list", body: { policy: {}, weights: [1] }, path: "weights" },
  { what: "an unknown profile", body: { policy: {}, profile: "none" }, path: "profile" },
  { what: "an unknown mode", body: { policy: {}, mode: "best" }, path: "mode" },
  { what: "a mode that every object has", body: { policy: {}, mode: "constructor" }, path: "mode" },
  {
    what: "a strategy that every object has",
    body: { policy: {}, strategy: "toString" },
    path: "strategy",
    message: /toString not found/,
  },
  { what: "a seed that is a list", body: { policy: {}, seed: [] }, path: "seed" },
  { what: "an endless seed", body: { policy: {}, seed: "s".repeat(129) }, path: "seed" },
  { what: "explain in words", body: { policy: {}, explain: "yes" }, path: "explain" },
  { what: "a list", body: [{ policy: {} }], path: "" },
  { what: "broken JSON", body: `{"policy":{}`, path: "", message: /no JSON/ },
];

const changed = (whatIf: unknown) => ({ policy: { minStake: 1 }, whatIf });

const WHAT_IFS: readonly Wrong[] = [
  { what: "no change", body: { policy: {} }, path: "whatIf" },
  { what: "an empty change", body: changed({}), path: "whatIf", message: /nothing/ },
  { what: "a change that is a list", body: changed([]), path: "whatIf" },
  { what: "an unknown option", body: changed({ tops: 1 }), path: "whatIf.tops" },
  { what: "a policy of null", body: changed({ policy: null }), path: "whatIf.policy" },
  {
    what: "a negative minimum",
    body: changed({ policy: { minStake: -1 } }),
    path: "whatIf.policy.minStake",
  },
  {
    what: "a negative weight",
    body: changed({ weights: { stake: -1 } }),
    path: "whatIf.weights.stake",
  },
  {
    what: "a weight of nobody",
    body: changed({ weights: { luck: 1 } }),
    path: "whatIf.weights.luck",
  },
  { what: "an unknown profile", body: changed({ profile: "none" }), path: "whatIf.profile" },
  { what: "an unknown strategy", body: changed({ strategy: "none" }), path: "whatIf.strategy" },
  { what: "an explanation", body: changed({ explain: true }), path: "whatIf.explain" },
  {
    what: "a wrong request",
    body: { policy: { minStake: -1 }, whatIf: { top: 1 } },
    path: "policy.minStake",
  },
  {
    what: "an unknown strategy of the request",
    body: { policy: {}, strategy: "none", whatIf: { top: 1 } },
    path: "strategy",
  },
  { what: "no record", body: "7", path: "" },
];

const started = async () => {
  const service = await startApi({ maxLoad: 1_000_000 });
  await service.ask("PUT", `${M}/providers`, [US, EU]);
  return service;
};

const expectWrong = (
  answer: Awaited<ReturnType<Awaited<ReturnType<typeof started>>["ask"]>>,
  { path, message, status = 400 }: Wrong,
): void => {
  expect(answer.status).toBe(status);
  expect(answer.body).toMatchObject({ success: false, code: "PAIRING_BAD_INPUT" });
  const { faults, error } = answer.body as { faults: { path: string }[]; error: string };
  expect(faults.map((fault) => fault.path)).toContain(path);
  if (faults[0]?.path !== "") expect(error).toContain(faults[0]?.path);
  if (message !== undefined) expect(error).toMatch(message);
};

describe("a wrong provider is refused with its field, and changes nothing", () => {
  for (const wrong of PROVIDERS) {
    it(wrong.what, async () => {
      const { ask, changes } = await started();
      const before = changes.length;
      expectWrong(await ask("POST", `${M}/providers`, wrong.body), wrong);
      expect(changes).toHaveLength(before);
    });
  }

  it("but features that are there twice are kept once, and shown so at once", async () => {
    const { ask } = await started();
    const features = ["gRPC", "grpc", " GRPC "];
    const added = await ask("POST", `${M}/providers`, provider({ stake: 1, features }));
    expect(added.body.data.provider.features).toEqual(["gRPC"]);
  });

  it("alone in a list that would replace the market", async () => {
    const { ask } = await started();
    const answer = await ask("PUT", `${M}/providers`, [{ ...US, stake: -5 }, 7]);
    expectWrong(answer, { what: "", body: undefined, path: "[0].stake" });
    expect((await ask("GET", `${M}/providers`)).body.data.total).toBe(2);
  });

  it("among good ones it is named by its place, and they are taken", async () => {
    const { ask } = await started();
    const list = [
      US,
      { ...EU, stake: -5 },
      { ...EU, address: "us" },
      { ...EU, features: ["a", "A"] },
    ];
    const answer = await ask("PUT", `${M}/providers`, list);
    expect(answer.status).toBe(200);
    expect(answer.body.data).toMatchObject({
      accepted: 2,
      rejected: [
        { index: 1, error: expect.stringContaining("stake") },
        { index: 2, error: "duplicate address us" },
      ],
      size: 2,
    });
  });
});

describe("a wrong request is refused with its field", () => {
  for (const wrong of PAIRINGS) {
    it(wrong.what, async () => {
      const { ask } = await started();
      expectWrong(await ask("POST", `${M}/pairings`, wrong.body), wrong);
    });
  }

  for (const wrong of WHAT_IFS) {
    it(`with a change: ${wrong.what}`, async () => {
      const { ask } = await started();
      expectWrong(await ask("POST", `${M}/pairings/what-if`, wrong.body), wrong);
    });
  }

  it("in the body of a question as well", async () => {
    const { ask } = await started();
    for (const [body, path] of [
      [[1], ""],
      [7, ""],
      [{ policy: {}, weights: { stake: -1 } }, "weights.stake"],
      [{ policy: {}, strategy: "none" }, "strategy"],
    ] as const) {
      const answer = await ask("GET", `${M}/pairings/why?address=us`, body);
      expectWrong(answer, { what: "", body, path });
    }
    expectWrong(await ask("GET", `${M}/filter-stats`, [1]), { what: "", body: 0, path: "" });
  });

  it("in a query as well", async () => {
    const { ask } = await started();
    for (const [query, path] of [
      ["", "address"],
      ["address=us&policy=%7B", "policy"],
      ["address=us&minStake=-1", "policy.minStake"],
      ["address=us&requiredFeatures=a,,b", "policy.requiredFeatures[1]"],
      ["address=us&top=0", "top"],
    ] as const) {
      const answer = await ask("GET", `${M}/pairings/why?${query}`);
      expectWrong(answer, { what: query, body: undefined, path });
    }
    for (const limit of ["9999", "0", "-1", "1e2"]) {
      const answer = await ask("GET", `${M}/providers?limit=${limit}`);
      expectWrong(answer, { what: limit, body: 0, path: "limit" });
    }
  });
});

describe("what is wrong with one of many is said with its field", () => {
  const wrong = { policy: { minStake: -1 } };
  const lost = { policy: {}, weights: { luck: 1 } };

  it("in its own result of a batch", async () => {
    const { ask } = await started();
    const { status, body } = await ask("POST", `${M}/pairings/batch`, [
      wrong,
      lost,
      { policy: {} },
      { policy: {}, strategy: "none" },
      { policy: {}, strategy: "pairing-strict" },
    ]);
    expect(status).toBe(200);
    expect(body.data.results.map(({ error }: { error: unknown }) => error)).toEqual([
      "policy.minStake: minimum stake cannot be negative",
      "weights.luck: scorer luck not found",
      null,
      "strategy: profile none not found",
      null,
    ]);
  });

  it("in what the queue refuses", async () => {
    const { ask } = await started();
    const { status, body } = await ask("POST", `${M}/pairings/queue`, [
      { policy: {} },
      wrong,
      lost,
      { policy: {}, strategy: "none" },
    ]);
    expect(status).toBe(202);
    expect(body.data).toEqual({
      accepted: 1,
      rejected: [
        { index: 1, error: "policy.minStake: minimum stake cannot be negative" },
        { index: 2, error: "weights.luck: scorer luck not found" },
        { index: 3, error: "strategy: profile none not found" },
      ],
    });
    const other = await ask("POST", "/api/v1/markets/none/pairings/queue", [{ policy: {} }]);
    expect(other).toMatchObject({ status: 404, body: { code: "PAIRING_UNKNOWN_MARKET" } });
  });

  it("in how long a request may wait for room", async () => {
    const { ask } = await started();
    for (const timeout of ["soon", "-1", "61s", "1.5", ""]) {
      const answer = await ask("POST", `${M}/pairings/queue?timeout=${timeout}`, [{ policy: {} }]);
      expectWrong(answer, { what: timeout, body: "", path: "timeout" });
    }
  });

  it("in a change of weights", async () => {
    const { ask } = await started();
    for (const [body, path] of [
      [{ weights: { stake: -1 } }, "weights.stake"],
      [{ weights: { stake: "1" } }, "weights.stake"],
      [{ weights: { luck: 1 } }, "weights.luck"],
      [{ weights: {}, weight: 1 }, "weight"],
      [{}, "weights"],
    ] as const) {
      expectWrong(await ask("PUT", `${M}/scoring/pairing`, body), { what: "", body, path });
    }
  });
});

describe("odd requests have the result that is defined for them", () => {
  it("weights that sum to zero score everybody 0, in the order of addresses", async () => {
    const { ask } = await started();
    const weights = { stake: 0, location: 0, features: 0 };
    const answer = await ask("POST", `${M}/pairings`, { policy: {}, weights });
    expect(answer.body.data.providers).toMatchObject([
      { address: "eu", score: 0 },
      { address: "us", score: 0 },
    ]);
  });

  it("repeated features and other case ask the same, from what is kept", async () => {
    const { ask } = await started();
    const pair = async (requiredFeatures: readonly string[]) =>
      (await ask("POST", `${M}/pairings`, { policy: { requiredFeatures } })).body.data;
    expect(await pair(["HTTP"])).toMatchObject({ filtered: 2, cache: "miss" });
    expect(await pair(["http", "HTTP"])).toMatchObject({ filtered: 2, cache: "hit" });
  });

  it("a stake of 0 is a stake, and the largest one is exact", async () => {
    const { ask } = await started();
    const most = "9223372036854775807";
    await ask("PUT", `${M}/providers`, [
      { ...US, stake: 0 },
      { ...EU, stake: most },
    ]);
    const answer = await ask("POST", `${M}/pairings`, { policy: { minStake: most } });
    expect(answer.body.data.providers).toMatchObject([{ address: "eu", stake: most }]);
    const all = await ask("POST", `${M}/pairings`, { policy: {} });
    for (const { score } of all.body.data.providers as { score: number }[]) {
      expect(score).toBeGreaterThanOrEqual(0);
      expect(score).toBeLessThanOrEqual(1);
    }
  });

  it("a market's name that goes into no path is refused", async () => {
    const { ask } = await started();
    const answer = await ask("PUT", "/api/v1/markets/%2e%2e%2f/providers", [US]);
    expect([400, 404]).toContain(answer.status);
  });
});

describe("an endless body does not hold the loop", () => {
  it("a million elements are read in slices, others between them", async () => {
    const { ask, turns } = await started();
    const answer = await ask("PUT", `${M}/providers`, `[${"0,".repeat(999_999)}0]`);
    expect(answer.status).toBe(400);
    expect(answer.body.faults[0]).toEqual({ path: "[0]", message: "not a record" });
    // 2 MB are 31 slices, and a thousand times a thousand elements are looked at.
    expect(turns.count).toBeGreaterThan(1_000);
  });

  it("more elements than a market may hold are refused before all of them are read", async () => {
    const { ask } = await startApi({ maxLoad: 1_000 });
    const answer = await ask("PUT", `${M}/providers`, `[${"0,".repeat(200_000)}0]`);
    expect(answer).toMatchObject({ status: 413, body: { code: "PAIRING_TOO_MANY" } });
  });

  it("a policy of a million features is not even parsed", async () => {
    const { ask } = await started();
    const features = `["x"${',"x"'.repeat(999_999)}]`;
    const answer = await ask(
      "POST",
      `${M}/pairings`,
      `{"policy":{"requiredFeatures":${features}}}`,
    );
    expect(answer).toMatchObject({ status: 413, body: { code: "PAIRING_BODY_TOO_LARGE" } });
  });

  it("neither is a batch of more than may be, nor an element beyond bounds", async () => {
    const { ask } = await startApi({ maxBatch: 10 });
    const many = await ask(
      "POST",
      `${M}/pairings/batch`,
      Array.from({ length: 11 }, () => ({})),
    );
    expect(many).toMatchObject({ status: 413, body: { code: "PAIRING_TOO_MANY" } });
    const fat = await ask("POST", `${M}/pairings/batch`, [{}, "x".repeat(70_000)]);
    expect(fat).toMatchObject({ status: 400, body: { faults: [{ path: "[1]" }] } });
  });

  it("deep nesting is refused like any other nonsense", async () => {
    const { ask } = await started();
    const deep = `${'{"policy":'.repeat(10_000)}1${"}".repeat(10_000)}`;
    expect((await ask("POST", `${M}/pairings`, deep)).status).toBe(400);
  });
});
