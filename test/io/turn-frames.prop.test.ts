/**
 * What many sockets are sent in slices, over any course of events, replies and closes: each socket gets
 * its own in the order in which it was sent, whole and once, and no slice holds the loop for longer than
 * it may.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Loop, Turns } from "../../src/io/turn-frames.ts";
import { FrameSocket } from "./frame-socket.ts";

const SLICE_MS = 5;
const WRITE_MS = 0.5;
/** The clock is read once in eight writes, the first time to see when the slice began. */
const LONGEST_MS = SLICE_MS + 2 * 8 * WRITE_MS;
const SOCKETS = 60;

type Step =
  | { readonly do: "event"; readonly from: number; readonly to: number; readonly times: number }
  | { readonly do: "reply"; readonly to: number }
  | { readonly do: "close"; readonly who: number }
  | { readonly do: "turn" };

const socket = fc.nat(SOCKETS - 1);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("event" as const),
      from: fc.nat(10),
      to: socket,
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("reply" as const), to: socket }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("close" as const), who: socket }) },
  { weight: 6, arbitrary: fc.constant({ do: "turn" as const }) },
);

/** A loop that turns when it is told to, and sockets that take their time. */
class World implements Loop {
  readonly sent: string[] = Array.from({ length: SOCKETS }, () => "");
  readonly got: string[] = Array.from({ length: SOCKETS }, () => "");
  /** How long the loop was held by each slice of those that waited. */
  readonly slicesMs: number[] = [];
  readonly closed = new Set<number>();
  readonly #turns = new Turns(SLICE_MS, this);
  readonly #frames = this.sent.map(
    (_, id) =>
      new FrameSocket(this.#turns, (bytes) => {
        this.#ms += WRITE_MS;
        if (!this.closed.has(id)) this.got[id] += bytes.toString();
      }),
  );
  #ms = 0;
  #count = 0;
  #ends: (() => void)[] = [];
  #laters: (() => void)[] = [];

  nowMs(): number {
    return this.#ms;
  }

  atTurnEnd(run: () => void): void {
    this.#ends.push(run);
  }

  afterIo(run: () => void): void {
    this.#laters.push(run);
  }

  run(one: Step): void {
    if (one.do === "turn") this.turn();
    else if (one.do === "close") this.close(one.who);
    else if (one.do === "reply") this.reply(one.to);
    else for (let i = 0; i < one.times; i++) this.event(one.from, one.to);
  }

  /** The turn ends, and what waited for the loop comes. */
  turn(): void {
    for (const run of this.#ends.splice(0)) run();
    for (const run of this.#laters.splice(0)) {
      const startMs = this.#ms;
      run();
      this.slicesMs.push(this.#ms - startMs);
    }
  }

  get isIdle(): boolean {
    return this.#ends.length === 0 && this.#laters.length === 0;
  }

  get heldBytes(): number {
    return this.#frames.reduce((sum, { waitingBytes }) => sum + waitingBytes, 0);
  }

  event(from: number, to: number): void {
    const text = `<${this.#count++}>`;
    const frame = Buffer.from(text);
    for (let id = from; id <= to; id++) {
      if (this.closed.has(id)) continue;
      this.sent[id] += text;
      this.#frames[id]?.sendFrame(frame);
    }
  }

  /** As a connection answers a call: what was sent before it leaves before it. */
  reply(id: number): void {
    if (this.closed.has(id)) return;
    const text = `[${this.#count++}]`;
    this.sent[id] += text;
    this.#frames[id]?.flush();
    expect(`${this.got[id]}${text}`).toBe(this.sent[id]);
    this.got[id] += text;
  }

  close(id: number): void {
    this.closed.add(id);
  }
}

describe("frames for many sockets", () => {
  it("reach each in its order, once, in slices that leave room for others", () => {
    let longest = 0;
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const world = new World();
        for (const one of steps) world.run(one);
        let turns = 0;
        for (; !world.isIdle; turns++) world.turn();
        longest = Math.max(longest, turns);
        expect(world.heldBytes).toBe(0);
        for (const [id, text] of world.got.entries()) {
          if (world.closed.has(id)) expect(world.sent[id]?.startsWith(text)).toBe(true);
          else expect(text).toBe(world.sent[id]);
        }
        for (const ms of world.slicesMs) expect(ms).toBeLessThanOrEqual(LONGEST_MS);
      }),
      { numRuns: 1_000, seed: Number(process.env["FRAMES_SEED"] ?? 1) },
    );
    expect(longest).toBeGreaterThan(2);
  });
});
