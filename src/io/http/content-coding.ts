/**
 * The content codings of HTTP (RFC 9110 section 8.4.1) that are understood: what decodes a body, and
 * whether a client takes a compressed one.
 */
import type { Transform } from "node:stream";
import {
  brotliDecompress,
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createZstdDecompress,
  gunzip,
  inflate,
  zstdDecompress,
} from "node:zlib";

/** A zstd frame names the memory that reading it takes; more than this (RFC 8878: 8 MiB) is refused. */
const ZSTD = { params: { [constants.ZSTD_d_windowLogMax]: 23 } } as const;

/** A stream that decodes `encoding`; `undefined` when it is not known. */
export function decoderOf(encoding: string): Transform | undefined {
  switch (encoding) {
    case "gzip":
    case "x-gzip":
      return createGunzip();
    case "br":
      return createBrotliDecompress();
    case "deflate":
      return createInflate();
    case "zstd":
      return createZstdDecompress(ZSTD);
    default:
      return undefined;
  }
}

/** What came of a body: the plain bytes, or why there are none. */
export type Decoded = (body: Buffer, fault: "too_large" | "bad_encoding" | undefined) => void;

const NO_BODY: Buffer = Buffer.alloc(0);

/** Decodes a whole body; decoding stops at `maxBytes`, so a bomb is never unpacked. */
export function decodeBody(
  encoding: string | undefined,
  body: Buffer,
  maxBytes: number,
  done: Decoded,
): void {
  const options = { maxOutputLength: maxBytes };
  const told = (error: Error | null, decoded: Buffer): void => {
    if (error === null) done(decoded, undefined);
    else {
      const isLarge = (error as NodeJS.ErrnoException).code === "ERR_BUFFER_TOO_LARGE";
      done(NO_BODY, isLarge ? "too_large" : "bad_encoding");
    }
  };
  switch (encoding?.trim().toLowerCase()) {
    case "gzip":
    case "x-gzip":
      gunzip(body, options, told);
      break;
    case "br":
      brotliDecompress(body, options, told);
      break;
    case "deflate":
      inflate(body, options, told);
      break;
    case "zstd":
      zstdDecompress(body, { ...options, ...ZSTD }, told);
      break;
    case "identity":
      done(body, undefined);
      break;
    default:
      done(NO_BODY, "bad_encoding");
  }
}

/** Clients send the same header again and again: the last one is remembered. */
let lastAccept = "";
let lastTakes = false;

/**
 * Whether an Accept-Encoding asks for gzip (RFC 9110 section 12.5.3): named itself or by `*`, with a
 * weight above 0 and not below that of a plain answer, if that is named too.
 */
export function takesGzip(accept: string): boolean {
  if (accept === lastAccept) return lastTakes;
  lastAccept = accept;
  lastTakes = readAccept(accept);
  return lastTakes;
}

function readAccept(accept: string): boolean {
  const weights = new Map<string, number>();
  for (const part of accept.toLowerCase().split(",")) {
    const [name = "", ...parameters] = part.split(";").map((piece) => piece.trim());
    const weight = parameters.find((parameter) => /^q\s*=/.test(parameter));
    const q = weight === undefined ? 1 : Number(weight.slice(weight.indexOf("=") + 1).trim());
    if (name !== "") weights.set(name === "x-gzip" ? "gzip" : name, q >= 0 && q <= 1 ? q : 0);
  }
  const gzip = weights.get("gzip") ?? weights.get("*") ?? 0;
  return gzip > 0 && gzip >= (weights.get("identity") ?? 0);
}
