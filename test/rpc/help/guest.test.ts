/** Calls that another region has passed on, at the door of this one. */
import { describe, expect, it } from "vitest";
import type { ClientsConfig } from "../../../config/schema.ts";
import { helperCandidate, helperId } from "../../../src/rpc/help/helping-regions.ts";
import type { Admission, GuestCall, HelpDoor } from "../../../src/rpc/help/ports.ts";
import { ScriptedUpstream, type WorldOptions, world } from "../proxy/support.ts";
import { rowOf } from "../rows.ts";

const HEADERS = ["Content-Type", "application/json", "X-Paceline-Help", "ticket"];
const body = (method = "eth_call", params: unknown = []): string =>
  JSON.stringify({ jsonrpc: "2.0", id: 7, method, params });

/** A door that believes the ticket `ticket`. */
const doorOf = () => {
  const seen: GuestCall[] = [];
  const counter = { inFlight: 0 };
  const door: HelpDoor = {
    admit: (ticket, call): Admission => {
      seen.push(call);
      if (ticket !== "ticket") return { ok: false, reason: "help_refused", message: "no" };
      if (!call.isSafe) return { ok: false, reason: "help_refused", message: "only reads" };
      return { ok: true, region: "eu", timeoutMs: 2_000, counter };
    },
  };
  return { door, seen, counter };
};

const hosting = (options: WorldOptions = {}) => {
  const made = doorOf();
  return { ...made, w: world({ ...options, deps: { helpDoor: made.door, ...options.deps } }) };
};

const KEYS_ONLY: ClientsConfig = {
  keys: [],
  anonymous: {
    allowed: false,
    rate: undefined,
    units: { perSecond: undefined, perDay: undefined, perMonth: undefined },
    concurrent: undefined,
    connections: undefined,
    subscriptions: undefined,
  },
  perIp: undefined,
  trustedProxies: [],
  unitsByMethod: {},
};

describe("a call of another region", () => {
  it("is served on its ticket alone, where clients need a key, and charged to nobody", () => {
    const { w, counter } = hosting({ script: () => undefined });
    w.gateway.configure({ clients: KEYS_ONLY, cors: { origins: [], maxAgeMs: 0 }, profiles: {} });
    expect(w.post(body()).status).toBe(401);
    const reply = w.post(body(), "/rpc/ethereum", HEADERS);
    expect(counter.inFlight).toBe(1);
    w.upstreams[0]?.calls[0]?.result('"0x1"');
    expect(reply.json).toEqual({ jsonrpc: "2.0", id: 7, result: "0x1" });
    expect(counter.inFlight).toBe(0);
    expect(w.gateway.explainer.request("req2")?.help).toEqual({
      by: null,
      because: null,
      for: "eu",
    });
  });

  it("has the time that its ticket names", () => {
    const { w } = hosting({ script: () => undefined });
    const reply = w.post(body(), "/rpc/ethereum", HEADERS);
    w.advance(2_100);
    expect(reply.json.error.data.reason).toBe("deadline");
  });

  it("is given up when the other region leaves", () => {
    const { w, counter } = hosting({ script: () => undefined });
    const reply = w.post(body(), "/rpc/ethereum", HEADERS);
    reply.onGone?.();
    expect(w.upstreams[0]?.calls[0]?.isAborted).toBe(true);
    expect(counter.inFlight).toBe(0);
  });

  it("is passed on no further, whatever this region lacks", () => {
    const row = rowOf(helperId("ap"), 20, { region: "ap" });
    const ap = new ScriptedUpstream((asked) => asked.result('"0x1"'));
    const helpers = { candidates: [helperCandidate(row)], maxInFlight: 9 };
    const { w } = hosting({ chain: { helpers } });
    w.live.set(row, ap);
    for (const one of [...w.rows, ...w.wsRows]) one.isUsable = false;
    const reply = w.post(body(), "/rpc/ethereum", HEADERS);
    expect(reply.status).toBe(503);
    expect(reply.json.error).toMatchObject({ code: -32002, data: { reason: "no_provider" } });
    expect(reply.json.error.message).not.toContain("region");
    expect(ap.calls).toEqual([]);
    // A client's call is passed on.
    expect(w.post(body()).json.result).toBe("0x1");
  });

  it("never waits for a call of this region that waits for the other one", () => {
    const row = rowOf(helperId("eu"), 20, { region: "eu" });
    const eu = new ScriptedUpstream(() => undefined);
    const helpers = { candidates: [helperCandidate(row)], maxInFlight: 9 };
    const { w } = hosting({ chain: { helpers } });
    w.live.set(row, eu);
    for (const one of [...w.rows, ...w.wsRows]) one.isUsable = false;
    w.post(body());
    expect(eu.calls).toHaveLength(1);
    expect(w.post(body(), "/rpc/ethereum", HEADERS).status).toBe(503);
  });

  it.each([
    ["a transaction", body("eth_sendRawTransaction", ["0x00"])],
    ["a batch", `[${body()}]`],
    ["a notification", '{"jsonrpc":"2.0","method":"eth_call","params":[]}'],
    ["a filter", body("eth_newBlockFilter")],
    ["what is no call", "{"],
  ])("is refused when it is %s", (_, text) => {
    const { w, seen } = hosting();
    const reply = w.post(text, "/rpc/ethereum", HEADERS);
    expect(reply.status).toBe(403);
    expect(reply.json.error.data.reason).toBe("help_refused");
    expect(seen).toMatchObject([{ isSafe: false, chain: "ethereum", chainId: 1 }]);
    expect(w.upstreams[0]?.calls).toEqual([]);
  });

  it("is refused with another ticket, and with any where nobody is helped", () => {
    const { w } = hosting();
    const forged = [...HEADERS.slice(0, 3), "forged"];
    expect(w.post(body(), "/rpc/ethereum", forged).status).toBe(403);
    const off = world();
    const reply = off.post(body(), "/rpc/ethereum", HEADERS);
    expect(reply.status).toBe(403);
    expect(reply.json.error).toMatchObject({ code: 4100, data: { reason: "help_refused" } });
    for (const { upstreams } of [w, off]) expect(upstreams[0]?.calls).toEqual([]);
  });
});
