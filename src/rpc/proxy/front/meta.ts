/** Explanations beside answers: a member of the answer, or a notification after it. */
import { explain } from "../../explain/explain.ts";
import { asLatin1 } from "../../json-rpc/error-text.ts";
import type { Envelope } from "../../json-rpc/scan.ts";
import { skipColon, skipSpace, skipString, skipValue } from "../../json-rpc/json-bytes.ts";
import type { CallFacts } from "../call.ts";

/** Adds a `paceline` member behind the last one of an answer (latin1 text). */
export function withMeta(latin1: string, facts: CallFacts): string {
  const close = latin1.lastIndexOf("}");
  return `${latin1.slice(0, close)},"paceline":${metaText(facts)}}`;
}

/** What a WebSocket client gets after an answer that it wanted explained; latin1 text. */
export function metaNotification(facts: CallFacts): string {
  const params = `{"id":${facts.idToken},${metaText(facts).slice(1)}`;
  return `{"jsonrpc":"2.0","method":"paceline_meta","params":${params}}`;
}

function metaText(facts: CallFacts): string {
  return asLatin1(JSON.stringify(explain(facts, facts.now())));
}

const NOTIFY = '"notify"';
const SPACE = 0x20;
const COMMA = 0x2c;

/**
 * Takes a call's `paceline_meta` member out of the body, by blanks in its place, so that no provider
 * sees it; true when it asks for a notification.
 */
export function takeMetaMember(body: Buffer, { metaAt, start, end }: Envelope): boolean {
  if (metaAt === undefined) return false;
  const valueAt = skipColon(body, skipString(body, metaAt, end), end);
  let valueEnd = skipValue(body, valueAt, end, 1);
  const isNotify = body.toString("latin1", valueAt, valueEnd) === NOTIFY;
  let from = metaAt;
  const next = skipSpace(body, valueEnd, end);
  if (body[next] === COMMA) valueEnd = next + 1;
  else {
    // The last member: the comma before it goes.
    while (from > start && body[from] !== COMMA) from--;
    if (body[from] !== COMMA) from = metaAt;
  }
  body.fill(SPACE, from, valueEnd);
  return isNotify;
}
