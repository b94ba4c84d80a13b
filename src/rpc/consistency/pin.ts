/**
 * Puts block numbers where a call has block tags, so that several calls read the same block
 * (json-rpc reference 8). The params are spliced in bytes; all else of the call stays as it was.
 */
import { hexQuantity } from "../json-rpc/quantity.ts";
import type { Envelope } from "../json-rpc/scan.ts";
import { type MovingTag, type TagSpot, tagSpots } from "./block-tags.ts";

/** Which block a tag stands for; -1 when that is not known. */
export type TagNumber = (tag: MovingTag) => number;

/** A call whose tags have become numbers. */
export interface PinnedCall {
  readonly body: Buffer;
  readonly envelope: Envelope;
  /** The highest of the numbers: who serves the call must have reached it. */
  readonly pin: number;
}

/** The call with its tags as numbers; `undefined` when it has none, or one that is not known. */
export function pinCall(
  body: Buffer,
  envelope: Envelope,
  numberOf: TagNumber,
): PinnedCall | undefined {
  const { method, paramsStart, paramsEnd } = envelope;
  const spots = tagSpots(method, body, paramsStart, paramsEnd);
  if (spots.length === 0) return undefined;
  const numbers = spots.map(({ tag }) => numberOf(tag));
  if (numbers.some((number) => number < 0)) return undefined;
  const params = spliced(body, paramsStart, paramsEnd, spots, numbers);
  return { ...withParams(body, envelope, params), pin: Math.max(...numbers) };
}

/** Whether a call reads a block that a pin could fix. */
export const readsMovingBlock = (body: Buffer, envelope: Envelope): boolean =>
  envelope.fault === undefined &&
  (envelope.method === "eth_blockNumber" ||
    tagSpots(envelope.method, body, envelope.paramsStart, envelope.paramsEnd).length > 0);

function spliced(
  body: Buffer,
  start: number,
  end: number,
  spots: readonly TagSpot[],
  numbers: readonly number[],
): Buffer {
  const pieces: Buffer[] = [];
  let at = start;
  for (const [index, spot] of spots.entries()) {
    const quantity = `"${hexQuantity(numbers[index] as number)}"`;
    pieces.push(
      body.subarray(at, spot.start),
      Buffer.from(spot.before + quantity + spot.after, "latin1"),
    );
    at = spot.end;
  }
  pieces.push(body.subarray(at, end));
  return Buffer.concat(pieces);
}

/** The bytes of the call alone, with other params; the envelope's positions follow. */
function withParams(
  body: Buffer,
  envelope: Envelope,
  params: Buffer,
): { body: Buffer; envelope: Envelope } {
  const { start, end, paramsStart, paramsEnd } = envelope;
  const grown = params.length - (paramsEnd - paramsStart);
  const moved = (at: number): number => (at < 0 ? at : at - start + (at >= paramsEnd ? grown : 0));
  return {
    body: Buffer.concat([body.subarray(start, paramsStart), params, body.subarray(paramsEnd, end)]),
    envelope: {
      ...envelope,
      start: 0,
      end: moved(end),
      idStart: moved(envelope.idStart),
      idEnd: moved(envelope.idEnd),
      paramsStart: moved(paramsStart),
      paramsEnd: moved(paramsEnd),
    },
  };
}
