/** Stateful filters through the whole gateway, over providers that share one small chain. */
import { describe, expect, it } from "vitest";
import { methodInfo } from "../../../src/rpc/json-rpc/methods.ts";
import type { Call, CallSink } from "../../../src/rpc/proxy/call.ts";
import { makeCall } from "../../../src/rpc/proxy/make-call.ts";
import type { ClientSink, HubPort } from "../../../src/rpc/proxy/ports.ts";
import { world, type FakeReply, type Script, type World } from "../proxy/support.ts";

const hashOf = (n: number, branch = 0): string =>
  `0x${branch.toString(16).padStart(4, "0")}${n.toString(16).padStart(60, "0")}`;

/** What every provider knows: a chain of which a test says how high it is and which branch it is. */
class Ledger {
  height = 100;
  /** Blocks from here on are of this branch. */
  forkAt = Infinity;
  branch = 0;

  hash(n: number): string {
    return hashOf(n, n >= this.forkAt ? this.branch : 0);
  }

  block(n: number): string {
    if (n > this.height || n < 0) return "null";
    const number = `0x${n.toString(16)}`;
    return JSON.stringify({ number, hash: this.hash(n), parentHash: this.hash(n - 1) });
  }

  log(n: number): object {
    return {
      address: `0x${"11".repeat(20)}`,
      topics: [],
      data: "0x",
      blockNumber: `0x${n.toString(16)}`,
      blockHash: this.hash(n),
      transactionHash: hashOf(n, 9),
      transactionIndex: "0x0",
      logIndex: "0x0",
      removed: false,
    };
  }

  answer: Script = (call) => {
    const [what] = (call.request.params ?? []) as [unknown];
    switch (call.request.method) {
      case "eth_getBlockByNumber":
        return call.result(this.block(what === "latest" ? this.height : Number(what)));
      case "eth_getBlockByHash": {
        const n = Array.from({ length: this.height + 1 }, (_, at) => at).find(
          (at) => this.hash(at) === what,
        );
        return call.result(n === undefined ? "null" : this.block(n));
      }
      case "eth_getLogs": {
        const { blockHash, fromBlock, toBlock } = what as Record<string, string>;
        const all = Array.from({ length: this.height + 1 }, (_, n) => n).filter((n) =>
          blockHash === undefined
            ? n >= Number(fromBlock) && n <= Number(toBlock)
            : this.hash(n) === blockHash,
        );
        return call.result(JSON.stringify(all.map((n) => this.log(n))));
      }
      default:
        return call.error(-32601, "the method does not exist/is not available");
    }
  };
}

let ids = 0;
const ask = (w: World, method: string, params: unknown[] = [], url?: string): FakeReply =>
  w.post(JSON.stringify({ jsonrpc: "2.0", id: ++ids, method, params }), url);
const open = (w: World, method = "eth_newBlockFilter", params: unknown[] = []): string =>
  ask(w, method, params).json.result;
const changes = (w: World, id: string): any => ask(w, "eth_getFilterChanges", [id]).json.result;

const openOf = (w: World): number =>
  w.gateway.engine.filters.counts().reduce((sum, { count }) => sum + count, 0);

const gateway = (options: Parameters<typeof world>[0] = {}): { w: World; ledger: Ledger } => {
  const ledger = new Ledger();
  return { w: world({ script: ledger.answer, ...options }), ledger };
};

describe("a filter", () => {
  it("has an id of 128 bits that nobody asked a provider for", () => {
    const { w } = gateway();
    const id = open(w);
    expect(id).toMatch(/^0x[0-9a-f]{32}$/u);
    const asked = w.upstreams.flatMap(({ calls }) => calls.map(({ request }) => request.method));
    expect(asked).toEqual(["eth_getBlockByNumber"]);
  });

  it("for blocks tells each block once, and those that replace others", () => {
    const { w, ledger } = gateway();
    const id = open(w);
    expect(changes(w, id)).toEqual([]);
    ledger.height = 103;
    expect(changes(w, id)).toEqual([101, 102, 103].map((n) => hashOf(n)));
    expect(changes(w, id)).toEqual([]);
    ledger.forkAt = 102;
    ledger.branch = 1;
    expect(changes(w, id)).toEqual([hashOf(102, 1), hashOf(103, 1)]);
  });

  it("for logs tells what comes, and takes back what was replaced", () => {
    const { w, ledger } = gateway();
    const id = open(w, "eth_newFilter", [{ address: `0x${"11".repeat(20)}` }]);
    ledger.height = 102;
    expect(changes(w, id)).toEqual([ledger.log(101), ledger.log(102)]);
    const gone = { ...ledger.log(102), removed: true };
    ledger.forkAt = 102;
    ledger.branch = 1;
    ledger.height = 103;
    expect(changes(w, id)).toEqual([gone, ledger.log(102), ledger.log(103)]);
    expect(changes(w, id)).toEqual([]);
  });

  it("is unknown to a chain of another id that took the name of its own", () => {
    const { w } = gateway();
    const ids = [open(w), open(w, "eth_newFilter", [{}])];
    Object.assign(w.chain, { chainId: 2 });
    for (const id of ids) {
      const { error } = ask(w, "eth_getFilterChanges", [id]).json;
      expect(error.data).toMatchObject({ reason: "filter_not_found" });
      expect(ask(w, "eth_uninstallFilter", [id]).json.result).toBe(false);
    }
    expect(openOf(w)).toBe(2);
  });

  it("outlives the provider that it was opened with", () => {
    const { w, ledger } = gateway();
    const id = open(w);
    w.live.delete(w.rows[0] as never);
    ledger.height = 101;
    expect(changes(w, id)).toEqual([hashOf(101)]);
    (w.upstreams[1] as { script: Script }).script = (call) => call.fail("refused");
    ledger.height = 102;
    expect(changes(w, id)).toEqual([hashOf(102)]);
  });

  it("loses nothing when nobody can be asked, nor when the client leaves before the answer", () => {
    const { w, ledger } = gateway();
    const id = open(w);
    ledger.height = 101;
    for (const upstream of w.upstreams) upstream.script = (call) => call.fail("refused");
    expect(ask(w, "eth_getFilterChanges", [id]).json.error.code).toBe(-32002);
    for (const upstream of w.upstreams) upstream.script = () => undefined;
    const left = ask(w, "eth_getFilterChanges", [id]);
    left.isOpen = false;
    left.onGone?.();
    expect(w.gateway.inFlight).toBe(0);
    for (const upstream of w.upstreams) upstream.script = ledger.answer;
    expect(changes(w, id)).toEqual([hashOf(101)]);
  });

  it("answers polls that come at once one after the other", () => {
    const { w, ledger } = gateway();
    const id = open(w);
    ledger.height = 101;
    for (const upstream of w.upstreams) upstream.script = () => undefined;
    const polls = [1, 2, 3].map(() => ask(w, "eth_getFilterChanges", [id]));
    for (const upstream of w.upstreams) upstream.script = ledger.answer;
    const held = w.upstreams.flatMap(({ calls }) => calls).at(-1);
    if (held !== undefined) ledger.answer(held);
    expect(polls.map(({ json }) => json.result)).toEqual([[hashOf(101)], [], []]);
  });

  it("gives all its logs as eth_getLogs would, with the client's id", () => {
    const { w } = gateway();
    const filter = { fromBlock: "0x5f", toBlock: "0x60" };
    const id = open(w, "eth_newFilter", [filter]);
    const reply = w.post(
      `{"jsonrpc":"2.0","id":"\u00e9\\"x","method":"eth_getFilterLogs","params":["${id}"]}`,
    );
    expect(reply.json).toMatchObject({ id: 'é"x' });
    expect(reply.json.result.map(({ blockNumber }: any) => blockNumber)).toEqual(["0x5f", "0x60"]);
  });

  it("is unknown once uninstalled, idle, on another chain, or never made", () => {
    const { w } = gateway();
    const id = open(w);
    expect(ask(w, "eth_uninstallFilter", [id]).json.result).toBe(true);
    expect(ask(w, "eth_uninstallFilter", [id]).json.result).toBe(false);
    const idle = open(w);
    w.advance(299_000);
    expect(changes(w, idle)).toEqual([]);
    w.advance(306_000);
    for (const unknown of [id, idle, "0x1234", 5, undefined]) {
      const { error } = ask(w, "eth_getFilterChanges", [unknown]).json;
      expect(error).toMatchObject({ code: -32000, message: "filter not found" });
    }
    const blocks = open(w);
    expect(ask(w, "eth_getFilterLogs", [blocks]).json.error.code).toBe(-32000);
    expect(openOf(w)).toBe(1);
    w.advance(310_000);
    expect(openOf(w)).toBe(0);
    expect(w.gateway.engine.wheel.size).toBe(0);
  });

  it("belongs to the credential that opened it, which may have so many", () => {
    const { w } = gateway({ limits: { filtersPerClient: 2 } });
    const askAs = (id: string | undefined, method: string, params: unknown[] = []): any => {
      const call = makeCall(w.chain, method, JSON.stringify(params));
      let text = "";
      const sink: CallSink = {
        canStream: false,
        maxBytes: Infinity,
        result: () => undefined,
        text: (_facts, _status, latin1) => {
          text = latin1;
        },
        begin: () => undefined,
        write: () => true,
        end: () => undefined,
        abort: () => undefined,
      };
      const caller = id === undefined ? undefined : { id };
      w.gateway.engine.filters.serve({ ...call, caller } as Call, methodInfo(method), sink);
      return JSON.parse(text);
    };
    const mine = askAs("k1", "eth_newBlockFilter").result;
    expect(askAs("k1", "eth_getFilterChanges", [mine]).result).toEqual([]);
    for (const other of ["k2", undefined]) {
      expect(askAs(other, "eth_getFilterChanges", [mine]).error.message).toBe("filter not found");
      expect(askAs(other, "eth_uninstallFilter", [mine]).result).toBe(false);
    }
    askAs("k1", "eth_newBlockFilter");
    expect(askAs("k1", "eth_newBlockFilter").error).toMatchObject({
      code: -32005,
      message: "a client holds at most 2 filters",
    });
    expect(askAs("k2", "eth_newBlockFilter").result).toMatch(/^0x/u);
    for (let n = 0; n < 3; n++) expect(open(w)).toMatch(/^0x/u);
  });

  it("is refused with words when it cannot be understood", () => {
    const { w } = gateway();
    const bad = [{ fromBlock: "0x9", toBlock: "0x2" }, { address: "0x1" }, "x", undefined];
    for (const filter of bad) {
      expect(ask(w, "eth_newFilter", [filter]).json.error).toMatchObject({
        code: -32602,
        data: { reason: "filter_params" },
      });
    }
    expect(w.upstreams.every(({ calls }) => calls.length === 0)).toBe(true);
  });
});

describe("a filter for pending transactions", () => {
  /** A hub with one subscriber that a test can speak to. */
  const hubOf = () => {
    const sinks: ClientSink[] = [];
    const hub: HubPort = {
      subscribe: async (sink) => {
        sinks.push(sink);
        return { ok: true, id: `0x${"0".repeat(32)}` };
      },
      resume: () => Promise.resolve({ ok: false, code: -1, message: "" }),
      unsubscribe: async () => true,
      drop: (sink) => void sinks.splice(sinks.indexOf(sink), 1),
    };
    const tell = (hash: string): void => {
      const text = `{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"0x1","result":"${hash}"}}`;
      for (const sink of sinks) sink.sendFrame(Buffer.from(`\x81\x7e\x00\x00${text}`, "latin1"));
    };
    return { hub, sinks, tell };
  };

  it("tells each of its readers what came since it was last asked", () => {
    const { hub, sinks, tell } = hubOf();
    const { w } = gateway({ hub });
    const first = open(w, "eth_newPendingTransactionFilter");
    tell(hashOf(1));
    const second = open(w, "eth_newPendingTransactionFilter");
    tell(hashOf(2));
    expect(sinks).toHaveLength(1);
    expect(changes(w, first)).toEqual([hashOf(1), hashOf(2)]);
    expect(changes(w, second)).toEqual([hashOf(2)]);
    expect(changes(w, second)).toEqual([]);
    ask(w, "eth_uninstallFilter", [first]);
    expect(sinks).toHaveLength(1);
    ask(w, "eth_uninstallFilter", [second]);
    expect(sinks).toHaveLength(0);
  });

  it("shares its stream with none of another chain that took the name", () => {
    const { hub, sinks, tell } = hubOf();
    const { w } = gateway({ hub });
    const before = open(w, "eth_newPendingTransactionFilter");
    Object.assign(w.chain, { chainId: 2 });
    const after = open(w, "eth_newPendingTransactionFilter");
    expect(sinks).toHaveLength(2);
    tell(hashOf(1));
    expect(changes(w, after)).toEqual([hashOf(1)]);
    expect(ask(w, "eth_getFilterChanges", [before]).json.error.data).toMatchObject({
      reason: "filter_not_found",
    });
    ask(w, "eth_uninstallFilter", [after]);
    expect(sinks).toHaveLength(1);
  });

  it("asks the hub again after a long silence", () => {
    const { hub, sinks, tell } = hubOf();
    const { w } = gateway({ hub });
    const id = open(w, "eth_newPendingTransactionFilter");
    sinks.length = 0;
    w.advance(31_000);
    expect(changes(w, id)).toEqual([]);
    tell(hashOf(3));
    expect(changes(w, id)).toEqual([hashOf(3)]);
  });

  it("is refused where no provider has a stream", () => {
    const { w } = gateway();
    for (const row of w.wsRows) row.isUsable = false;
    expect(ask(w, "eth_newPendingTransactionFilter").json.error).toMatchObject({
      code: -32004,
      data: { reason: "no_pending_stream" },
    });
  });
});
