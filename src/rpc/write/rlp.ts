/** The little of RLP (Ethereum yellow paper, appendix B) that a signed transaction needs. */

/** Where one item stands: its header from `at`, its content from `start` to `end`. */
export interface RlpItem {
  readonly at: number;
  readonly start: number;
  readonly end: number;
  readonly isList: boolean;
}

const LONG_STRING = 0xb7;
const LIST = 0xc0;
const LONG_LIST = 0xf7;
/** No transaction is longer than 4 bytes can say. */
const MAX_LENGTH_BYTES = 4;

/** The item at `at`; undefined when it does not end within `bytes`. */
export const rlpItem = (bytes: Buffer, at: number): RlpItem | undefined => {
  const first = bytes[at];
  if (first === undefined) return undefined;
  if (first < 0x80) return { at, start: at, end: at + 1, isList: false };
  const isList = first >= LIST;
  const [short, long] = isList ? [LIST, LONG_LIST] : [0x80, LONG_STRING];
  const digits = Math.max(0, first - long);
  const start = at + 1 + digits;
  if (digits > MAX_LENGTH_BYTES || start > bytes.length) return undefined;
  const end = start + (digits === 0 ? first - short : bytes.readUIntBE(at + 1, digits));
  return end > bytes.length ? undefined : { at, start, end, isList };
};

/** The items of a list; undefined when they do not fill it exactly, or are more than `max`. */
export const rlpItems = (
  bytes: Buffer,
  list: RlpItem,
  max: number,
): readonly RlpItem[] | undefined => {
  const items: RlpItem[] = [];
  for (let at = list.start; at < list.end; ) {
    const item = rlpItem(bytes, at);
    if (item === undefined || item.end > list.end || items.length === max) return undefined;
    items.push(item);
    at = item.end;
  }
  return items;
};

/** A list of items that are encoded already. */
export const rlpList = (content: Uint8Array): Buffer => {
  const { length } = content;
  if (length <= LONG_LIST - LIST) return Buffer.concat([Buffer.of(LIST + length), content]);
  const digits = bigEndian(length);
  return Buffer.concat([Buffer.of(LONG_LIST + digits.length), digits, content]);
};

/** A number as an item. */
export const rlpNumber = (value: bigint): Buffer => {
  if (value === 0n) return Buffer.of(0x80);
  const text = value.toString(16);
  const bytes = Buffer.from(text.length % 2 === 0 ? text : `0${text}`, "hex");
  return bytes.length === 1 && (bytes[0] ?? 0) < 0x80
    ? bytes
    : Buffer.concat([Buffer.of(0x80 + bytes.length), bytes]);
};

const bigEndian = (value: number): Buffer => {
  const bytes = Buffer.alloc(MAX_LENGTH_BYTES);
  bytes.writeUInt32BE(value);
  return bytes.subarray(bytes.findIndex((byte) => byte !== 0));
};
