/**
 * An answer as bytes for a store that other hosts read: what it is an answer to, which block it
 * names, a checksum over everything. Whoever reads it trusts nothing: another key, another version, a
 * changed byte or a wrong length is no answer.
 */
import { hash } from "node:crypto";
import type { AnswerBlock } from "./answer-block.ts";
import { answerBytes, type AnswerBytes, fromBytes } from "./kept-answer.ts";

/** An answer and the block it names. */
export interface SharedAnswer {
  readonly answer: AnswerBytes;
  readonly named: AnswerBlock | undefined;
}

/** `PLA` and the version of the form. */
const MAGIC = 0x50_4c_41_01;
const IS_ERROR = 1;
const NAMES_BLOCK = 2;
const HASH_BYTES = 32;
const DIGEST_BYTES = 16;

/** Places of the fields; the checksum covers all that follows it. */
const AT = {
  magic: 0,
  checksum: 4,
  key: 20,
  flags: 36,
  idAt: 37,
  number: 41,
  hash: 49,
  answer: 81,
};

/** The bytes of an answer to the call whose key is `key`. */
export function encodeShared(key: string, { answer, named }: SharedAnswer): Buffer {
  const body = answerBytes(answer);
  const bytes = Buffer.alloc(AT.answer + body.length);
  bytes.writeUInt32BE(MAGIC, AT.magic);
  digest(Buffer.from(key, "latin1")).copy(bytes, AT.key);
  bytes[AT.flags] = (answer.isError ? IS_ERROR : 0) | (named === undefined ? 0 : NAMES_BLOCK);
  bytes.writeUInt32BE(answer.before.length, AT.idAt);
  if (named !== undefined) {
    bytes.writeBigUInt64BE(BigInt(named.number), AT.number);
    bytes.write(named.hash.slice(2), AT.hash, HASH_BYTES, "hex");
  }
  body.copy(bytes, AT.answer);
  digest(bytes.subarray(AT.key)).copy(bytes, AT.checksum);
  return bytes;
}

/** The answer in `bytes`, if they are one to the call whose key is `key`. */
export function decodeShared(key: string, bytes: Buffer): SharedAnswer | undefined {
  if (bytes.length < AT.answer || bytes.readUInt32BE(AT.magic) !== MAGIC) return undefined;
  const isWhole = digest(bytes.subarray(AT.key)).equals(bytes.subarray(AT.checksum, AT.key));
  const isOurs = digest(Buffer.from(key, "latin1")).equals(bytes.subarray(AT.key, AT.flags));
  if (!isWhole || !isOurs) return undefined;
  const flags = bytes[AT.flags] as number;
  const body = bytes.subarray(AT.answer);
  const idAt = bytes.readUInt32BE(AT.idAt);
  if (idAt > body.length) return undefined;
  const named: AnswerBlock | undefined =
    (flags & NAMES_BLOCK) === 0
      ? undefined
      : {
          number: Number(bytes.readBigUInt64BE(AT.number)),
          hash: `0x${bytes.toString("hex", AT.hash, AT.hash + HASH_BYTES)}`,
        };
  return { answer: fromBytes(body, idAt, (flags & IS_ERROR) !== 0), named };
}

function digest(bytes: Buffer): Buffer {
  return hash("sha256", bytes, "buffer").subarray(0, DIGEST_BYTES);
}
