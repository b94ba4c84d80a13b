/**
 * The bytes of one call as a provider gets them: the client's own, with our id in the id's place.
 */
import type { Envelope } from "./scan.ts";
import { ID_WIDTH, writeId } from "./upstream-id.ts";

const NOTIFICATION_ID = Buffer.from(`"id":${"0".repeat(ID_WIDTH)},`);

/** A fresh copy of the call with `id` in it; a notification gets an id, since upstreams answer only then. */
export function upstreamBytes(body: Buffer, envelope: Envelope, id: number): Buffer {
  const { start, end, idStart, idEnd } = envelope;
  if (idStart < 0) {
    const bytes = Buffer.allocUnsafe(end - start + NOTIFICATION_ID.length);
    bytes[0] = 0x7b;
    NOTIFICATION_ID.copy(bytes, 1);
    body.copy(bytes, 1 + NOTIFICATION_ID.length, start + 1, end);
    writeId(bytes, 6, id);
    return bytes;
  }
  const before = idStart - start;
  const bytes = Buffer.allocUnsafe(end - start - (idEnd - idStart) + ID_WIDTH);
  body.copy(bytes, 0, start, idStart);
  writeId(bytes, before, id);
  body.copy(bytes, before + ID_WIDTH, idEnd, end);
  return bytes;
}

/** The client's id as it stood in the body; `null` when it sent none that can be echoed. */
export function idToken(body: Buffer, envelope: Envelope): string {
  return envelope.idStart < 0 ? "null" : body.toString("latin1", envelope.idStart, envelope.idEnd);
}
