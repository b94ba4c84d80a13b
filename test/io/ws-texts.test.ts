import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TextReader } from "../../src/io/ws-texts.ts";

const MAX_BYTES = 70_000;

interface Frame {
  readonly opcode: number;
  readonly isFinal: boolean;
  readonly payload: Buffer;
}

const text = (words: string): Frame => ({ opcode: 1, isFinal: true, payload: Buffer.from(words) });
const frame = (opcode: number, words = "", isFinal = true): Frame => ({
  opcode,
  isFinal,
  payload: Buffer.from(words),
});

const bytesOf = ({ opcode, isFinal, payload }: Frame): Buffer => {
  const { length } = payload;
  const head = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
  head[0] = (isFinal ? 0x80 : 0) | opcode;
  head[1] = length < 126 ? length : length < 65_536 ? 126 : 127;
  if (head.length === 4) head.writeUInt16BE(length, 2);
  if (head.length === 10) head.writeBigUInt64BE(BigInt(length), 2);
  return Buffer.concat([head, payload]);
};

/** What the library would find in the bytes that it is given: whole frames, and what is left. */
const framesIn = (bytes: Buffer): { readonly frames: readonly string[]; readonly left: number } => {
  const frames: string[] = [];
  let at = 0;
  while (bytes.length - at >= 2) {
    const short = bytes[at + 1] as number;
    const head = short < 126 ? 2 : short === 126 ? 4 : 10;
    if (bytes.length - at < head) break;
    const size =
      head === 2
        ? short
        : head === 4
          ? bytes.readUInt16BE(at + 2)
          : Number(bytes.readBigUInt64BE(at + 2));
    if (bytes.length - at - head < size) break;
    frames.push(named(bytes[at] as number, bytes.subarray(at + head, at + head + size)));
    at += head + size;
  }
  return { frames, left: bytes.length - at };
};

const named = (first: number, payload: Buffer): string =>
  `${first.toString(16)} ${payload.length} ${payload.toString("utf8", 0, 20)}`;

const namedFrame = ({ opcode, isFinal, payload }: Frame): string =>
  named((isFinal ? 0x80 : 0) | opcode, payload);

/** Reads with everything in the order in which it was told. */
const reading = () => {
  const told: string[] = [];
  let rest = Buffer.alloc(0);
  let found = 0;
  let isInvalid = false;
  const reader = new TextReader(
    {
      texts: ({ bytes, bounds }) => {
        for (let i = 0; i < bounds.length; i += 2) {
          told.push(named(0x81, bytes.subarray(bounds[i], bounds[i + 1])));
          found++;
        }
      },
      rest: (bytes) => {
        const { frames, left } = framesIn(Buffer.concat([rest, bytes]));
        told.push(...frames);
        rest = Buffer.from(Buffer.concat([rest, bytes]).subarray(-left || Infinity));
      },
      invalid: () => {
        isInvalid = true;
      },
    },
    MAX_BYTES,
  );
  return {
    reader,
    told,
    get found() {
      return found;
    },
    get isInvalid() {
      return isInvalid;
    },
    get left() {
      return rest.length;
    },
  };
};

describe("a reader of texts", () => {
  const size = fc.constantFrom(0, 1, 125, 126, 127, 900, 65_535, 65_536, MAX_BYTES);
  const one = fc.oneof(
    { weight: 6, arbitrary: size.map((length) => [text("é".repeat(length / 2))]) },
    { weight: 1, arbitrary: fc.constantFrom([frame(9, "ping")], [frame(10)], [frame(2, "raw")]) },
    {
      weight: 1,
      arbitrary: fc.constant([
        frame(1, "a beg", false),
        frame(9, "amid"),
        frame(0, "inning", false),
        frame(0, ", an end"),
      ]),
    },
  );

  it("tells every frame once and in order, in whatever pieces the bytes come", () => {
    fc.assert(
      fc.property(
        fc.array(one, { maxLength: 12 }),
        fc.array(fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 90_000 }))),
        fc.boolean(),
        (parts, cuts, isClosed) => {
          const frames = [...parts.flat(), ...(isClosed ? [frame(8, "\u0003\u00e8bye")] : [])];
          const bytes = Buffer.concat(frames.map(bytesOf));
          const heard = reading();
          let at = 0;
          for (const cut of [...cuts, bytes.length]) {
            heard.reader.read(Buffer.from(bytes.subarray(at, at + cut)));
            at = Math.min(bytes.length, at + cut);
          }
          expect(heard.told).toEqual(frames.map(namedFrame));
          expect(heard.left).toBe(0);
          expect(heard.isInvalid).toBe(false);
        },
      ),
      { numRuns: 400 },
    );
  });

  it("finds by itself what lies whole in a read, all of it at once", () => {
    const heard = reading();
    const frames = [text("one"), text("two"), frame(9), text("x".repeat(500))];
    heard.reader.read(Buffer.concat(frames.map(bytesOf)));
    expect(heard.found).toBe(3);
    expect(heard.told).toEqual(frames.map(namedFrame));
  });

  it("leaves to the library what it refuses, and reads nothing behind it", () => {
    const refused: readonly Buffer[] = [
      Buffer.from([0xc1, 1, 0x61]),
      Buffer.from([0x83, 1, 0x61]),
      Buffer.from([0x80, 1, 0x61]),
      Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]),
      bytesOf(text("x".repeat(MAX_BYTES + 1))),
      bytesOf(frame(8, "\u0003\u00e8")),
    ];
    for (const bytes of refused) {
      const passed: Buffer[] = [];
      const told: number[] = [];
      const ports = {
        texts: ({ bounds }: { readonly bounds: readonly number[] }) => told.push(bounds.length / 2),
        rest: (part: Buffer) => passed.push(Buffer.from(part)),
        invalid: () => told.push(-1),
      };
      const reader = new TextReader(ports, MAX_BYTES);
      reader.read(Buffer.concat([bytesOf(text("before")), bytes]));
      reader.read(bytesOf(text("behind")));
      expect(told).toEqual([1]);
      expect(Buffer.concat(passed).subarray(0, 2)).toEqual(bytes.subarray(0, 2));
    }
  });

  it("ends at a text that is not UTF-8, also where two wrong ones would make a right one", () => {
    for (const wrong of [[[0xff]], [[0xc3], [0xa9]]]) {
      const heard = reading();
      const parts = wrong.map((payload) =>
        bytesOf({ opcode: 1, isFinal: true, payload: Buffer.from(payload) }),
      );
      heard.reader.read(Buffer.concat(parts));
      heard.reader.read(bytesOf(text("behind")));
      expect(heard.isInvalid).toBe(true);
      expect(heard.told).toEqual([]);
    }
  });

  it("gives the library the beginning of a frame when the connection ends there", () => {
    const heard = reading();
    heard.reader.read(bytesOf(text("x".repeat(300))).subarray(0, 3));
    expect(heard.left).toBe(0);
    heard.reader.stop();
    expect(heard.left).toBe(3);
  });
});
