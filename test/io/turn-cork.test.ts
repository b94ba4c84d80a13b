import { Writable } from "node:stream";
import type { Socket } from "node:net";
import { expect, it } from "vitest";
import { TurnCork } from "../../src/io/turn-cork.ts";

it("writes the first frame of a turn at once and the others together at its end, in order", async () => {
  const calls: string[][] = [];
  const sink = new Writable({
    write: (chunk: Buffer, _encoding, done) => {
      calls.push([chunk.toString()]);
      done();
    },
    writev: (chunks, done) => {
      calls.push(chunks.map(({ chunk }) => (chunk as Buffer).toString()));
      done();
    },
  }) as unknown as Socket;
  const cork = new TurnCork();
  let turn = 0;
  const send = (text: string) => {
    turn = cork.before(sink, turn);
    sink.write(text);
  };
  for (const text of ["a", "b", "c"]) send(text);
  expect(calls).toEqual([["a"]]);
  await new Promise((resolve) => setImmediate(resolve));
  expect(calls).toEqual([["a"], ["b", "c"]]);
  send("d");
  await new Promise((resolve) => setImmediate(resolve));
  send("e");
  send("f");
  await new Promise((resolve) => setImmediate(resolve));
  expect(calls).toEqual([["a"], ["b", "c"], ["d"], ["e"], ["f"]]);
});
