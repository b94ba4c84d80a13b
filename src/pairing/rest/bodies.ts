/** How bodies of requests are read: bounded, in slices where they may be long, faults with their place. */
import { isUtf8 } from "node:buffer";
import { beginsList, JsonElements } from "../../lib/json-elements.ts";
import { badInput } from "../fault.ts";
import type { Refusal, Reply } from "../protocol.ts";

/** Largest body that is no list, bytes: parsing it takes some milliseconds. */
export const MAX_RECORD_BYTES = 256 * 1024;
/** Largest element of a list, bytes. */
const MAX_ELEMENT_BYTES = 64 * 1024;
/** What is parsed of a list between two looks at other work, bytes. */
const SLICE_BYTES = 64 * 1024;

/** Lets other work go on. */
export type YieldTurn = () => Promise<void>;

/** Whether a body is a list. */
export const isListBody = (body: Buffer): boolean => beginsList(body);

/** Reads a body that is one value. */
export function readRecord(body: Buffer): Reply<unknown> {
  if (body.length === 0) return bad("", "the body is empty, expected JSON");
  if (body.length > MAX_RECORD_BYTES) {
    return refused(
      "PAIRING_BODY_TOO_LARGE",
      `the body has ${body.length} bytes, at most ${MAX_RECORD_BYTES} are read of one that is no list`,
    );
  }
  if (!isUtf8(body)) return bad("", "the body is not UTF-8");
  try {
    return { ok: true, value: JSON.parse(body.toString("utf8")) as unknown };
  } catch (error) {
    return bad("", `the body is no JSON: ${(error as Error).message}`);
  }
}

/** The same, where a body may be left out. */
export const optionalRecord = (body: Buffer): Reply<unknown> =>
  body.length === 0 ? { ok: true, value: undefined } : readRecord(body);

/** Reads a body that is a list of at most `maxItems`; between slices others have their turn. */
export async function readList(
  body: Buffer,
  maxItems: number,
  yieldTurn: YieldTurn,
): Promise<Reply<readonly unknown[]>> {
  if (!isListBody(body)) return bad("", "expected a list");
  if (!isUtf8(body)) return bad("", "the body is not UTF-8");
  const reader = new JsonElements(body, MAX_ELEMENT_BYTES);
  const all: unknown[] = [];
  for (;;) {
    const slice = reader.next(SLICE_BYTES);
    if (!slice.ok) {
      const { index, message } = slice.fault;
      return bad(index === undefined ? "" : `[${index}]`, message);
    }
    for (const element of slice.elements) all.push(element);
    if (all.length > maxItems) {
      return refused("PAIRING_TOO_MANY", `more than ${maxItems} items in one list`);
    }
    if (slice.isLast) return { ok: true, value: all };
    // oxlint-disable-next-line no-await-in-loop -- that is what slices are for
    await yieldTurn();
  }
}

const bad = (path: string, message: string): Reply<never> => badInput([{ path, message }]);

const refused = (code: Refusal["code"], message: string): Reply<never> => ({
  ok: false,
  refusal: { code, message },
});
