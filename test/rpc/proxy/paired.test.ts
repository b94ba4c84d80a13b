/** Calls of consumers who are paired with some of a chain's providers. */
import { describe, expect, it } from "vitest";
import type { PairingDoor } from "../../../src/rpc/clients/paired-callers.ts";
import type { PairedList } from "../../../src/rpc/selection/paired.ts";
import { gateOf, keyOf } from "../clients/config.ts";
import { cachingWorld, servedAs } from "./sharing/world.ts";
import { type FakeReply, type Script, world, type World, type WorldOptions } from "./support.ts";

const listOf = (ids: readonly string[], more: Partial<PairedList> = {}): PairedList => {
  const { onExhausted = "error" } = more;
  const key = `${onExhausted} ${ids.toSorted().join()}`;
  const about = { consumer: "acme", epoch: 7, revision: 0, seed: "5eed", mode: "top" };
  return { ...about, ids, members: new Set(ids), onExhausted, key, ...more };
};

const doorOf = (
  lists: Readonly<Record<string, PairedList>>,
  more: Partial<PairingDoor> = {},
): PairingDoor => ({
  consumer: "header",
  unlisted: "market",
  has: (chain) => chain === "ethereum",
  listOf: (consumer, chain) => (chain === "ethereum" ? lists[consumer] : undefined),
  ...more,
});

const body = (method = "eth_call", params: unknown = [{}, "latest"]): string =>
  JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });

const JSON_TYPE = ["Content-Type", "application/json"];
const as = (consumer: string): readonly string[] => [...JSON_TYPE, "X-Paceline-Consumer", consumer];

const paired = (
  lists: Readonly<Record<string, PairedList>>,
  options: WorldOptions = {},
  more: Partial<PairingDoor> = {},
): World => world({ ...options, deps: { pairing: doorOf(lists, more), ...options.deps } });

const post = (w: World, consumer: string, text = body(), url?: string): FakeReply =>
  w.post(text, url, as(consumer));

const askedOf = (w: World): string[] =>
  w.upstreams.flatMap(({ calls }, i) => calls.map(() => w.rows[i]?.provider ?? ""));

const failing: Script = (call) => call.fail("reset");

describe("a paired caller", () => {
  it("is served by the providers of its list only, in the order of live evidence", () => {
    const w = paired({ acme: listOf(["c", "b"]) });
    const reply = post(w, "acme");
    expect(reply.headers["x-paceline-provider"]).toBe("b");
    expect(reply.headers["x-paceline-pairing"]).toBe("list;epoch=7");
    expect(post(w, "somebody else").headers["x-paceline-provider"]).toBe("a");
  });

  it("may be paired with vendors, and with whatever endpoints they have", () => {
    const vendors = { a: "x", b: "y", c: "y" };
    const w = paired({ acme: listOf(["y"]) }, { vendors });
    expect(post(w, "acme").headers["x-paceline-provider"]).toBe("b");
  });

  it("fails over within its list, and is told when nobody of it is left", () => {
    const w = paired({ acme: listOf(["b", "c"]) }, { script: failing });
    const reply = post(w, "acme");
    expect(new Set(askedOf(w))).toEqual(new Set(["b", "c"]));
    expect(reply.json.error).toMatchObject({ code: -32002, data: { reason: "exhausted" } });
    expect(reply.json.error.data.pairing).toEqual({
      consumer: "acme",
      epoch: 7,
      members: ["b", "c"],
    });
  });

  it("gets an error with the reason when no breaker of its list is closed", () => {
    const w = paired({ acme: listOf(["b"]) });
    Object.assign(w.rows[1] ?? {}, { state: "open", openUntilMs: 60_000, forced: true });
    Object.assign(w.wsRows[1] ?? {}, { state: "open", openUntilMs: 60_000, forced: true });
    const reply = post(w, "acme");
    expect(reply.status).toBe(503);
    expect(reply.json.error).toMatchObject({ code: -32002, data: { reason: "pairing_exhausted" } });
    expect(reply.json.error.message).toContain("1 open");
    expect(reply.json.error.message).toContain("2 outside the pairing list");
    expect(askedOf(w)).toEqual([]);
  });

  it("gets an error that says so when its list is empty", () => {
    const reply = post(paired({ acme: listOf([]) }), "acme");
    expect(reply.json.error.message).toBe(
      "the pairing list of acme for eth_call on ethereum is empty in epoch 7",
    );
    expect(reply.json.error.data.reason).toBe("pairing_exhausted");
  });

  it("is served by all, and told so, when it may leave an exhausted list", () => {
    const w = paired({ acme: listOf(["c"], { onExhausted: "market" }) });
    w.upstreams[2]!.script = failing;
    const reply = post(w, "acme");
    expect(reply.status).toBe(200);
    expect(askedOf(w)).toEqual(["a", "c"]);
    expect(reply.headers["x-paceline-pairing"]).toBe("market;epoch=7");
    expect(post(paired({ acme: listOf([], { onExhausted: "market" }) }), "acme").status).toBe(200);
  });

  it("does not leave its list by naming a provider", () => {
    for (const onExhausted of ["error", "market"] as const) {
      const w = paired({ acme: listOf(["c"], { onExhausted }) });
      for (const url of ["/rpc/provider/a/ethereum", "/rpc/ethereum?provider=a"]) {
        const reply = post(w, "acme", body(), url);
        expect(reply.json.error.data.reason).toBe("pairing_exhausted");
      }
      const leaving = post(w, "acme", body(), "/rpc/ethereum?provider=a&failover=on");
      expect(leaving.headers["x-paceline-provider"]).toBe("c");
      expect(new Set(askedOf(w))).toEqual(new Set(["c"]));
    }
  });

  it("is asked by its key where keys name consumers, whatever a header says", () => {
    const w = paired({ acme: listOf(["c"]), evil: listOf(["a"]) }, {}, { consumer: "key" });
    w.gateway.configure(gateOf({ keys: [keyOf("right", { id: "acme" })] }));
    const reply = w.post(body(), undefined, [...as("evil"), "X-Paceline-Key", "right"]);
    expect(reply.headers["x-paceline-provider"]).toBe("c");
  });

  it("is served by the list of now: the next one holds for the next call", () => {
    const lists: Record<string, PairedList> = { acme: listOf(["b"]) };
    const w = paired(lists);
    expect(post(w, "acme").headers["x-paceline-provider"]).toBe("b");
    lists["acme"] = listOf(["c"], { epoch: 8 });
    expect(post(w, "acme").headers["x-paceline-provider"]).toBe("c");
  });

  it("sends each call of a batch, and a transaction, to its list", () => {
    const w = paired({ acme: listOf(["c"]) }, { script: (call) => call.result('"0x1"') });
    post(w, "acme", `[${body("eth_gasPrice")},${body("eth_getBalance", ["0x1", "latest"])}]`);
    const raw =
      "0xf86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555c9f3dc64214b297fb1966a3b6d83";
    post(w, "acme", body("eth_sendRawTransaction", [raw]));
    expect(askedOf(w).length).toBeGreaterThanOrEqual(2);
    expect(new Set(askedOf(w))).toEqual(new Set(["c"]));
  });

  it("is the same caller on a WebSocket for as long as it is open", () => {
    const lists: Record<string, PairedList> = { acme: listOf(["b"]) };
    const w = paired(lists);
    const admission = w.gateway.ws.admit("/ws/ethereum", ["X-Paceline-Consumer", "acme"]);
    if (!admission.ok) throw new Error(admission.body);
    const sent: string[] = [];
    const sink = {
      isOpen: true,
      bufferedBytes: 0,
      send: (bytes: Buffer) => void sent.push(bytes.toString()),
      close: () => undefined,
      pause: () => undefined,
      resume: () => undefined,
    };
    const { route, entered } = admission;
    const session = w.gateway.ws.open(route, sink as never, "ws://x", entered);
    session.onMessage(Buffer.from(body()));
    lists["acme"] = listOf(["c"], { epoch: 8 });
    session.onMessage(Buffer.from(body("eth_getBalance", ["0x1", "latest"])));
    expect(askedOf(w)).toEqual(["b", "c"]);
    expect(sent).toHaveLength(2);
  });

  it("without a list is refused where only listed callers are served", () => {
    const w = paired({ acme: listOf(["a"]) }, {}, { unlisted: "error" });
    expect(post(w, "acme").status).toBe(200);
    const reply = post(w, "other");
    expect(reply.status).toBe(403);
    expect(reply.json.error.data.reason).toBe("no_pairing_list");
    expect(w.post(body()).json.error.message).toContain("names no consumer");
    expect(w.gateway.ws.admit("/ws/ethereum", []).ok).toBe(false);
  });

  it("sends no copies of its reads to providers outside of its list", () => {
    const w = paired({ acme: listOf(["a"]) }, { probed: ["b", "c"], random: () => 0 });
    post(w, "acme");
    expect(new Set(askedOf(w))).toEqual(new Set(["a"]));
    post(w, "other");
    expect(askedOf(w).length).toBeGreaterThan(2);
  });
});

describe("what callers share", () => {
  const held: Script = () => undefined;

  it("is shared by consumers of equal lists, and by no others", () => {
    const w = paired(
      {
        one: listOf(["b", "c"], { consumer: "one" }),
        two: listOf(["c", "b"], { consumer: "two" }),
        three: listOf(["b"], { consumer: "three" }),
      },
      { script: held },
    );
    for (const consumer of ["one", "two"]) post(w, consumer);
    expect(askedOf(w)).toEqual(["b"]);
    post(w, "three");
    post(w, "nobody");
    expect(askedOf(w).toSorted()).toEqual(["a", "b", "b"]);
  });

  it("is no kept answer of a provider outside of the list", () => {
    const lists = { acme: listOf(["b"]), twin: listOf(["b"]) };
    const w = cachingWorld({ deps: { pairing: doorOf(lists) } });
    const text = body("eth_call", [{ to: "0xab" }, "0x384"]);
    expect(servedAs(post(w, "other", text))).toBe("MISS");
    expect(servedAs(post(w, "other", text))).toBe("HIT");
    const own = post(w, "acme", text);
    expect([servedAs(own), own.headers["x-paceline-provider"]]).toEqual(["MISS", "b"]);
    expect(servedAs(post(w, "twin", text))).toBe("HIT");
  });
});

describe("the explanation of a paired call", () => {
  it("names the list, its epoch, and who was left out", () => {
    const w = paired({ acme: listOf(["b", "gone"], { members: new Set(["b"]) }) });
    const reply = post(w, "acme", body(), "/rpc/ethereum?include_meta=body");
    const { pairing, excluded } = reply.json.paceline;
    expect(pairing).toEqual({
      consumer: "acme",
      epoch: 7,
      revision: 0,
      seed: "5eed",
      mode: "top",
      ids: ["b", "gone"],
      gone: ["gone"],
      left_out: ["a", "c"],
      served_by: "list",
    });
    expect(
      excluded.map((row: { provider: string; rule: string }) => [row.provider, row.rule]),
    ).toEqual([
      ["a", "pairing"],
      ["c", "pairing"],
    ]);
  });

  it("may be asked for without a call, for any consumer that has a list", () => {
    const w = paired({ acme: listOf(["c"]) });
    const ask = (consumer: string) =>
      w.gateway.explainer.method({ chain: "ethereum", method: "eth_call", consumer });
    const answer = ask("acme");
    expect(answer.ok && [answer.record.provider, answer.record.pairing?.epoch]).toEqual(["c", 7]);
    expect(ask("nobody").ok).toBe(false);
    expect(askedOf(w)).toEqual([]);
  });
});

describe("a gateway that pairs nobody", () => {
  it("does not look at the header, and tells of no list", () => {
    const w = world();
    const reply = post(w, "acme", body(), "/rpc/ethereum?include_meta=body");
    expect(reply.headers["x-paceline-provider"]).toBe("a");
    expect(reply.headers["x-paceline-pairing"]).toBeUndefined();
  });
});
