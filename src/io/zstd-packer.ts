/** Packs values for a shared store with zstd (RFC 8878), off the main thread. */
import { constants, zstdCompress, zstdDecompress } from "node:zlib";

/** Calls `done` once: with the packed bytes, or `undefined` when that failed. */
const pack = (bytes: Buffer, done: (packed: Buffer | undefined) => void): void => {
  const params = { [constants.ZSTD_c_compressionLevel]: LEVEL };
  zstdCompress(bytes, { params }, (error, packed) => done(error === null ? packed : undefined));
};

/** Calls `done` once: with the bytes, or `undefined` for broken ones and for more than `maxBytes`. */
const unpack = (
  packed: Buffer,
  maxBytes: number,
  done: (bytes: Buffer | undefined) => void,
): void => {
  zstdDecompress(packed, { maxOutputLength: maxBytes }, (error, bytes) =>
    done(error === null ? bytes : undefined),
  );
};

/** The fastest level that still halves a block. */
const LEVEL = 1;

/** The packer of the shared level of the cache. */
export const zstdPacker = { pack, unpack };
