import { describe, expect, it } from "vitest";
import { Heartbeats, type Peer } from "../../src/io/ws-heartbeat.ts";

const TIMES = { intervalMs: 30_000, timeoutMs: 5_000 };

class FakePeer implements Peer {
  isPaused = false;
  isOpen = true;
  pings: number[] = [];
  cutAtMs: number | undefined;
  readonly #answers: boolean;
  readonly #beats: Heartbeats;
  nowMs = 0;

  constructor(beats: Heartbeats, answers: boolean) {
    this.#beats = beats;
    this.#answers = answers;
  }

  ping(): void {
    this.pings.push(this.nowMs);
    if (this.#answers) this.#beats.pong(this);
  }

  terminate(): void {
    this.cutAtMs = this.nowMs;
    this.#beats.delete(this);
  }
}

/** Lets `forMs` pass; answers how many pings the fullest tick wrote. */
const pass = (beats: Heartbeats, peers: readonly FakePeer[], forMs: number): number => {
  let most = 0;
  const pings = () => peers.reduce((sum, peer) => sum + peer.pings.length, 0);
  for (let nowMs = 0; nowMs <= forMs; nowMs += beats.tickMs) {
    for (const peer of peers) peer.nowMs = nowMs;
    const before = pings();
    beats.tick(nowMs);
    most = Math.max(most, pings() - before);
  }
  return most;
};

const start = (count: number, answers: (i: number) => boolean) => {
  const beats = new Heartbeats(TIMES);
  const peers = Array.from({ length: count }, (_, i) => new FakePeer(beats, answers(i)));
  for (const peer of peers) beats.add(peer, 0);
  return { beats, peers };
};

describe("the heartbeats of clients", () => {
  it("ping everyone about every interval, and a fiftieth of them in one turn", () => {
    const { beats, peers } = start(1_000, () => true);
    expect(pass(beats, peers, 100_000)).toBe(20);
    for (const { pings, cutAtMs } of peers) {
      expect(cutAtMs).toBeUndefined();
      expect(pings.length).toBeGreaterThanOrEqual(2);
      for (const [i, atMs] of pings.entries()) {
        expect(atMs - (pings[i - 1] ?? 0)).toBeLessThanOrEqual(
          TIMES.intervalMs + TIMES.timeoutMs + beats.tickMs,
        );
      }
    }
  });

  it("cut who misses two pongs, and only those", () => {
    const { beats, peers } = start(100, (i) => i % 2 === 0);
    pass(beats, peers, 60_000);
    for (const [i, { cutAtMs }] of peers.entries()) {
      if (i % 2 === 0) expect(cutAtMs).toBeUndefined();
      else expect(cutAtMs).toBeGreaterThanOrEqual(TIMES.intervalMs + 2 * TIMES.timeoutMs);
    }
  });

  it("leave a client alone that is not read", () => {
    const { beats, peers } = start(1, () => false);
    peers[0]!.isPaused = true;
    pass(beats, peers, 100_000);
    expect(peers[0]!.cutAtMs).toBeUndefined();
  });
});
