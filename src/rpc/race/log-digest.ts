/**
 * A number for what a log says: its address, topics, data, transaction and index. Equal for every
 * provider that tells the same, whatever the order of members or the case of digits.
 *
 * Most nodes write address, topics and data first and next to each other: then they are one range of
 * the frame and nothing is cut out of it. Whatever deviates is put into that form before.
 */
import { Buffer } from "node:buffer";
import { mix32 } from "../../lib/mix32.ts";
import { member, resultMember, type SubscriptionFrame } from "../subscription-frame.ts";

const m = {
  address: member("address"),
  topics: member("topics"),
  data: member("data"),
  transactionHash: member("transactionHash"),
};

const START = '{"address":"';
const TOPICS = '","topics":[';
const DATA = '],"data":"';
const TRANSACTION = '"transactionHash":"';
const ADDRESS_CHARS = 42;
const HASH_CHARS = 66;
/** A topic in quotes, with the comma before the next one. */
const TOPIC_CHARS = HASH_CHARS + 3;
/** Makes capital digits small; what else stands there stays apart from them. */
const SMALL = 0x20202020;
/** Odd numbers with well mixed bits (the golden ratio; murmur3). */
const [STEP, OTHER_STEP] = [0x9e3779b1, 0x85ebca6b] as const;

/** Makes digests; those of one seed can be compared, and nobody who does not know it can forge them. */
export class LogDigest {
  readonly seed: number;
  #viewed: ArrayBufferLike | undefined;
  #view: DataView = new DataView(new ArrayBuffer(0));

  /** `seed`: a 32-bit integer. */
  constructor(seed: number) {
    this.seed = seed | 0;
  }

  /** The digest of a log as a stream tells it. */
  ofFrame(index: number, frame: SubscriptionFrame): number {
    const { text, bytes, resultStart, resultEnd } = frame;
    const address = resultStart + START.length;
    const topics = address + ADDRESS_CHARS + TOPICS.length;
    if (!frame.isParsed && text.startsWith(START, resultStart)) {
      const data = text.indexOf(DATA, topics - 1);
      const isPlain =
        text.startsWith(TOPICS, address + ADDRESS_CHARS) && isCompact(data - topics, resultEnd);
      const end = isPlain ? text.indexOf('"', data + DATA.length) : -1;
      const transaction = end < 0 ? -1 : text.indexOf(TRANSACTION, end);
      if (transaction >= 0) {
        const hash = transaction + TRANSACTION.length;
        const isWhole = text.charCodeAt(hash + HASH_CHARS) === QUOTE;
        if (isWhole) {
          return this.#placed(
            index,
            this.#hash(bytes, address, end) ^ this.#hash(bytes, hash, hash + HASH_CHARS),
          );
        }
      }
    }
    return this.#ofParts(
      index,
      resultMember(frame, m.address),
      resultMember(frame, m.topics)?.match(HEX) ?? [],
      resultMember(frame, m.data),
      resultMember(frame, m.transactionHash),
    );
  }

  /** The digest of a log that has been parsed. */
  ofLog(index: number, log: Readonly<Record<string, unknown>>): number {
    const { address, topics, data, transactionHash } = log;
    return this.#ofParts(
      index,
      address,
      Array.isArray(topics) ? (topics as unknown[]) : [],
      data,
      transactionHash,
    );
  }

  /** The digest of an index alone. */
  ofIndex(index: number): number {
    return Math.imul(mix32(Math.imul(index, STEP) ^ this.seed), OTHER_STEP);
  }

  #ofParts(
    index: number,
    address: unknown,
    topics: readonly unknown[],
    data: unknown,
    transactionHash: unknown,
  ): number {
    const list = topics.map((topic) => `"${String(topic)}"`).join(",");
    const log = Buffer.from(
      `${textOf(address)}${TOPICS}${list}${DATA}${textOf(data, NO_DATA)}`,
      "latin1",
    );
    const hash = Buffer.from(textOf(transactionHash), "latin1");
    return this.#placed(index, this.#hash(log, 0, log.length) ^ this.#hash(hash, 0, hash.length));
  }

  #placed(index: number, content: number): number {
    return mix32(content ^ this.ofIndex(index));
  }

  #hash(bytes: Buffer, start: number, end: number): number {
    if (bytes.buffer !== this.#viewed) {
      // Many frames lie in one read of a socket.
      this.#viewed = bytes.buffer;
      this.#view = new DataView(bytes.buffer);
    }
    const view = this.#view;
    const stop = bytes.byteOffset + end;
    let at = bytes.byteOffset + start;
    let one = this.seed;
    let other = ~this.seed;
    // Two sums that do not wait for each other.
    for (; at + 8 <= stop; at += 8) {
      one = Math.imul(one ^ (view.getInt32(at, true) | SMALL), STEP);
      other = Math.imul(other ^ (view.getInt32(at + 4, true) | SMALL), OTHER_STEP);
      one = (one << 13) | (one >>> 19);
      other = (other << 17) | (other >>> 15);
    }
    for (; at < stop; at++) one = Math.imul(one ^ (view.getUint8(at) | 0x20), STEP);
    return mix32(one ^ mix32(other ^ (end - start)));
  }
}

/** What a log without data says. */
const NO_DATA = "0x";
const QUOTE = 0x22;
const HEX = /0x[0-9a-f]*/gi;

/** Whether so many characters are topics in quotes, with commas and nothing else between them. */
const isCompact = (length: number, max: number): boolean =>
  length === 0 || (length > 0 && length < max && length % TOPIC_CHARS === TOPIC_CHARS - 1);

const textOf = (value: unknown, absent = ""): string =>
  typeof value === "string" ? value : absent;
