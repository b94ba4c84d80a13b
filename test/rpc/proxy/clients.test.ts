import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { ProfileConfig } from "../../../config/schema.ts";
import type { HubPort } from "../../../src/rpc/proxy/ports.ts";
import { anonymousOf, gateOf, keyOf } from "../clients/config.ts";
import { FakeReply, type ScriptedUpstream, world, type World } from "./support.ts";

const JSON_TYPE = ["Content-Type", "application/json"];
const call = (method = "eth_call", id: unknown = 1): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params: [] });

const withKey = (key: string): readonly string[] => [...JSON_TYPE, "X-Paceline-Key", key];

const post = (w: World, headers: readonly string[] = JSON_TYPE, body = call(), url?: string) =>
  w.post(body, url, headers);

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

describe("API keys", () => {
  const keyed = (more: Parameters<typeof keyOf>[1] = {}): World => {
    const w = world();
    w.gateway.configure(gateOf({ keys: [keyOf("right", more)] }));
    return w;
  };

  it.each([
    ["no key", JSON_TYPE, undefined],
    ["a wrong key", withKey("wrong"), undefined],
    ["a wrong bearer", [...JSON_TYPE, "Authorization", "Bearer wrong"], undefined],
    ["a wrong key in the query", JSON_TYPE, "/rpc/ethereum?key=wrong"],
  ])("refuse %s with 401 and 4100, and ask nobody", (_name, headers, url) => {
    const w = keyed();
    const reply = post(w, headers, call("eth_call", "my id"), url);
    expect(reply.status).toBe(401);
    expect(reply.headers["www-authenticate"]).toBe("Bearer");
    expect(reply.json).toMatchObject({
      id: "my id",
      error: { code: 4100, data: { reason: "unauthorised" } },
    });
    expect(w.upstreams.flatMap(({ calls }) => calls)).toEqual([]);
    expect(reply.text).not.toContain("wrong");
  });

  it.each([
    ["the header", withKey("right"), undefined],
    ["a bearer token", [...JSON_TYPE, "Authorization", "Bearer right"], undefined],
    ["the query", JSON_TYPE, "/rpc/ethereum?key=right"],
  ])("are taken from %s and never sent on", (_name, headers, url) => {
    const w = keyed();
    expect(post(w, headers, call(), url).status).toBe(200);
    const [sent] = w.upstreams.flatMap(({ calls }) => calls);
    expect(sent?.body.toString()).not.toContain("right");
  });

  it("serve callers without one where the operator allows it", () => {
    const w = world();
    w.gateway.configure(gateOf({ keys: [keyOf("right")], anonymous: anonymousOf({}) }));
    expect(post(w).status).toBe(200);
    expect(post(w, withKey("wrong")).status).toBe(401);
  });

  it("are not looked at as long as there are none", () => {
    expect(post(world(), withKey("whatever")).status).toBe(200);
  });

  it("answer a chain that a key may not use with 401 and 4100: viem repeats a 403", () => {
    const reply = post(keyed({ chains: ["base*"] }), withKey("right"));
    expect(reply.status).toBe(401);
    expect(reply.json.error).toMatchObject({ code: 4100, data: { reason: "not_allowed" } });
  });

  it("answer a method that a key may not use with -32004 over 200, as any other denied one", () => {
    const w = keyed({ methods: { allow: ["eth_get*"], deny: [] } });
    const reply = post(w, withKey("right"));
    expect(reply.status).toBe(200);
    expect(reply.json.error).toMatchObject({ code: -32004, data: { reason: "method_denied" } });
  });

  it("refuse browsers of other origins", () => {
    const w = keyed({ origins: ["https://*.good.example"] });
    const from = (origin: string) => post(w, [...withKey("right"), "Origin", origin]).status;
    expect(from("https://app.good.example")).toBe(200);
    expect(from("https://APP.good.example")).toBe(200);
    expect(from("https://evil.example")).toBe(401);
    expect(post(w, withKey("right")).status).toBe(200);
  });

  it("may be kept from using directives", () => {
    const w = keyed({ directives: false });
    const url = "/rpc/ethereum?provider=b";
    const reply = post(w, [...withKey("right"), "X-Paceline-Provider", "c"], call(), url);
    expect(reply.headers["x-paceline-provider"]).toBe("a");
  });
});

describe("limits of a caller", () => {
  const limited = (rps: number, burst: number): World => {
    const w = world();
    w.gateway.configure(gateOf({ keys: [keyOf("k", { rate: { rps, burst } })] }));
    return w;
  };

  it("answer 429 and -32005 with the time to wait, in the header rounded up to seconds", () => {
    const w = limited(0.4, 1);
    expect(post(w, withKey("k")).status).toBe(200);
    const reply = post(w, withKey("k"));
    expect(reply.status).toBe(429);
    expect(reply.json.error).toMatchObject({
      code: -32005,
      data: { reason: "rate_limited", retry_after_ms: 2_500 },
    });
    expect(reply.headers["retry-after"]).toBe("3");
    w.nowMs += 2_500;
    expect(post(w, withKey("k")).status).toBe(200);
  });

  it("charge a batch per call: those over the limit fail alone, in their places", () => {
    const w = limited(1, 3);
    const items = [1, 2, 3, 4, 5].map((id) => call("eth_call", id)).join(",");
    const reply = post(w, withKey("k"), `[${items}]`);
    expect(reply.status).toBe(200);
    expect(
      reply.json.map(({ id, error }: { id: number; error?: { code: number } }) => [
        id,
        error?.code,
      ]),
    ).toEqual([
      [1, undefined],
      [2, undefined],
      [3, undefined],
      [4, -32005],
      [5, -32005],
    ]);
  });

  it("charge calls that need no provider, too", () => {
    const w = limited(1, 1);
    expect(post(w, withKey("k"), call("eth_chainId")).status).toBe(200);
    expect(post(w, withKey("k"), call("eth_chainId")).status).toBe(429);
  });

  it("hold a caller to its calls at the same time, until they are answered or given up", () => {
    const held: (() => void)[] = [];
    const w = world({ script: (one) => held.push(() => one.result('"0x1"')) });
    w.gateway.configure(gateOf({ keys: [keyOf("k", { concurrent: 2 })] }));
    // Equal calls would share an attempt.
    const ask = (method: string) => post(w, withKey("k"), call(method));
    const [first, second] = [ask("eth_call"), ask("eth_gasPrice")];
    expect(ask("eth_call").json.error.data.reason).toBe("too_many_in_flight");
    held[0]?.();
    expect(first.status).toBe(200);
    ask("eth_call");
    expect(ask("eth_call").status).toBe(429);
    second.onGone?.();
    const last = ask("eth_estimateGas");
    held.at(-1)?.();
    expect(last.status).toBe(200);
  });

  it("hold each address for itself, whatever key it shows", () => {
    const w = world();
    w.gateway.configure(gateOf({ perIp: { rps: 1, burst: 1 }, trustedProxies: ["127.0.0.1"] }));
    const from = (address: string): number => {
      const reply = new FakeReply();
      w.gateway.http.handle(
        {
          method: "POST",
          url: "/rpc/ethereum",
          host: "h",
          isSecure: false,
          rawHeaders: [...JSON_TYPE, "X-Forwarded-For", address],
          remoteAddress: "127.0.0.1",
          body: Buffer.from(call()),
          bodyFault: undefined,
        },
        reply,
      );
      return reply.status;
    };
    expect([from("1.1.1.1"), from("1.1.1.1"), from("2.2.2.2")]).toEqual([200, 429, 200]);
    expect([from("2001:db8::1"), from("2001:db8::2")]).toEqual([200, 429]);
  });

  it("tell the operator how many were refused, not each one", () => {
    const w = limited(1, 1);
    for (let at = 0; at < 20; at++) post(w, withKey("k"));
    for (let at = 0; at < 5; at++) post(w, withKey("wrong"));
    w.advance(25_000);
    const told = w.events.filter(({ name }) => name.startsWith("rpc.client."));
    expect(told).toEqual([
      { name: "rpc.client.unauthorised", fields: { count: 5 } },
      { name: "rpc.client.refused", fields: { key: "id-k", count: 19 } },
    ]);
  });
});

describe("profiles", () => {
  const profile: ProfileConfig = {
    providers: ["b", "c"],
    strategy: undefined,
    quorum: undefined,
    rpsLimit: 100,
    burstLimit: 500,
  };
  const profiled = (more: Partial<ProfileConfig> = {}): World => {
    const w = world();
    w.gateway.configure(gateOf({}, { profiles: { eu: { ...profile, ...more } } }));
    return w;
  };
  const at = (w: World, path: string) => w.post(call(), path);

  it.each([
    ["/rpc/profile/eu/ethereum", "b"],
    ["/rpc/profile/eu/priority/ethereum", "b"],
    ["/rpc/profile/eu/provider/c/ethereum", "c"],
    ["/rpc/profile/eu/ethereum/c", "c"],
    ["/rpc/profile/eu/no-failover/ethereum", "b"],
    ["/ws/profile/eu/ethereum", "b"],
    ["/rpc/ethereum", "a"],
  ])("%s is served by %s", (path, provider) => {
    expect(at(profiled(), path).headers["x-paceline-provider"]).toBe(provider);
  });

  it("asks for the agreement that the profile demands, among its own providers; never of a write", () => {
    const w = profiled({ quorum: { agree: 2, of: 2 } });
    const reply = at(w, "/rpc/profile/eu/ethereum");
    expect(reply.json.result).toBe("0x1");
    expect(w.upstreams.map(({ calls }) => calls.length)).toEqual([0, 1, 1]);
    (w.upstreams[1] as ScriptedUpstream).script = (c) => c.result('"0x2"');
    const { error } = at(w, "/rpc/profile/eu/ethereum").json;
    expect(error).toMatchObject({ code: -32002, data: { reason: "quorum_failed" } });
    const write = '{"jsonrpc":"2.0","id":1,"method":"eth_sendRawTransaction","params":["0x01"]}';
    const sent = w.post(write, "/rpc/profile/eu/ethereum");
    expect(sent.json.error?.data?.reason).not.toBe("bad_directive");
  });

  it.each(["/rpc/profile/us/ethereum", "/rpc/profile/eu", "/rpc/profile/eu/profile/eu/ethereum"])(
    "%s is 404",
    (path) => expect(at(profiled(), path).status).toBe(404),
  );

  it("never go to a provider outside, and explain that", () => {
    const w = profiled();
    for (const upstream of w.upstreams.slice(1)) upstream.script = (one) => one.fail("reset");
    const reply = at(w, "/rpc/profile/eu/ethereum?include_meta=body");
    expect(reply.json.error.code).toBe(-32002);
    expect(w.upstreams[0]?.calls).toEqual([]);
    expect(reply.text).toContain('"rule":"profile"');
  });

  it("share one bucket among all their callers", () => {
    const w = profiled({ rpsLimit: 1, burstLimit: 2 });
    const statuses = [1, 2, 3].map(() => at(w, "/rpc/profile/eu/ethereum").status);
    expect(statuses).toEqual([200, 200, 429]);
    expect(at(w, "/rpc/ethereum").status).toBe(200);
  });

  it("hold a key to its own", () => {
    const w = world();
    w.gateway.configure(
      gateOf(
        { keys: [keyOf("k", { profile: "eu" })] },
        { profiles: { eu: profile, us: { ...profile, providers: ["a"] } } },
      ),
    );
    const served = (path: string) => w.post(call(), path, withKey("k"));
    expect(served("/rpc/ethereum").headers["x-paceline-provider"]).toBe("b");
    expect(served("/rpc/profile/us/ethereum").status).toBe(401);
  });
});

describe("browsers", () => {
  const ORIGIN = "https://app.example";
  const browsed = (...origins: string[]): World => {
    const w = world();
    w.gateway.configure(gateOf({}, { cors: { origins, maxAgeMs: 600_000 } }));
    return w;
  };
  const ask = (w: World, method: string, headers: readonly string[]): FakeReply => {
    const reply = new FakeReply();
    w.gateway.http.handle(
      {
        method,
        url: "/rpc/ethereum",
        host: "h",
        isSecure: false,
        rawHeaders: headers,
        body: Buffer.from(call()),
        bodyFault: undefined,
      },
      reply,
    );
    return reply;
  };
  const preflight = (w: World): FakeReply =>
    ask(w, "OPTIONS", [
      "Origin",
      ORIGIN,
      "Access-Control-Request-Method",
      "POST",
      "Access-Control-Request-Headers",
      "content-type,x-paceline-key,cookie",
    ]);

  it("get no leave by default", () => {
    expect(preflight(world()).status).toBe(405);
    const reply = ask(world(), "POST", [...JSON_TYPE, "Origin", ORIGIN]);
    expect(reply.status).toBe(200);
    expect(reply.headers["access-control-allow-origin"]).toBeUndefined();
  });

  it.each([
    ["https://*.example", ORIGIN, "Origin"],
    ["*", "*", undefined],
  ])(
    "of %s may read answers, errors included, and are told so beforehand",
    (glob, allowed, vary) => {
      const w = browsed(glob);
      const before = preflight(w);
      expect(before.status).toBe(204);
      expect(before.headers).toMatchObject({
        "access-control-allow-origin": allowed,
        "access-control-allow-headers": "content-type, x-paceline-key",
        "access-control-max-age": "600",
      });
      const served = ask(w, "POST", [...JSON_TYPE, "Origin", ORIGIN]);
      expect(served.headers["access-control-allow-origin"]).toBe(allowed);
      expect(served.headers["vary"]).toBe(vary);
      const refused = ask(w, "POST", ["Content-Type", "text/plain", "Origin", ORIGIN]);
      expect(refused.status).toBe(415);
      expect(refused.headers["access-control-allow-origin"]).toBe(allowed);
    },
  );

  it("may read every header of ours that an answer can carry", () => {
    const folder = join(import.meta.dirname, "../../../src/rpc/proxy");
    const sources = readdirSync(folder, { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".ts"))
      .map((name) => readFileSync(join(folder, name), "utf8"));
    const names = new Set(
      sources.flatMap((text) => text.match(/(?<=")X-Paceline-[\w-]+(?=")/g) ?? []),
    );
    expect(names.size).toBeGreaterThan(6);
    const { headers } = ask(browsed(ORIGIN), "POST", [...JSON_TYPE, "Origin", ORIGIN]);
    const exposed = headers["access-control-expose-headers"]?.split(", ") ?? [];
    expect([...names].filter((name) => !exposed.includes(name))).toEqual([]);
  });

  it("of other origins get no leave, nor a socket", () => {
    const w = browsed("https://other.example");
    expect(preflight(w).headers["access-control-allow-origin"]).toBeUndefined();
    const rawHeaders = ["Origin", ORIGIN];
    const url = "/ws/ethereum";
    expect(w.gateway.ws.admit(url, rawHeaders)).toMatchObject({ ok: false, status: 401 });
    expect(w.gateway.ws.admit(url, [])).toMatchObject({ ok: true });
  });
});

describe("sockets of clients with a key", () => {
  const KEY = ["X-Paceline-Key", "k"];

  const connect = (w: World, rawHeaders: readonly string[] = KEY) => {
    const admission = w.gateway.ws.admit("/rpc/ethereum", rawHeaders);
    if (!admission.ok) return { status: admission.status, sent: [] as any[], closed: [] as any[] };
    const sent: any[] = [];
    const closed: unknown[] = [];
    const session = w.gateway.ws.open(
      admission.route,
      {
        id: 1,
        bufferedBytes: 0,
        sentBytes: 0,
        get isOpen() {
          return closed.length === 0;
        },
        send: (text) => sent.push(JSON.parse(String(text))),
        sendFrame: () => undefined,
        close: (code, reason) => closed.push([code, reason]),
        pause: () => undefined,
        resume: () => undefined,
      },
      "ws://h/rpc/ethereum",
      admission.entered,
    );
    const say = (body: string): void => session.onMessage(Buffer.from(body));
    return { status: 101, sent, closed, say, leave: () => session.onClose() };
  };

  const keyed = (more: Parameters<typeof keyOf>[1] = {}): World => {
    const w = world();
    w.gateway.configure(gateOf({ keys: [keyOf("k", more)] }));
    return w;
  };

  it("are refused at the handshake without one, or for another chain", () => {
    expect(connect(keyed(), []).status).toBe(401);
    expect(connect(keyed({ chains: ["base"] })).status).toBe(401);
  });

  it("get the same error for each call over the limit, subscriptions included", () => {
    const { say, sent } = connect(keyed({ rate: { rps: 1, burst: 1 } }));
    say?.(call("eth_call", 1));
    say?.(call("eth_call", 2));
    say?.(JSON.stringify({ jsonrpc: "2.0", id: 3, method: "eth_subscribe", params: ["newHeads"] }));
    expect(sent).toMatchObject([
      { id: 1, result: "0x1" },
      { id: 2, error: { code: -32005, data: { reason: "rate_limited" } } },
      { id: 3, error: { code: -32005 } },
    ]);
  });

  it("are at most as many as the key may hold, and so are their subscriptions", async () => {
    let given = 0;
    const hub: HubPort = {
      subscribe: () => Promise.resolve({ ok: true, id: `0x${++given}` }),
      resume: () => Promise.resolve({ ok: false, code: -1, message: "" }),
      unsubscribe: () => Promise.resolve(true),
      drop: () => undefined,
    };
    const w = world({ hub });
    w.gateway.configure(gateOf({ keys: [keyOf("k", { connections: 2, subscriptions: 3 })] }));
    const first = connect(w);
    const second = connect(w);
    expect(connect(w).status).toBe(429);
    const subscribe = (to: typeof first, id: number): void =>
      to.say?.(JSON.stringify({ jsonrpc: "2.0", id, method: "eth_subscribe", params: ["logs"] }));
    for (const id of [1, 2]) subscribe(first, id);
    for (const id of [3, 4]) subscribe(second, id);
    await settle();
    expect(second.sent).toMatchObject([
      { id: 4, error: { code: -32005, data: { reason: "too_many_subscriptions" } } },
      { id: 3, result: "0x3" },
    ]);
    // Who leaves gives back what it held.
    first.leave?.();
    const third = connect(w);
    expect(third.status).toBe(101);
    for (const id of [5, 6, 7]) subscribe(third, id);
    await settle();
    expect(third.sent.map(({ id, error }) => [id, error?.code])).toEqual([
      [7, -32005],
      [5, undefined],
      [6, undefined],
    ]);
    second.say?.(
      JSON.stringify({ jsonrpc: "2.0", id: 8, method: "eth_unsubscribe", params: ["0x3"] }),
    );
    subscribe(third, 9);
    await settle();
    expect(third.sent.at(-1)).toMatchObject({ id: 9, result: "0x6" });
  });

  it("are closed when the key is revoked, and stay open over any other change", () => {
    const w = keyed();
    const { say, sent, closed } = connect(w);
    w.gateway.configure(gateOf({ keys: [keyOf("k", { chains: ["eth*"] }), keyOf("new")] }));
    say?.(call("eth_call", 1));
    expect(closed).toEqual([]);
    expect(sent).toMatchObject([{ id: 1, result: "0x1" }]);
    w.gateway.configure(gateOf({ keys: [keyOf("new")] }));
    expect(closed).toEqual([[1001, "API key was revoked"]]);
  });
});
