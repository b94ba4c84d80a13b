/**
 * Subscription frames for clients, put together by byte splice: the `result` bytes of the provider
 * travel untouched. A frame is built once per stream and shared by all its clients.
 */

const PREFIX = '{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":"';
const MIDDLE = '","result":';
const SUFFIX = "}}";

/** What every event of one subscription id begins with; made once per stream. */
export const eventPrefix = (subscriptionId: string): Buffer =>
  Buffer.from(`${PREFIX}${subscriptionId}${MIDDLE}`, "latin1");

/**
 * An unmasked, final RFC 6455 text frame of one event (section 5.2): header, `prefix` of
 * `eventPrefix`, the result's bytes, closing braces.
 */
export const eventFrame = (prefix: Buffer, result: Uint8Array): Buffer => {
  const size = prefix.length + result.length + SUFFIX.length;
  const head = size < 126 ? 2 : size < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(head + size);
  frame[0] = 0x81;
  if (head === 2) frame[1] = size;
  else if (head === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(size, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(size), 2);
  }
  frame.set(prefix, head);
  frame.set(result, head + prefix.length);
  frame[head + size - 2] = 0x7d;
  frame[head + size - 1] = 0x7d;
  return frame;
};
