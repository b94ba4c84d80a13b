/**
 * Finds the text messages in what a WebSocket server sends, many in one go: a provider's stream is
 * thousands of small messages a second, and taking each out of its read by itself costs more than
 * all that is done with most of them.
 *
 * Only what lies whole in one read and needs no thought is found here; control frames, fragments,
 * messages over several reads, and whatever is against the protocol go on to the library, bytes
 * unchanged and in order.
 */
import { isUtf8 } from "node:buffer";

/** Messages that lie in one piece of memory. */
export interface Texts {
  readonly bytes: Buffer;
  /** Where each begins and ends, in pairs. */
  readonly bounds: readonly number[];
}

/** Where the bytes go. */
export interface TextsPorts {
  /** Whole messages, valid UTF-8. */
  readonly texts: (texts: Texts) => void;
  /** Frames for the library, or parts of them. */
  readonly rest: (bytes: Buffer) => void;
  /** A text is no UTF-8; nothing is read after that. */
  readonly invalid: () => void;
}

/** First byte of a whole, uncompressed text message (RFC 6455 section 5.2). */
const WHOLE_TEXT = 0x81;
const FINAL = 0x80;
const RESERVED = 0x70;
const OPCODE = 0x0f;
const CONTINUATION = 0;
/** The last of the opcodes that carry a message: continuation, text, binary. */
const LAST_DATA = 2;
const [PING, PONG] = [9, 10] as const;
const MASKED = 0x80;
const SIZE = 0x7f;
const MAX_HEAD_BYTES = 10;
const WORD = 2 ** 32;
const SPACE = 0x20;

/** Reads one connection. */
export class TextReader {
  readonly #ports: TextsPorts;
  readonly #maxBytes: number;
  /** A frame's head of which the end has yet to be read. */
  #carry: Buffer | undefined;
  /** Bytes of the current frame that the library has yet to get. */
  #owed = 0;
  /** The library is in the middle of a message. */
  #isFragmented = false;
  /** The current frame ends the connection: a close, or something that the library refuses. */
  #isLast = false;
  #isStopped = false;

  /** `maxBytes`: a longer message is left to the library to refuse. */
  constructor(ports: TextsPorts, maxBytes: number) {
    this.#ports = ports;
    this.#maxBytes = maxBytes;
  }

  /** Takes what was read; the heads of the messages found are overwritten in it. */
  read(chunk: Buffer): void {
    const bytes = this.#carry === undefined ? chunk : Buffer.concat([this.#carry, chunk]);
    this.#carry = undefined;
    for (let at = 0; at < bytes.length && !this.#isStopped; ) {
      if (this.#owed > 0) at = this.#pass(bytes, at);
      else {
        at = this.#find(bytes, at);
        if (at < bytes.length && !this.#isStopped && !this.#leave(bytes, at)) return;
      }
    }
  }

  /** The connection is at its end: nothing is read any more. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    // The library may yet read what lies in the socket.
    if (this.#carry !== undefined) this.#ports.rest(this.#carry);
  }

  /** Passes on what belongs to a frame of the library's; answers where that ends. */
  #pass(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#owed);
    this.#owed -= end - at;
    this.#isStopped = this.#isLast && this.#owed === 0;
    this.#ports.rest(bytes.subarray(at, end));
    return end;
  }

  /** Finds messages up to a frame that is not for here; answers where that begins. */
  #find(bytes: Buffer, from: number): number {
    const bounds: number[] = [];
    let at = from;
    while (bytes[at] === WHOLE_TEXT && (bytes[at + 1] as number) < MASKED && !this.#isFragmented) {
      const start = at + headBytes(bytes, at);
      if (start > bytes.length) break;
      const sizeBytes = payloadBytes(bytes, at);
      if (start + sizeBytes > bytes.length || sizeBytes > this.#maxBytes) break;
      // So that one look tells whether all that was read is text.
      for (; at < start; at++) bytes[at] = SPACE;
      at = start + sizeBytes;
      bounds.push(start, at);
    }
    if (bounds.length === 0) return at;
    if (isUtf8(bytes.subarray(from, at))) this.#ports.texts({ bytes, bounds });
    else {
      this.#isStopped = true;
      this.#ports.invalid();
    }
    return at;
  }

  /** The frame that begins here is for the library; false when its head is not whole yet. */
  #leave(bytes: Buffer, at: number): boolean {
    const left = bytes.length - at;
    if (left < 2 || left < headBytes(bytes, at)) {
      this.#carry = bytes.subarray(at);
      return false;
    }
    const first = bytes[at] as number;
    const opcode = first & OPCODE;
    const sizeBytes = payloadBytes(bytes, at);
    this.#owed = headBytes(bytes, at) + sizeBytes;
    const isData = opcode <= LAST_DATA;
    const isExpected = isData
      ? (opcode === CONTINUATION) === this.#isFragmented
      : opcode === PING || opcode === PONG;
    const isPlain = (first & RESERVED) === 0 && ((bytes[at + 1] as number) & MASKED) === 0;
    this.#isLast = !isExpected || !isPlain || sizeBytes > this.#maxBytes;
    if (isData) this.#isFragmented = (first & FINAL) === 0;
    return true;
  }
}

/** Size of the frame head that begins here, but for a mask, which a server must not use. */
const headBytes = (bytes: Buffer, at: number): number => {
  const size = (bytes[at + 1] as number) & SIZE;
  return size < 126 ? 2 : size === 126 ? 4 : MAX_HEAD_BYTES;
};

const payloadBytes = (bytes: Buffer, at: number): number => {
  const size = (bytes[at + 1] as number) & SIZE;
  if (size < 126) return size;
  if (size === 126) return bytes.readUInt16BE(at + 2);
  return bytes.readUInt32BE(at + 2) * WORD + bytes.readUInt32BE(at + 6);
};
