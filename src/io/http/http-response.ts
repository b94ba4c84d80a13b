/**
 * The answer to one HTTP request: whole in one write, in pieces, or streamed; compressed where the
 * client asks for it and the whole of it is worth it.
 */
import { createGzip, gzip, type Gzip } from "node:zlib";
import type { CallbackScope } from "../callback-scope.ts";
import { takesGzip } from "./content-coding.ts";

/** Answers below this leave as they are; the size counts, not the first chunk. */
const COMPRESS_BYTES = 1024;
/** Fastest level: hex shrinks to half at any level. */
const GZIP = { level: 1 } as const;

/** Header lists are flat: name, value, name, value. */
type Headers = readonly string[];

/** What an answer needs to know of its server. */
interface ServerState {
  readonly isDraining: boolean;
  /** Headers of every answer of this server. */
  readonly headers: Headers | undefined;
  readonly scope: CallbackScope;
}

/** What takes an answer's bytes to its connection; node:http's responses satisfy it. */
export interface ResponseWire {
  readonly destroyed: boolean;
  cork(): void;
  uncork(): void;
  on(event: "drain", listener: () => void): unknown;
  writeHead(status: number, headers: string[]): unknown;
  write(chunk: Buffer): boolean;
  write(chunk: string, encoding: "latin1"): boolean;
  end(): unknown;
  end(body: Buffer): unknown;
  end(body: string, encoding: "latin1"): unknown;
  destroy(): unknown;
}

/** An answer in the making. */
export class HttpResponse {
  onDrain: (() => void) | undefined = undefined;
  onGone: (() => void) | undefined = undefined;
  /** Headers that every answer to this request gets besides its own. */
  extraHeaders: Headers | undefined = undefined;
  readonly #response: ResponseWire;
  readonly #server: ServerState;
  readonly #acceptEncoding: string | undefined;
  #gzip: Gzip | undefined;
  #isComplete = false;

  constructor(response: ResponseWire, server: ServerState, acceptEncoding: string | undefined) {
    this.#response = response;
    this.#server = server;
    this.#acceptEncoding = acceptEncoding;
  }

  /** The client still listens and nothing complete was sent. */
  get isOpen(): boolean {
    return !this.#isComplete && !this.#response.destroyed;
  }

  /** A whole answer; strings are latin1. */
  send(status: number, headers: Headers, body: string | Buffer): void {
    this.#isComplete = true;
    const isNegotiable = body.length >= COMPRESS_BYTES;
    if (isNegotiable && this.#takesGzip()) {
      this.#compress(
        status,
        headers,
        typeof body === "string" ? Buffer.from(body, "latin1") : body,
      );
      return;
    }
    this.#writeHead(status, isNegotiable ? varied(headers) : headers);
    if (typeof body === "string") this.#response.end(body, "latin1");
    else this.#response.end(body);
  }

  /** A whole answer in pieces, in as few packets as possible. */
  sendPieces(
    status: number,
    headers: Headers,
    sizeBytes: number,
    pieces: readonly (string | Buffer)[],
  ): void {
    const response = this.#response;
    this.#isComplete = true;
    const isNegotiable = sizeBytes >= COMPRESS_BYTES;
    if (isNegotiable && this.#takesGzip()) {
      const bytes = pieces.map((piece) =>
        typeof piece === "string" ? Buffer.from(piece, "latin1") : piece,
      );
      this.#compress(status, headers, Buffer.concat(bytes, sizeBytes));
      return;
    }
    response.cork();
    this.#writeHead(status, isNegotiable ? varied(headers) : headers);
    for (const piece of pieces) {
      if (typeof piece === "string") response.write(piece, "latin1");
      else response.write(piece);
    }
    response.end();
    response.uncork();
  }

  /** Starts to stream, which only large answers do; without a content-length the body is chunked. */
  begin(status: number, headers: Headers, _sizeBytes: number): void {
    const response = this.#response;
    if (!this.#takesGzip()) {
      this.#writeHead(status, varied(headers));
      response.on("drain", () => this.#drained());
      return;
    }
    this.#writeHead(status, encoded(headers));
    const stream = createGzip(GZIP);
    this.#gzip = stream;
    stream.on("data", (chunk: Buffer) => {
      if (!response.write(chunk)) stream.pause();
    });
    stream.on("drain", () => this.#drained());
    stream.on("end", () => response.end());
    response.on("drain", () => stream.resume());
  }

  /** False asks for a pause until `onDrain`. */
  write(chunk: Buffer): boolean {
    return (this.#gzip ?? this.#response).write(chunk);
  }

  /** Completes a stream. */
  end(): void {
    this.#isComplete = true;
    (this.#gzip ?? this.#response).end();
  }

  /** Cuts the connection, so that nothing that left looks complete. */
  destroy(): void {
    this.#isComplete = true;
    this.#gzip?.destroy();
    this.#response.destroy();
  }

  /** The connection is done with this answer. */
  closed(): void {
    this.#gzip?.destroy();
    if (this.#isComplete) return;
    this.#isComplete = true;
    const { onGone } = this;
    if (onGone !== undefined) this.#server.scope.run(onGone);
  }

  #drained(): void {
    const { onDrain } = this;
    if (onDrain !== undefined) this.#server.scope.run(onDrain);
  }

  #writeHead(status: number, headers: Headers): void {
    const { extraHeaders } = this;
    const { headers: common, isDraining } = this.#server;
    const own = extraHeaders === undefined ? headers : [...headers, ...extraHeaders];
    const all = common === undefined ? own : [...own, ...common];
    const list = isDraining ? [...all, "Connection", "close"] : all;
    this.#response.writeHead(status, list as string[]);
  }

  #takesGzip(): boolean {
    const accept = this.#acceptEncoding;
    return accept !== undefined && takesGzip(accept);
  }

  #compress(status: number, headers: Headers, body: Buffer): void {
    gzip(body, GZIP, (error, bytes) => {
      if (this.#response.destroyed) return;
      if (error !== null) {
        this.#writeHead(status, varied(headers));
        this.#response.end(body);
        return;
      }
      this.#writeHead(status, [...encoded(headers), "Content-Length", String(bytes.length)]);
      this.#response.end(bytes);
    });
  }
}

/** Headers of a plain body that would be compressed for who asks: caches must keep the two apart. */
function varied(headers: Headers): string[] {
  return [...headers, "Vary", "Accept-Encoding"];
}

/** Headers of a compressed body: its length is another one. */
function encoded(headers: Headers): string[] {
  const kept: string[] = ["Content-Encoding", "gzip", "Vary", "Accept-Encoding"];
  for (let index = 0; index < headers.length; index += 2) {
    const name = headers[index] as string;
    if (name.toLowerCase() !== "content-length") kept.push(name, headers[index + 1] as string);
  }
  return kept;
}
