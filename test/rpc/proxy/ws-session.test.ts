import { describe, expect, it } from "vitest";
import type { ClientSink, HubPort, SubscribeReply } from "../../../src/rpc/proxy/ports.ts";
import { WsChannel } from "../../../src/rpc/proxy/attempt/ws-channel.ts";
import type { World } from "./support.ts";
import { ScriptedUpstream, world } from "./support.ts";

class FakeSink implements ClientSink {
  readonly id = 1;
  readonly sent: string[] = [];
  bufferedBytes = 0;
  sentBytes = 0;
  isOpen = true;
  isPaused = false;
  closed: [number, string] | undefined;

  pause(): void {
    this.isPaused = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  send(text: string | Buffer): void {
    this.sent.push(text.toString());
  }

  sendFrame(frame: Buffer): void {
    this.sent.push(`frame:${frame.toString()}`);
  }

  close(code: number, reason: string): void {
    this.closed = [code, reason];
    this.isOpen = false;
  }

  get answers(): any[] {
    return this.sent.map((text) => JSON.parse(text));
  }
}

function connect(w: World, url = "/rpc/ethereum") {
  const admission = w.gateway.ws.admit(url, []);
  if (!admission.ok) throw new Error(admission.body);
  const sink = new FakeSink();
  const session = w.gateway.ws.open(admission.route, sink, `ws://h${url}`);
  const say = (message: unknown): void =>
    session.onMessage(Buffer.from(typeof message === "string" ? message : JSON.stringify(message)));
  return { sink, session, say };
}

const call = (id: unknown, method = "eth_call", params: unknown[] = []): object => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});

/** A hub whose replies come when the test says so. */
class ManualHub implements HubPort {
  readonly asked: {
    sink: ClientSink;
    kind: string;
    filter: unknown;
    resume: unknown;
    reply: (r: SubscribeReply) => void;
  }[] = [];
  readonly dropped: ClientSink[] = [];
  readonly unsubscribed: string[] = [];

  subscribe(
    sink: ClientSink,
    kind: string,
    filter: unknown,
    resume?: unknown,
  ): Promise<SubscribeReply> {
    return new Promise((reply) => this.asked.push({ sink, kind, filter, resume, reply }));
  }

  resume(sink: ClientSink, id: string, cursor: unknown): Promise<SubscribeReply> {
    return new Promise((reply) =>
      this.asked.push({ sink, kind: "resume", filter: id, resume: cursor, reply }),
    );
  }

  unsubscribe(_sink: ClientSink, id: string): Promise<boolean> {
    this.unsubscribed.push(id);
    return Promise.resolve(true);
  }

  drop(sink: ClientSink): void {
    this.dropped.push(sink);
  }
}

const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 10; turn++) await Promise.resolve();
};

describe("a WebSocket client", () => {
  it("gets answers to calls with its own ids", () => {
    const w = world();
    const { sink, say } = connect(w);
    say('{"jsonrpc":"2.0","id":"ä","method":"eth_call"}');
    say('{"jsonrpc":"2.0","id":12345678901234567890,"method":"eth_chainId"}');
    expect(sink.sent).toEqual([
      '{"jsonrpc":"2.0","id":"ä","result":"0x1"}',
      '{"jsonrpc":"2.0","id":12345678901234567890,"result":"0x1"}',
    ]);
  });

  it("is told what is wrong with a message, and stays connected", () => {
    const { sink, say } = connect(world());
    say("{");
    say("[]");
    say('{"jsonrpc":"2.0","id":5}');
    say('{"jsonrpc":"2.0","method":"eth_call"}');
    expect(sink.answers.map((a) => [a.id, a.error.code])).toEqual([
      [null, -32700],
      [null, -32600],
      [5, -32600],
    ]);
    expect(sink.isOpen).toBe(true);
  });

  it("prefers the provider's WebSocket and falls back to HTTP", () => {
    const w = world();
    const ws = new ScriptedUpstream((c) => c.result('"ws"'), "ws");
    w.live.set(w.wsRows[0] as never, ws);
    const { sink, say } = connect(w);
    say(call(1));
    w.live.delete(w.wsRows[0] as never);
    say(call(2));
    expect(sink.answers.map((a) => a.result)).toEqual(["ws", "0x1"]);
  });

  it("answers batches in order, subscriptions included", async () => {
    const hub = new ManualHub();
    const { sink, say } = connect(world({ hub }));
    say([call(1), call(2, "eth_subscribe", ["newHeads"]), call(3, "eth_unsubscribe", ["0x1"])]);
    hub.asked[0]?.sink.send('"event"');
    expect(sink.sent).toEqual([]);
    hub.asked[0]?.reply({ ok: true, id: "0xabc" });
    await settle();
    expect(JSON.parse(sink.sent[0] as string).map((a: any) => a.result)).toEqual([
      "0x1",
      "0xabc",
      false,
    ]);
    expect(sink.sent[1]).toBe('"event"');
  });

  it("sees no event before the reply to its subscribe", async () => {
    const hub = new ManualHub();
    const { sink, say } = connect(world({ hub }));
    say(call(1, "eth_subscribe", ["logs", { address: "0x1" }]));
    expect(hub.asked[0]).toMatchObject({ kind: "logs", filter: { address: "0x1" } });
    hub.asked[0]?.sink.sendFrame(Buffer.from("a"));
    hub.asked[0]?.sink.send("b");
    say(call(2));
    hub.asked[0]?.reply({ ok: true, id: "0xabc" });
    await settle();
    hub.asked[0]?.sink.sendFrame(Buffer.from("c"));
    expect(sink.sent).toEqual([
      '{"jsonrpc":"2.0","id":2,"result":"0x1"}',
      '{"jsonrpc":"2.0","id":1,"result":"0xabc"}',
      "frame:a",
      "b",
      "frame:c",
    ]);
  });

  it("goes on where it was, by cursor or by id, and sees no event before the reply", async () => {
    const hub = new ManualHub();
    const { sink, say } = connect(world({ hub }));
    const paceline = { resume: "0xcursor" };
    say(call(1, "eth_subscribe", ["newHeads", { paceline }]));
    say(call(2, "eth_subscribe", ["logs", { address: "0x1" }, { paceline }]));
    say(call(3, "eth_subscribe", ["logs", { paceline: {} }]));
    say(call(4, "paceline_resume", ["0xid", "0xcursor"]));
    expect(hub.asked.map(({ kind, filter, resume }) => [kind, filter, resume])).toEqual([
      ["newHeads", undefined, "0xcursor"],
      ["logs", { address: "0x1" }, "0xcursor"],
      ["logs", undefined, null],
      ["resume", "0xid", "0xcursor"],
    ]);
    for (const [i, { reply }] of hub.asked.entries()) {
      hub.asked[i]?.sink.sendFrame(Buffer.from(`missed ${i}`));
      expect(sink.sent).toHaveLength(2 * i);
      reply({ ok: true, id: `0x${i}`, kind: "newHeads" });
      await settle();
      expect(sink.sent.slice(2 * i)).toEqual([
        `{"jsonrpc":"2.0","id":${i + 1},"result":"0x${i}"}`,
        `frame:missed ${i}`,
      ]);
    }
    say(call(5, "eth_unsubscribe", ["0x3"]));
    await settle();
    expect(hub.unsubscribed).toEqual(["0x3"]);
    say(call(6, "paceline_resume", [7]));
    expect(JSON.parse(sink.sent.at(-1) ?? "").error).toMatchObject({
      code: -32602,
      message: "expected subscription id and cursor as arguments",
    });
  });

  it("hears its other subscriptions while one waits for its reply, alone or in a batch", async () => {
    const hub = new ManualHub();
    const { sink, say } = connect(world({ hub }));
    say(call(1, "eth_subscribe", ["newHeads"]));
    hub.asked[0]?.reply({ ok: true, id: "0xa" });
    await settle();
    say(call(2, "paceline_resume", ["0xb", "0xcursor"]));
    say([call(3, "eth_subscribe", ["logs"]), call(4, "eth_subscribe", ["newHeads"])]);
    hub.asked[2]?.reply({ ok: true, id: "0xc" });
    await settle();
    sink.sent.length = 0;
    for (const [i, { sink: events }] of hub.asked.entries()) events.sendFrame(Buffer.from(`${i}`));
    expect(sink.sent).toEqual(["frame:0"]);
    // What waits here is no sign that the client does not read.
    for (const { sink: events } of hub.asked) expect(events.bufferedBytes).toBe(0);
    hub.asked[3]?.reply({ ok: true, id: "0xd" });
    await settle();
    expect(sink.sent.slice(2)).toEqual(["frame:2", "frame:3"]);
  });

  it("hears nothing of a subscription that it was told it has not got", async () => {
    const hub = new ManualHub();
    const { sink, say } = connect(world({ hub }));
    say(call(1, "eth_subscribe", ["newHeads"]));
    hub.asked[0]?.sink.sendFrame(Buffer.from("held"));
    // A hub that answers too late has granted it all the same.
    hub.asked[0]?.reply({ ok: false, code: -32002, message: "try again" });
    await settle();
    hub.asked[0]?.sink.sendFrame(Buffer.from("later"));
    hub.asked[0]?.sink.send("later");
    expect(sink.answers.map(({ error }) => error.code)).toEqual([-32002]);
    expect(hub.asked[0]?.sink.isOpen).toBe(true);
  });

  it("is closed when more waits for a reply than memory has room for", async () => {
    const hub = new ManualHub();
    const { sink, say } = connect(world({ hub }));
    say(call(1, "eth_subscribe", ["logs"]));
    const mebibyte = Buffer.alloc(1024 * 1024, "x");
    for (let i = 0; i < 4; i++) hub.asked[0]?.sink.sendFrame(mebibyte);
    expect(sink.closed).toBeUndefined();
    hub.asked[0]?.sink.sendFrame(Buffer.from("x"));
    expect(sink.closed).toEqual([1013, "too many events wait for a subscribe reply"]);
  });

  it("unsubscribes what it has and nothing else", async () => {
    const hub = new ManualHub();
    const { sink, say } = connect(world({ hub }));
    say(call(1, "eth_subscribe", ["newHeads"]));
    hub.asked[0]?.reply({ ok: true, id: "0xabc" });
    await settle();
    say(call(2, "eth_unsubscribe", ["0xdef"]));
    say(call(3, "eth_unsubscribe", ["0xabc"]));
    await settle();
    expect(sink.answers.map((a) => a.result)).toEqual(["0xabc", false, true]);
    expect(hub.unsubscribed).toEqual(["0xabc"]);
  });

  it("gets no subscription where the chain denies them", () => {
    const hub = new ManualHub();
    const { sink, say } = connect(world({ hub, deny: ["eth_subscribe"] }));
    say(call(1, "eth_subscribe", ["newHeads"]));
    expect(sink.answers[0]?.error).toMatchObject({
      code: -32004,
      data: { reason: "method_denied" },
    });
    expect(hub.asked).toHaveLength(0);
  });

  it("hears why a subscription is refused", async () => {
    const hub = new ManualHub();
    const { sink, say } = connect(world({ hub, limits: { wsMaxSubscriptions: 1 } }));
    say(call(1, "eth_subscribe", ["blocks"]));
    say(call(2, "eth_subscribe", ["newHeads"]));
    say(call(3, "eth_subscribe", ["newHeads"]));
    hub.asked[0]?.reply({
      ok: false,
      code: -32002,
      message: "no source",
      data: { reason: "no_provider" },
    });
    await settle();
    expect(sink.answers.map((a) => [a.id, a.error.code])).toEqual([
      [1, -32601],
      [3, -32005],
      [2, -32002],
    ]);
  });

  it("gets no pending transactions where no provider could tell of any", () => {
    const hub = new ManualHub();
    const views = Object.fromEntries(["a", "b", "c"].map((id) => [id, { transports: {} }]));
    const { sink, say } = connect(world({ hub, views }));
    say(call(1, "eth_subscribe", ["newPendingTransactions"]));
    expect(sink.answers[0]?.error).toMatchObject({
      code: -32004,
      data: { reason: "no_pending_stream" },
    });
    say(call(2, "eth_subscribe", ["newHeads"]));
    expect(hub.asked.map(({ kind }) => kind)).toEqual(["newHeads"]);
  });

  it("lists the kinds for a subscription that names none", () => {
    const { sink, say } = connect(world({ hub: new ManualHub() }));
    say(call(1, "eth_subscribe"));
    expect(sink.answers[0]?.error.message).toContain("newHeads, logs");
  });

  it("is not read while it has too much in flight, and gets every answer in the end", () => {
    const w = world({ script: () => undefined, limits: { wsMaxInFlight: 2 } });
    const { sink, say } = connect(w);
    // Equal calls would share an attempt.
    say(call(1, "eth_call", [1]));
    say(call(2, "eth_call", [2]));
    expect(sink.isPaused).toBe(false);
    say([call(3, "eth_call", [3]), call(4, "eth_call", [4])]);
    say(call(5, "eth_chainId"));
    say(call(6, "eth_call", [6]));
    expect(sink.isPaused).toBe(true);
    expect(w.upstreams[0]?.calls).toHaveLength(2);
    const calls = w.upstreams[0]?.calls ?? [];
    for (let index = 0; index < calls.length; index++) calls[index]?.result("1");
    expect(sink.answers.flat().map((a) => a.id)).toEqual([1, 2, 5, 3, 4, 6]);
    expect(sink.isPaused).toBe(false);
  });

  it("is closed with a reason when nobody serves its subscriptions any more", async () => {
    const hub = new ManualHub();
    const w = world({ hub });
    const [idle, subscribed, asking, refused] = [connect(w), connect(w), connect(w), connect(w)];
    for (const { say } of [subscribed, asking, refused]) say(call(1, "eth_subscribe", ["logs"]));
    hub.asked[0]?.reply({ ok: true, id: "0xabc" });
    await settle();
    expect(w.gateway.ws.closeSubscribers("polygon", "lost")).toBe(0);
    expect(w.gateway.ws.closeSubscribers("ethereum", "lost")).toBe(1);
    expect(subscribed.sink.closed).toEqual([1013, "lost"]);
    // Its subscription was granted before the loss, although the reply comes after.
    expect(asking.sink.closed).toBeUndefined();
    hub.asked[1]?.reply({ ok: true, id: "0xdef" });
    hub.asked[2]?.reply({ ok: false, code: -32002, message: "try again" });
    await settle();
    expect(asking.sink.closed).toEqual([1013, "lost"]);
    expect([idle.sink.isOpen, refused.sink.isOpen]).toEqual([true, true]);
    expect(w.gateway.ws.closeSubscribers("ethereum", "lost")).toBe(0);
  });

  it("leaves nothing behind when it goes", async () => {
    const hub = new ManualHub();
    const w = world({ script: () => undefined, hub });
    const { session, say } = connect(w);
    say(call(1));
    say([call(2), call(3)]);
    say(call(4, "eth_subscribe", ["newHeads"]));
    say(call(5, "eth_subscribe", ["newHeads"]));
    hub.asked[0]?.reply({ ok: true, id: "0xabc" });
    await settle();
    session.onClose();
    hub.asked[1]?.reply({ ok: true, id: "0xdef" });
    await settle();
    expect(w.gateway.inFlight).toBe(0);
    expect(w.upstreams[0]?.calls.every((c) => c.isAborted)).toBe(true);
    expect(hub.dropped).toHaveLength(2);
    expect(w.gateway.ws.sessionCount).toBe(0);
  });

  it("is cut off when it does not read its answers", () => {
    const { sink, say } = connect(world());
    sink.bufferedBytes = 65 * 1024 * 1024;
    say(call(1));
    expect(sink.closed?.[0]).toBe(1013);
  });

  it.each([
    ["/rpc/nowhere", 404],
    ["/ws/best/ethereum", 404],
    ["/rpc/ethereum/nobody", 404],
    ["/rpc/ethereum?strategy=best", 404],
    ["/elsewhere", 404],
  ])("is refused at %s with %i", (url, status) => {
    expect(world().gateway.ws.admit(url, [])).toMatchObject({ ok: false, status });
  });
});

describe("the channel to a provider", () => {
  const handler = () => {
    const heard: string[] = [];
    return {
      heard,
      onHead: () => heard.push("head"),
      onData: (chunk: Buffer) => heard.push(chunk.toString()) > 0,
      onEnd: () => heard.push("end"),
      onFailure: (failure: { kind: string }) => heard.push(failure.kind),
    };
  };

  it("matches answers by id wherever it stands, and leaves other messages alone", () => {
    const sent: string[] = [];
    const channel = new WsChannel((bytes) => sent.push(bytes.toString()));
    const handlers = [handler(), handler(), handler()];
    handlers.forEach((h, index) => channel.send(Buffer.from("x"), 100_000_000 + index, h));
    expect(
      channel.onFrame(Buffer.from('{"jsonrpc":"2.0","method":"eth_subscription","params":{}}')),
    ).toBe(false);
    expect(channel.onFrame(Buffer.from('{"jsonrpc":"2.0","id":7,"result":1}'))).toBe(false);
    const bodies = [
      '{"jsonrpc":"2.0","id":100000000,"result":1}',
      '{"jsonrpc":"2.0","result":{"id":5},"id":100000001}',
      '{"result":1,"id":100000002,"jsonrpc":"2.0"}',
    ];
    for (const body of bodies) expect(channel.onFrame(Buffer.from(body))).toBe(true);
    handlers.forEach((h, index) => expect(h.heard).toEqual(["head", bodies[index], "end"]));
    expect(channel.inFlight).toBe(0);
  });

  it("fails every call when the connection goes, and new ones at once", () => {
    const channel = new WsChannel(() => undefined);
    const [first, second, third] = [handler(), handler(), handler()];
    channel.send(Buffer.from("x"), 1, first);
    channel.send(Buffer.from("x"), 2, second).abort();
    channel.onClose();
    channel.send(Buffer.from("x"), 3, third);
    expect([first.heard, second.heard, third.heard]).toEqual([["closed"], [], ["closed"]]);
  });
});
