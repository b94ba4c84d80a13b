/** RLP, Ethereum's serialization (yellow paper, appendix B). */

/** What can be encoded: bytes, or a list of such. */
export type RlpItem = Uint8Array | readonly RlpItem[];

/** Where an encoded item stands: its header from `at`, its content from `start` to `end`. */
export interface RlpSpan {
  readonly at: number;
  readonly start: number;
  readonly end: number;
  readonly isList: boolean;
}

/** The first byte of a list is at least this; of a string, at least `STRING`. */
export const RLP_LIST = 0xc0;
const STRING = 0x80;
/** Content up to this length has a header of one byte. */
const MAX_SHORT = 55;
/** Nothing that is read here is longer than 4 bytes can say. */
const MAX_LENGTH_BYTES = 4;

/** The encoding of an item. */
export function rlp(item: RlpItem): Buffer {
  if (!(item instanceof Uint8Array)) return rlpList(Buffer.concat(item.map(rlp)));
  if (item.length === 1 && (item[0] as number) < STRING) return Buffer.from(item);
  return Buffer.concat([header(STRING, item.length), item]);
}

/** The list of some items, given their encodings one behind the other. */
export function rlpList(content: Uint8Array): Buffer {
  return Buffer.concat([header(RLP_LIST, content.length), content]);
}

/** A number without leading zeros, as RLP takes it; 0 is no byte at all. */
export function bigEndian(value: bigint): Uint8Array {
  if (value === 0n) return EMPTY;
  const hex = value.toString(16);
  return Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, "hex");
}

const EMPTY = new Uint8Array(0);

function header(offset: number, sizeBytes: number): Buffer {
  if (sizeBytes <= MAX_SHORT) return Buffer.of(offset + sizeBytes);
  const size = bigEndian(BigInt(sizeBytes));
  return Buffer.concat([Buffer.of(offset + MAX_SHORT + size.length), size]);
}

/** The item at `at`; undefined when it does not end within `bytes`. */
export function rlpSpan(bytes: Buffer, at: number): RlpSpan | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  if (first < STRING) return { at, start: at, end: at + 1, isList: false };
  const isList = first >= RLP_LIST;
  const short = first - (isList ? RLP_LIST : STRING);
  const digits = Math.max(0, short - MAX_SHORT);
  const start = at + 1 + digits;
  if (digits > MAX_LENGTH_BYTES || start > bytes.length) return undefined;
  const end = start + (digits === 0 ? short : bytes.readUIntBE(at + 1, digits));
  return end > bytes.length ? undefined : { at, start, end, isList };
}

/** The items of a list; undefined when they do not fill it exactly, or are more than `max`. */
export function rlpSpans(
  bytes: Buffer,
  list: RlpSpan,
  max: number,
): readonly RlpSpan[] | undefined {
  const spans: RlpSpan[] = [];
  for (let at = list.start; at < list.end; ) {
    const span = rlpSpan(bytes, at);
    if (span === undefined || span.end > list.end || spans.length === max) return undefined;
    spans.push(span);
    at = span.end;
  }
  return spans;
}
