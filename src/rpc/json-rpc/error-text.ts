/** Builds error answers as latin1 text: one char per byte of UTF-8, ready to be spliced or sent. */

/** UTF-8 text as one char per byte. */
export function asLatin1(text: string): string {
  // Control and ASCII bytes are the same in both; only the rest needs encoding.
  // oxlint-disable-next-line no-control-regex
  return /^[\u0000-\u007f]*$/.test(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** What stands before the id in every answer that we word, and in nearly all of providers. */
export const ANSWER_HEAD = '{"jsonrpc":"2.0","id":';

/** `{"jsonrpc":"2.0","id":…,"error":…}` with a raw error object. */
export function rawErrorText(idToken: string, rawError: string): string {
  return `${ANSWER_HEAD}${idToken},"error":${asLatin1(rawError)}}`;
}

/** An error answer of our own. */
export function errorText(
  idToken: string,
  code: number,
  message: string,
  data?: Readonly<Record<string, unknown>>,
): string {
  return rawErrorText(
    idToken,
    JSON.stringify(data === undefined ? { code, message } : { code, message, data }),
  );
}

/** A result of our own; `json` is JSON text. */
export function resultText(idToken: string, json: string): string {
  return `${ANSWER_HEAD}${idToken},"result":${asLatin1(json)}}`;
}
