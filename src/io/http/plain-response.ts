/**
 * The bytes of an answer to a plain POST, as node:http would write them: head and body of a small one
 * in a single write.
 */
import { STATUS_CODES } from "./node-http.ts";
import type { Socket } from "node:net";

/** What an answer tells its connection. */
export interface PlainExchange {
  readonly socket: Socket;
  /** Header lines that tell a client how long an idle connection is kept. */
  readonly keepAliveLines: string;
  /** Everything is on its way; `isLast` when the connection ends with it. */
  answered(isLast: boolean): void;
}

/** Bodies up to this are joined with their head. */
const JOINED_BYTES = 4096;
const CRLF = "\r\n";
/** What a header may not hold (RFC 9110 5.5). */
const FORBIDDEN = /[^\t\x20-\x7e\x80-\xff]/;

/** One answer on its way. */
export class PlainResponse {
  readonly #exchange: PlainExchange;
  #head = "";
  #isChunked = false;
  #isLast = false;
  #isEnded = false;
  #onDrain: (() => void) | undefined;

  constructor(exchange: PlainExchange) {
    this.#exchange = exchange;
  }

  /** Nothing that is sent arrives any more. */
  get destroyed(): boolean {
    return !this.#exchange.socket.writable;
  }

  cork(): void {
    this.#exchange.socket.cork();
  }

  uncork(): void {
    this.#exchange.socket.uncork();
  }

  on(_event: "drain", listener: () => void): void {
    this.#onDrain = listener;
  }

  /** The socket takes more. */
  drained(): void {
    this.#onDrain?.();
  }

  /** Header lists are flat: name, value. */
  writeHead(status: number, headers: readonly string[]): void {
    let text = statusLine(status);
    let hasLength = status === 204;
    for (let index = 0; index < headers.length; index += 2) {
      const name = headers[index] as string;
      const value = headers[index + 1] as string;
      if (FORBIDDEN.test(value)) throw new TypeError(`a value of ${name} cannot be sent`);
      text += `${name}: ${value}\r\n`;
      if (name.length === 14 && name.toLowerCase() === "content-length") hasLength = true;
      else if (name === "Connection" && value === "close") this.#isLast = true;
    }
    text += this.#isLast ? date() : date() + this.#exchange.keepAliveLines;
    if (!hasLength) {
      this.#isChunked = true;
      text += "Transfer-Encoding: chunked\r\n";
    }
    this.#head = text + CRLF;
  }

  /** Sends a part of the body, strings as latin1; false asks for a pause. */
  write(chunk: string | Buffer): boolean {
    const { socket } = this.#exchange;
    if (!socket.writable) return true;
    socket.cork();
    this.#sendHead();
    const more = this.#isChunked ? this.#sendChunk(chunk) : send(socket, chunk);
    socket.uncork();
    return more;
  }

  /** Sends the rest and completes the answer. */
  end(body: string | Buffer = ""): void {
    const { socket } = this.#exchange;
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (!socket.writable) return;
    if (typeof body === "string" && body.length <= JOINED_BYTES && !this.#isChunked) {
      const text = this.#head + body;
      if (text !== "") socket.write(text, "latin1");
    } else {
      socket.cork();
      this.#sendHead();
      if (this.#isChunked) {
        this.#sendChunk(body);
        socket.write("0\r\n\r\n", "latin1");
      } else send(socket, body);
      socket.uncork();
    }
    if (socket.writableLength === 0) this.#exchange.answered(this.#isLast);
    else socket.write("", () => this.#exchange.answered(this.#isLast));
  }

  #sendHead(): void {
    if (this.#head !== "") this.#exchange.socket.write(this.#head, "latin1");
    this.#head = "";
  }

  #sendChunk(chunk: string | Buffer): boolean {
    const { socket } = this.#exchange;
    // A chunk of no bytes would end the body.
    if (chunk.length === 0) return true;
    socket.write(chunk.length.toString(16) + CRLF, "latin1");
    send(socket, chunk);
    return socket.write(CRLF, "latin1");
  }

  destroy(): void {
    this.#isEnded = true;
    this.#exchange.socket.destroy();
  }
}

function send(socket: Socket, bytes: string | Buffer): boolean {
  if (bytes.length === 0) return true;
  return typeof bytes === "string" ? socket.write(bytes, "latin1") : socket.write(bytes);
}

const statusLines = new Map<number, string>();

function statusLine(status: number): string {
  let line = statusLines.get(status);
  if (line === undefined) {
    line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "unknown"}\r\n`;
    statusLines.set(status, line);
  }
  return line;
}

let dateSecond = -1;
let dateLine = "";

/** The `Date` line, made once a second. */
function date(): string {
  const nowMs = Date.now();
  const second = Math.floor(nowMs / 1000);
  if (second !== dateSecond) {
    dateSecond = second;
    dateLine = `Date: ${new Date(nowMs).toUTCString()}\r\n`;
  }
  return dateLine;
}
