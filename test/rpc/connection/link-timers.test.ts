import { describe, expect, it } from "vitest";
import { createChainState } from "../../../src/rpc/chain-state.ts";
import { ProviderLink } from "../../../src/rpc/connection/link.ts";
import { mustLoad } from "../../config/support.ts";

/** A link alone, with the timers that it runs. */
const startLink = (provider: string) => {
  const config = mustLoad(`
chains:
  ethereum:
    chain_id: 1
    providers:
      - { id: p1, ws_url: "ws://p1.example", ${provider} }
`).chains[0]!;
  const state = createChainState({
    config,
    evidence: undefined as never,
    memory: undefined as never,
    hub: undefined as never,
    report: () => {},
    onConnect: () => {},
  });
  const timers = new Set<string>();
  const socket = { pings: 0, isResting: false };
  const sent: string[] = [];
  const link = new ProviderLink(
    { state, provider: "p1", redact: (text) => text, seed: 1 },
    {
      now: () => 0,
      wallNow: () => 0,
      open: () => ({
        send: (text) => void sent.push(text.toString()),
        ping: () => void socket.pings++,
        pause: () => void (socket.isResting = true),
        resume: () => void (socket.isResting = false),
        bytesRead: 0,
        close: () => {},
        abandon: () => {},
      }),
      startTimer: (key) => void timers.add(key),
      cancelTimer: (key) => void timers.delete(key),
      emit: () => {},
      handOn: () => {},
      handOnLogs: () => {},
      streamChanged: () => {},
      cameUp: () => {},
      askDemand: () => {},
      wentDown: () => {},
      wrongChain: () => {},
      headsStopped: () => {},
      publish: () => {},
    },
  );
  link.start();
  const say = (message: object, seq: number): void => {
    const bytes = Buffer.from(JSON.stringify(message));
    const messages = { bytes, bounds: [0, bytes.length] };
    link.heard({ type: "messages", socket: 1, seq, messages, atNs: 0 });
  };
  return { link, timers, sent, say, socket };
};

describe("the timers of a link", () => {
  it.each(["subscribe_new_heads: true", "subscribe_new_heads: false"])(
    "are those of the state it is in, also when that is left at once (%s)",
    (provider) => {
      const { link, timers, sent, say } = startLink(provider);
      link.heard({ type: "open", socket: 1 });
      say({ jsonrpc: "2.0", id: 1, result: "0x1" }, 1);
      if (sent.length > 1) say({ jsonrpc: "2.0", id: 2, result: "0xa" }, 2);
      expect(link.stats.state).toBe("live");
      expect([...timers].toSorted()).toEqual([
        "check",
        expect.stringMatching(/^machine:.*settled/),
        "ping",
      ]);
      link.heard({
        type: "close",
        socket: 1,
        closure: { code: 1006, reason: "", status: undefined },
      });
      expect([...timers].toSorted()).toEqual([
        "check",
        expect.stringMatching(/^machine:.*backoff/),
      ]);
    },
  );

  it("do not hold the silence of a socket that rests against its provider", () => {
    const { link, timers, say, socket } = startLink("subscribe_new_heads: false");
    link.heard({ type: "open", socket: 1 });
    say({ jsonrpc: "2.0", id: 1, result: "0x1" }, 1);
    link.expired("ping");
    expect(socket.pings).toBe(1);
    const bytes = Buffer.alloc(2 * 1024 * 1024);
    link.read(1, { bytes, bounds: [0, bytes.length] });
    expect(socket.isResting).toBe(true);
    for (let i = 0; i < 3; i++) {
      timers.delete("pong");
      link.expired("pong");
      expect(timers.has("pong")).toBe(true);
    }
    expect(link.stats.state).toBe("live");
  });

  it("end a rest in which nothing was looked at: what was read has been dropped", () => {
    const { link, say, socket } = startLink("subscribe_new_heads: false");
    link.heard({ type: "open", socket: 1 });
    say({ jsonrpc: "2.0", id: 1, result: "0x1" }, 1);
    const bytes = Buffer.alloc(2 * 1024 * 1024);
    link.read(1, { bytes, bounds: [0, bytes.length] });
    link.expired("ping");
    link.judged(1_000, 0);
    link.expired("ping");
    expect(socket.isResting).toBe(true);
    link.expired("ping");
    expect(socket.isResting).toBe(false);
  });
});
