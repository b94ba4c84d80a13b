import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAX_DEPTH, skipSpace, skipValue } from "../../../src/rpc/json-rpc/json-bytes.ts";
import { idToken, upstreamBytes } from "../../../src/rpc/json-rpc/request-bytes.ts";
import { scanBody } from "../../../src/rpc/json-rpc/scan.ts";

const depthOf = (value: unknown): number =>
  typeof value === "object" && value !== null
    ? 1 + Math.max(0, ...Object.values(value).map(depthOf))
    : 0;

const parses = (text: string): boolean => {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
};

/** Whether the walker takes the whole text for one JSON value. */
const walks = (text: string): boolean => {
  const bytes = Buffer.from(text);
  const at = skipValue(bytes, skipSpace(bytes, 0, bytes.length), bytes.length, 0);
  return at >= 0 && skipSpace(bytes, at, bytes.length) === bytes.length;
};

const jsonText = fc
  .tuple(fc.jsonValue({ maxDepth: 6 }), fc.constantFrom(undefined, 1, "\t"))
  .map(([value, space]) => JSON.stringify(value, undefined, space));

describe("the byte walker", () => {
  it("takes exactly what JSON.parse takes", () => {
    fc.assert(
      fc.property(jsonText, (text) => {
        expect(walks(text)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it("agrees with JSON.parse about damaged JSON", () => {
    const damaged = fc
      .tuple(
        jsonText,
        fc.nat(),
        fc.constantFrom(
          "",
          ",",
          '"',
          "\\",
          "{",
          "}",
          "[",
          "]",
          ":",
          "0",
          "-",
          ".",
          "e",
          "\u0001",
          "n",
          " ",
          "\\u12",
          "tru",
        ),
        fc.nat(2),
      )
      .map(([text, at, piece, cut]) => {
        const from = at % (text.length + 1);
        return text.slice(0, from) + piece + text.slice(from + cut);
      });
    fc.assert(
      fc.property(damaged, (text) => {
        expect(walks(text)).toBe(parses(text));
      }),
      { numRuns: 10_000 },
    );
  });

  it("agrees about numbers", () => {
    const pieces = fc.array(fc.constantFrom("-", "+", "0", "1", "9", ".", "e", "E"), {
      maxLength: 8,
    });
    fc.assert(
      fc.property(pieces, (parts) => {
        const text = parts.join("");
        expect(walks(text)).toBe(parses(text));
      }),
      { numRuns: 10_000 },
    );
  });

  it("bounds the depth at 64 containers", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(walks(nested(MAX_DEPTH))).toBe(true);
    expect(walks(nested(MAX_DEPTH + 1))).toBe(false);
    expect(depthOf(JSON.parse(nested(MAX_DEPTH)))).toBe(MAX_DEPTH);
  });
});

const id = fc.oneof(
  fc.maxSafeInteger().map(String),
  fc.constantFrom("null", "0", "-0", "18446744073709551616", '"\\u0000"', '""'),
  fc.string({ maxLength: 40 }).map((text) => JSON.stringify(text)),
);

/** A valid call in any member order, with any white space and members of its own. */
const callText = fc
  .record({
    id,
    method: fc.stringMatching(/^[a-z]{2,8}_[A-Za-z]{1,20}$/),
    params: fc.option(
      fc.oneof(
        fc.array(fc.jsonValue({ maxDepth: 4 })),
        fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })),
      ),
      { nil: undefined },
    ),
    extra: fc.option(fc.tuple(fc.stringMatching(/^x[a-z]{0,6}$/), fc.jsonValue({ maxDepth: 3 })), {
      nil: undefined,
    }),
    order: fc.shuffledSubarray([0, 1, 2, 3, 4], { minLength: 5 }),
    space: fc.constantFrom("", " ", "\n", "\r\n\t "),
  })
  .map(({ id, method, params, extra, order, space }) => {
    const textWith = (token: string): string => {
      const members = [
        '"jsonrpc":"2.0"',
        `"id"${space}:${space}${token}`,
        `"method":${space}"${method}"`,
        ...(params === undefined ? [] : [`"params":${JSON.stringify(params)}`]),
        ...(extra === undefined ? [] : [`${JSON.stringify(extra[0])}:${JSON.stringify(extra[1])}`]),
      ];
      const placed = order.flatMap((index) => members[index] ?? []);
      return `${space}{${space}${placed.join(`${space},${space}`)}${space}}${space}`;
    };
    return { id, method, text: textWith(id), expected: textWith("123456789").trim() };
  });

describe("the scanner", () => {
  it("finds method and id of every valid call, and swaps the id and nothing else", () => {
    fc.assert(
      fc.property(callText, ({ id, method, text, expected }) => {
        const body = Buffer.from(text);
        const scanned = scanBody(body);
        if (scanned.kind !== "single") throw new Error(scanned.kind);
        const { envelope } = scanned;
        expect(envelope.fault).toBeUndefined();
        expect(envelope.method).toBe(method);
        expect(Buffer.from(idToken(body, envelope), "latin1").toString()).toBe(id);
        const sent = upstreamBytes(body, envelope, 123_456_789).toString();
        expect(sent).toBe(expected);
        expect({ ...JSON.parse(sent), id: 0 }).toEqual({ ...JSON.parse(text), id: 0 });
      }),
      { numRuns: 5000 },
    );
  });

  it("never fails on any bytes, and reads exactly what JSON.parse reads", () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((array) => Buffer.from(array)),
      fc.tuple(callText, fc.nat(), fc.nat(255)).map(([{ text }, at, byte]) => {
        const body = Buffer.from(text);
        body[at % body.length] = byte;
        return body;
      }),
    );
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    const readable = (body: Buffer): boolean => {
      try {
        return parses(decoder.decode(body));
      } catch {
        return false;
      }
    };
    fc.assert(
      fc.property(bytes, (body) => {
        expect(scanBody(body).kind !== "unreadable").toBe(readable(body));
      }),
      { numRuns: 10_000 },
    );
  });

  it("gives a batch one envelope per item, in order", () => {
    fc.assert(
      fc.property(fc.array(callText, { minLength: 1, maxLength: 20 }), (calls) => {
        const scanned = scanBody(Buffer.from(`[${calls.map(({ text }) => text).join(",")}]`));
        if (scanned.kind !== "batch") throw new Error(scanned.kind);
        expect(scanned.envelopes.map(({ method }) => method)).toEqual(
          calls.map(({ method }) => method),
        );
      }),
    );
  });
});
