import { describe, expect, it } from "vitest";
import { createOpsRoutes, type OpsReply } from "../../src/ops/routes.ts";
import { EvidenceBook } from "../../src/rpc/evidence/evidence-book.ts";
import { race } from "../rpc/evidence/races.ts";
import { CLUSTER } from "./cluster-support.ts";
import { bookOf } from "./evidence-support.ts";
import { busyGateway } from "./requests-support.ts";
import { chain, host, processes, provider } from "./views.ts";

/** 2026-01-01T00:00:10Z, ten seconds on the clock of the evidence. */
const wallMs = 1_767_225_610_000;
const nowMs = 10_000;

const start = (book: EvidenceBook | undefined = bookOf("p1", "p2")) => {
  const routes = createOpsRoutes({
    health: () => ({
      region: "local",
      version: "0.1.0",
      nowMs,
      isDraining: false,
      isRootAlive: true,
      isConfigLoaded: true,
      isListening: true,
      endpoints: { all: 2, tried: 2 },
      chains: [
        chain("alpha", {
          providers: [
            provider("p2", { rank: 2, race: undefined }),
            provider("p1", { rank: 1 }),
            provider("p0", { rank: undefined, race: undefined }),
          ],
        }),
      ],
      alerts: [],
      host,
      processes,
    }),
    renderMetrics: () => Promise.resolve({ contentType: "text/plain", text: "" }),
    requests: busyGateway().explainer,
    evidence: (name) => (name === "alpha" ? book : undefined),
    cluster: CLUSTER,
    redact: (text) => text,
    wallNow: () => wallMs,
  });
  const ask = async (path: string, ifNoneMatch?: string): Promise<OpsReply> => {
    const [pathname = "", query = ""] = path.split("?");
    const reply = await routes({
      method: "GET",
      path: `/api/v1/chains/${pathname}`,
      query: new URLSearchParams(query),
      host: undefined,
      ifNoneMatch,
    });
    if (reply === undefined) throw new Error(`${path} is not served`);
    return reply;
  };
  const jsonOf = async (path: string): Promise<any> => JSON.parse((await ask(path)).body);
  return { ask, jsonOf };
};

describe("the leaderboard", () => {
  it("shows both scores side by side, best first, who has no place last, ties by id", async () => {
    const { jsonOf } = start();
    const board = await jsonOf("alpha/leaderboard");
    expect(board).toMatchObject({ chain: "alpha", by: "rank", version: 21 });
    expect(board.leaderboard.map((row: any) => row.provider)).toEqual(["p1", "p2", "p0"]);
    expect(board.leaderboard[0]).toMatchObject({ race_score: 1, pace_score: 0.8, wins: 8 });
    const byPace = await jsonOf("alpha/leaderboard?by=pace");
    expect(byPace.leaderboard.map((row: any) => row.provider)).toEqual(["p1", "p0", "p2"]);
    expect((await jsonOf("alpha/leaderboard?by=livechain&limit=1")).leaderboard).toHaveLength(1);
  });

  it("stands beside what other regions have seen, for who asks for them", async () => {
    const { jsonOf, ask } = start();
    const { regions, leaderboard } = await jsonOf("alpha/leaderboard?region=all&limit=1");
    expect(leaderboard).toHaveLength(1);
    const first = {
      subject: "newHeads",
      provider: "hare",
      score: 0.9,
      weight: 40,
      ratio: 0.5,
      ms: 12,
    };
    expect(regions).toEqual([
      { region: "us", state: "suspected", age_ms: 4_200, leaderboard: [first] },
      { region: "ap", state: "joined", age_ms: 10, leaderboard: [] },
    ]);
    expect((await jsonOf("alpha/leaderboard?region=ap")).regions).toHaveLength(1);
    expect(await jsonOf("alpha/leaderboard")).not.toHaveProperty("regions");
    expect((await ask("alpha/leaderboard?region=")).status).toBe(400);
  });

  it("is found by an alias of the chain, and empty but well while nothing is known", async () => {
    const { jsonOf } = start(new EvidenceBook({ chain: "alpha" }));
    expect((await jsonOf("main/leaderboard")).version).toBe(0);
    expect(await jsonOf("alpha/races")).toMatchObject({ first: 1, last: 0, next: 0, races: [] });
    expect((await jsonOf("alpha/leaderboard/history")).history).toEqual([]);
  });

  it("has a history of a day, by time range", async () => {
    const { jsonOf } = start();
    const { history } = await jsonOf("alpha/leaderboard/history");
    expect(history).toMatchObject([{ at: "2026-01-01T00:00:00.000Z" }]);
    expect(history[0].leaderboard[0]).toMatchObject({ provider: "p1", wins: 10, race_score: 1 });
    expect(history[0].leaderboard[1]).toMatchObject({ provider: "p2", avg_margin_ms: 50.123 });
    for (const query of ["since=5s", "since=2026-01-01T00:00:01Z", "until=1767225599999"]) {
      expect((await jsonOf(`alpha/leaderboard/history?${query}`)).history, query).toEqual([]);
    }
    expect((await jsonOf("alpha/leaderboard/history?since=1m")).history).toHaveLength(1);
  });
});

describe("metrics", () => {
  it("are of each provider and stream, and of each provider, transport and method", async () => {
    const { races, calls, omitted } = await start().jsonOf("alpha/metrics");
    expect(races.map(({ provider, event }: any) => `${provider} ${event}`)).toEqual([
      "p1 newHeads",
      "p1 logs",
      "p2 newHeads",
      "p2 logs",
      "away logs",
    ]);
    expect(races[2]).toMatchObject({ wins: 0, losses: 9, misses: 0, avg_margin_ms: 50.123 });
    expect(races[3]).toMatchObject({ misses: 1, miss_ratio: 1 });
    expect(races[4]).toMatchObject({ races: 0, absences: 1, availability: 0, pace_score: null });
    expect(calls).toMatchObject([
      { provider: "p1", transport: "http", method: "eth_call", samples: 20, capacity: 0 },
      // A refusal for capacity is no failure.
      { provider: "p2", transport: "ws", method: "eth_call", capacity: 1, failure_ratio: 0 },
    ]);
    expect(omitted).toBe(0);
  });

  it("are filtered and bounded, and say how much was left out", async () => {
    const { jsonOf } = start();
    const p2 = await jsonOf("alpha/metrics?provider=p2&event=logs&transport=http");
    expect([p2.races.length, p2.calls.length]).toEqual([1, 0]);
    const few = await jsonOf("alpha/metrics?limit=1");
    expect([few.races.length, few.calls.length, few.omitted]).toEqual([1, 1, 5]);
  });
});

describe("races", () => {
  it("are rows of one provider and one event: won, lost by how much, missed, not connected", async () => {
    const { races, ...page } = await start().jsonOf("alpha/races?limit=5");
    expect(page).toEqual({ chain: "alpha", first: 1, last: 21, next: 21, missed: 0, reset: false });
    expect(races).toEqual([
      {
        seq: 17,
        provider: "p1",
        event: "newHeads",
        result: "win",
        margin_ms: null,
        at: expect.any(String),
      },
      {
        seq: 18,
        provider: "p2",
        event: "newHeads",
        result: "loss",
        margin_ms: 50.123,
        at: expect.any(String),
      },
      {
        seq: 19,
        provider: "p1",
        event: "logs",
        result: "win",
        margin_ms: null,
        at: expect.any(String),
      },
      {
        seq: 20,
        provider: "p2",
        event: "logs",
        result: "missed",
        margin_ms: null,
        at: expect.any(String),
      },
      {
        seq: 21,
        provider: "away",
        event: "logs",
        result: "absent",
        margin_ms: null,
        at: "2026-01-01T00:00:07.000Z",
      },
    ]);
  });

  it("give a poller every row once, filtered or not, and nothing when nothing is new", async () => {
    const { jsonOf } = start();
    for (const filter of ["", "&provider=p2", "&result=win&event=logs"]) {
      const seen: number[] = [];
      let since = 0;
      for (;;) {
        const page = await jsonOf(`alpha/races?since=${since}&limit=4${filter}`);
        seen.push(...page.races.map(({ seq }: any) => seq));
        if (page.next === since) break;
        since = page.next;
      }
      const all = await jsonOf(`alpha/races?limit=1000${filter}`);
      expect(seen).toEqual(all.races.map(({ seq }: any) => seq));
      expect(since).toBe(21);
    }
  });

  it("say what is gone, and begin anew for whoever knows numbers that do not exist", async () => {
    const book = new EvidenceBook({ chain: "alpha", maxRows: 4 });
    for (let i = 0; i < 5; i++) book.recordRaces([race()], nowMs);
    const { jsonOf } = start(book);
    expect(await jsonOf("alpha/races?since=2")).toMatchObject({ first: 7, missed: 4, next: 10 });
    const page = await jsonOf("alpha/races?since=5000");
    expect(page).toMatchObject({ reset: true, missed: 0, next: 10 });
    expect(page.races).toHaveLength(4);
  });

  it("can be asked for by time: a duration, an ISO time, ms since 1970", async () => {
    const { jsonOf } = start();
    // They took place at 7 s, two seconds before they were settled.
    for (const [since, count] of [
      ["4s", 21],
      ["2s", 0],
      ["2026-01-01T00:00:07Z", 21],
      ["2026-01-01T00:00:07.001Z", 0],
      ["1767225607000", 21],
    ] as const) {
      expect((await jsonOf(`alpha/races?since=${since}`)).races, since).toHaveLength(count);
    }
  });
});

describe("providers", () => {
  it("come by id, in pages, in one state if wanted", async () => {
    const { jsonOf } = start();
    const first = await jsonOf("alpha/providers?limit=2");
    expect(first).toMatchObject({ total: 3, next: "p1" });
    expect(first.providers.map(({ id }: any) => id)).toEqual(["p0", "p1"]);
    const second = await jsonOf(`alpha/providers?limit=2&after=${first.next}`);
    expect(second).toMatchObject({ next: null, providers: [{ id: "p2", state: "healthy" }] });
    expect((await jsonOf("alpha/providers?state=open")).total).toBe(0);
  });
});

describe("a bad question", () => {
  it.each([
    ["leaderboard?by=speed", "by", "expected one of rank, pace, livechain"],
    ["leaderboard?limit=0", "limit", "a whole number from 1 to 1000"],
    ["leaderboard?limit=1001", "limit", "a whole number from 1 to 1000"],
    ["leaderboard?limit=1&limit=2", "limit", "limit is given twice"],
    ["leaderboard?limti=5", "limti", 'did you mean "limit"?'],
    ["leaderboard?constructor=5", "constructor", "unknown parameter"],
    ["leaderboard/history?limit=301", "limit", "a whole number from 1 to 300"],
    ["leaderboard/history?since=yesterday", "since", "an ISO time or a duration"],
    ["leaderboard/history?since=2026-13-45", "since", "an ISO time or a duration"],
    ["metrics?event=blocks", "event", "expected one of newHeads, logs, newPendingTransactions"],
    ["metrics?transport=smoke", "transport", "expected one of http, ws"],
    ["metrics?method=", "method", "a name of at most 128 characters"],
    ["races?since=-1", "since", "the seq of a row"],
    ["races?since=1e3", "since", "the seq of a row"],
    [`races?provider=${"x".repeat(200)}`, "provider", "a name of at most 128 characters"],
    ["races?result=lost", "result", "expected one of win, loss"],
    ["races?page=2", "page", "known: since, limit, provider, event, result"],
    ["providers?state=fine", "state", "expected one of healthy"],
  ])("%s: 400 that names %s", async (path, field, part) => {
    const reply = await start().ask(`alpha/${path}`);
    expect(reply.status).toBe(400);
    const body = JSON.parse(reply.body);
    expect(body).toMatchObject({ field, success: false });
    expect(body.error).toContain(part);
    expect(body.error).toContain(field);
    expect(body.error.length).toBeLessThan(300);
  });

  it.each(["leaderboard", "metrics", "races", "providers", "leaderboard/history"])(
    "about a chain that does not run: 404 for %s, with those that do",
    async (path) => {
      const reply = await start().ask(`gamma/${path}`);
      expect(reply.status).toBe(404);
      expect(reply.body).toContain("running: alpha");
    },
  );
});

describe("a poller", () => {
  it("that names the answer it has gets 304 and no body until the answer is another", async () => {
    const book = bookOf("p1", "p2");
    const { ask } = start(book);
    for (const path of ["leaderboard", "metrics", "races", "providers", "leaderboard/history"]) {
      const first = await ask(`alpha/${path}`);
      const tag = first.headers["etag"];
      expect(tag, path).toMatch(/^W\/"[\w-]{22}"$/);
      expect(first.headers["cache-control"]).toBe("private, no-cache");
      const second = await ask(`alpha/${path}`, `"other", ${tag}`);
      expect(second, path).toMatchObject({ status: 304, body: "", headers: { etag: tag } });
      expect((await ask(`alpha/${path}`, '"other"')).status).toBe(200);
    }
    const before = (await ask("alpha/races")).headers["etag"];
    book.recordRaces([race()], nowMs);
    expect((await ask("alpha/races", before)).status).toBe(200);
  });
});
