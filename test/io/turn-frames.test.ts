import { describe, expect, it } from "vitest";
import { TurnFrames, Turns } from "../../src/io/turn-frames.ts";

const start = () => {
  const turns = new Turns();
  const written: string[] = [];
  const frames = new TurnFrames(turns, (bytes) => written.push(bytes.toString()));
  const send = (...texts: string[]): void => {
    for (const text of texts) frames.send(Buffer.from(text));
  };
  return { turns, frames, written, send };
};

const turnEnds = () => new Promise((resolve) => setImmediate(resolve));

describe("the frames of one turn", () => {
  it("leave in order, the first at once and the others together at its end", async () => {
    const { frames, written, send } = start();
    send("a", "b", "c");
    expect(written).toEqual(["a"]);
    expect(frames.heldBytes).toBe(2);
    await turnEnds();
    expect(written).toEqual(["a", "bc"]);
    send("d");
    await turnEnds();
    send("e", "f");
    await turnEnds();
    expect(written).toEqual(["a", "bc", "d", "e", "f"]);
    expect(frames.heldBytes).toBe(0);
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
    const other = new TurnFrames(turns, (bytes) => others.push(bytes.toString()));
    send("a", "b");
    for (const text of ["c", "d", "e"]) other.send(Buffer.from(text));
    await turnEnds();
    expect([written, others]).toEqual([
      ["a", "b"],
      ["c", "de"],
    ]);
  });
});
