import { describe, expect, it } from "vitest";
import { type Loop, Turns } from "../../src/io/turn-frames.ts";
import { FrameSocket } from "./frame-socket.ts";

const start = () => {
  const turns = new Turns();
  const written: string[] = [];
  const frames = new FrameSocket(turns, (bytes) => written.push(bytes.toString()));
  const send = (...texts: string[]): void => {
    for (const text of texts) frames.sendFrame(Buffer.from(text));
  };
  return { turns, frames, written, send };
};

const turnEnds = () => new Promise((resolve) => setImmediate(resolve));

describe("the frames of one turn", () => {
  it("leave in order, the first at once and the others together at its end", async () => {
    const { frames, written, send } = start();
    send("a", "b", "c");
    expect(written).toEqual(["a"]);
    expect(frames.waitingBytes).toBe(2);
    await turnEnds();
    expect(written).toEqual(["a", "bc"]);
    send("d");
    await turnEnds();
    send("e", "f");
    await turnEnds();
    expect(written).toEqual(["a", "bc", "d", "e", "f"]);
    expect(frames.waitingBytes).toBe(0);
  });

  it("leave before its end when they are many, or something else is to follow them", async () => {
    const { frames, written, send } = start();
    send("a", "b");
    frames.flush();
    send("c");
    expect(written).toEqual(["a", "b"]);
    const half = "x".repeat(40_000);
    send(half, half);
    expect(written).toEqual(["a", "b", `c${half}${half}`]);
    await turnEnds();
    expect(written).toHaveLength(3);
  });

  it("are each socket's own", async () => {
    const { turns, written, send } = start();
    const others: string[] = [];
    const other = new FrameSocket(turns, (bytes) => others.push(bytes.toString()));
    send("a", "b");
    for (const text of ["c", "d", "e"]) other.sendFrame(Buffer.from(text));
    await turnEnds();
    expect([written, others]).toEqual([
      ["a", "b"],
      ["c", "de"],
    ]);
  });
});

/** A loop whose time passes by writing alone, and that turns when it is told to. */
class SlowLoop implements Loop {
  ms = 0;
  readonly ends: (() => void)[] = [];
  readonly laters: (() => void)[] = [];

  nowMs(): number {
    return this.ms;
  }

  atTurnEnd(run: () => void): void {
    this.ends.push(run);
  }

  afterIo(run: () => void): void {
    this.laters.push(run);
  }

  /** The turn ends; what waits for sockets and timers still waits. */
  endTurn(): void {
    for (const run of this.ends.splice(0)) run();
  }

  nextSlice(): void {
    for (const run of this.laters.splice(0)) run();
  }
}

describe("one frame to many sockets", () => {
  const open = (count: number) => {
    const loop = new SlowLoop();
    const turns = new Turns(10, loop);
    const written: { readonly id: number; readonly text: string; readonly bytes: Buffer }[] = [];
    const sockets = Array.from({ length: count }, (_, id) => {
      const write = (bytes: Buffer): void => {
        loop.ms++;
        written.push({ id, text: bytes.toString(), bytes });
      };
      return new FrameSocket(turns, write);
    });
    const toAll = (...texts: string[]): void => {
      for (const text of texts) {
        const frame = Buffer.from(text);
        for (const one of sockets) one.sendFrame(frame);
      }
    };
    return { loop, sockets, written, toAll };
  };

  it("is written in slices, between which sockets and timers have their turn", () => {
    const { loop, sockets, written, toAll } = open(100);
    toAll("a");
    loop.endTurn();
    const counts = [written.length];
    while (loop.laters.length > 0) {
      loop.nextSlice();
      counts.push(written.length);
    }
    // Ten milliseconds and what passes until the clock is read.
    expect(counts).toEqual([24, 48, 72, 96, 100]);
    expect(written.map(({ id }) => id)).toEqual(sockets.map((_, id) => id));
  });

  it("does not overtake an earlier one, and waits for no socket that has nothing before it", () => {
    const { loop, sockets, written, toAll } = open(60);
    toAll("a");
    loop.endTurn();
    expect(written).toHaveLength(24);
    sockets[50]?.sendFrame(Buffer.from("b"));
    sockets[0]?.sendFrame(Buffer.from("b"));
    expect(written.at(-1)).toMatchObject({ id: 0, text: "b" });
    loop.endTurn();
    while (loop.laters.length > 0) loop.nextSlice();
    expect(written.filter(({ id }) => id === 50).map(({ text }) => text)).toEqual(["ab"]);
  });

  it("leaves before a reply that is sent between two slices, and is not written again", () => {
    const { loop, sockets, written, toAll } = open(60);
    toAll("a");
    loop.endTurn();
    sockets[59]?.flush();
    expect(written.at(-1)).toMatchObject({ id: 59, text: "a" });
    while (loop.laters.length > 0) loop.nextSlice();
    expect(written).toHaveLength(60);
  });

  it("is put together with others once for all that are sent the same", () => {
    const { loop, written, toAll } = open(40);
    toAll("a", "b", "c");
    loop.endTurn();
    while (loop.laters.length > 0) loop.nextSlice();
    const joined = written.filter(({ text }) => text.length > 1);
    expect(new Set(joined.map(({ text }) => text))).toEqual(new Set(["bc", "abc"]));
    expect(new Set(joined.map(({ bytes }) => bytes))).toHaveLength(2);
  });
});
