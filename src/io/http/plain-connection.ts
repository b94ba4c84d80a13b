/**
 * One client connection as long as its requests are plain: a POST whose head came in one piece and
 * leaves no doubt. Such a request costs a fraction of what node:http takes for one. At the first that
 * is anything else the socket becomes node:http's for good, with every byte that nobody has answered
 * (docs/adr/0014).
 */
import type { Socket } from "node:net";
import type { HttpRequest } from "./http-request.ts";
import type { HttpResponse, ResponseWire } from "./http-response.ts";
import { findHead, type PlainHead } from "./plain-head.ts";
import { type PlainExchange, PlainResponse } from "./plain-response.ts";

/** Who answers requests, from whatever connection. */
export interface RequestHost {
  readonly maxBodyBytes: number;
  /** A request has begun: what is sent to `wire` is its answer. */
  begin(wire: ResponseWire, acceptEncoding: string | undefined): HttpResponse;
  /** The request is whole. */
  hand(request: HttpRequest, reply: HttpResponse): void;
  /** The answer has left, or never will. */
  finish(reply: HttpResponse): void;
}

/** What a connection needs of its listener. */
export interface PlainHost {
  readonly requests: RequestHost;
  /** Header lines that tell a client how long an idle connection is kept. */
  readonly keepAliveLines: string;
  /** The socket is to be node:http's; what was read and not answered is in it again. */
  handOver(connection: PlainConnection): void;
  closed(connection: PlainConnection): void;
}

/** A plain POST. */
class PlainRequest implements HttpRequest {
  readonly method = "POST";
  readonly isSecure = false;
  readonly bodyFault = undefined;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
  readonly #head: PlainHead;
  readonly #socket: Socket;

  constructor(head: PlainHead, body: Buffer, socket: Socket) {
    this.#head = head;
    this.url = head.url;
    this.rawHeaders = head.rawHeaders;
    this.body = body;
    this.#socket = socket;
  }

  get host(): string {
    return this.#head.host;
  }

  get remoteAddress(): string | undefined {
    return this.#socket.remoteAddress;
  }
}

/** What a connection is doing: nothing yet, reading a request, answering it, waiting for the next. */
export type PlainPhase = "fresh" | "reading" | "serving" | "idle" | "gone";

/** What node:http tells a client that took too long. */
const REQUEST_TIMEOUT = "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n";

/** A connection that has sent nothing but plain requests. */
export class PlainConnection implements PlainExchange {
  readonly socket: Socket;
  phase: PlainPhase = "fresh";
  /** Since when it is in its phase, ms; of no account while it serves. */
  sinceMs: number;
  readonly #host: PlainHost;
  #head: PlainHead | undefined;
  /** What was read and not served: a request in part, or what came while another was being answered. */
  #unread: Buffer[] = [];
  #unreadBytes = 0;
  /** Size of the request that is being read, bytes. */
  #wantedBytes = 0;
  #reply: HttpResponse | undefined;
  #response: PlainResponse | undefined;
  #isResuming = false;
  readonly #listeners = {
    data: (chunk: Buffer): void => this.#take(chunk),
    // As with node:http: who sends no more hears no more.
    end: (): void => void this.socket.end(),
    error: (): void => void this.socket.destroy(),
    close: (): void => this.#closed(),
    drain: (): void => this.#response?.drained(),
  };

  constructor(host: PlainHost, socket: Socket, nowMs: number) {
    this.#host = host;
    this.socket = socket;
    this.sinceMs = nowMs;
    const { data, end, error, close, drain } = this.#listeners;
    socket.on("data", data).on("end", end).on("error", error).on("close", close);
    socket.on("drain", drain);
  }

  get keepAliveLines(): string {
    return this.#host.keepAliveLines;
  }

  /** Ends it for having taken too long. */
  expire(): void {
    const { socket } = this;
    if (this.phase !== "idle" && socket.writable) socket.write(REQUEST_TIMEOUT, "latin1");
    socket.destroy();
  }

  answered(isLast: boolean): void {
    if (this.phase !== "serving") return;
    this.#settle();
    this.#enter("idle");
    if (isLast) {
      this.phase = "gone";
      // A client that does not hang up must not keep it half open.
      this.socket.destroySoon();
    } else if (this.#unreadBytes > 0) this.#resume();
  }

  #enter(phase: PlainPhase): void {
    this.phase = phase;
    this.sinceMs = performance.now();
  }

  #take(chunk: Buffer): void {
    switch (this.phase) {
      case "fresh":
      case "idle":
        this.#read(chunk);
        break;
      case "reading":
        this.#keep(chunk);
        if (this.#unreadBytes >= this.#wantedBytes) this.#read(this.#takeUnread());
        break;
      case "serving":
        // It was sent without waiting for the answer: what follows waits in the socket.
        this.#keep(chunk);
        this.socket.pause();
        break;
      case "gone":
    }
  }

  #keep(chunk: Buffer): void {
    this.#unread.push(chunk);
    this.#unreadBytes += chunk.length;
  }

  #takeUnread(): Buffer {
    const [first] = this.#unread;
    const isOne = this.#unread.length === 1 && first !== undefined;
    const bytes = isOne ? first : Buffer.concat(this.#unread, this.#unreadBytes);
    this.#unread = [];
    this.#unreadBytes = 0;
    return bytes;
  }

  /** Serves the request at the start of `bytes`, if it is plain and whole. */
  #read(bytes: Buffer): void {
    const { requests } = this.#host;
    const found = findHead(bytes, this.#head);
    if (found === undefined || found.bodyBytes > requests.maxBodyBytes) {
      this.#handOver(bytes);
      return;
    }
    const { head, bodyStart, bodyBytes } = found;
    this.#head = head;
    const end = bodyStart + bodyBytes;
    if (bytes.length < end) {
      this.#keep(bytes);
      this.#wantedBytes = end;
      this.#enter("reading");
      return;
    }
    if (bytes.length > end) this.#keep(bytes.subarray(end));
    this.#serve(head, bytes.subarray(bodyStart, end));
  }

  #serve(head: PlainHead, body: Buffer): void {
    const { requests } = this.#host;
    this.phase = "serving";
    this.#response = new PlainResponse(this);
    this.#reply = requests.begin(this.#response, head.acceptEncoding);
    requests.hand(new PlainRequest(head, body, this.socket), this.#reply);
  }

  /** Goes on with what came while an answer was awaited. */
  #resume(): void {
    // Answers may be there at once; the loop that is under way takes the next request.
    if (this.#isResuming) return;
    this.#isResuming = true;
    while (this.phase === "idle" && this.#unreadBytes > 0) this.#read(this.#takeUnread());
    this.#isResuming = false;
    if (this.phase === "idle" || this.phase === "reading") this.socket.resume();
  }

  #settle(): void {
    const reply = this.#reply;
    this.#reply = undefined;
    this.#response = undefined;
    if (reply !== undefined) this.#host.requests.finish(reply);
  }

  #closed(): void {
    this.phase = "gone";
    this.#unread = [];
    this.#unreadBytes = 0;
    this.#settle();
    this.#host.closed(this);
  }

  #handOver(bytes: Buffer): void {
    const { socket } = this;
    this.phase = "gone";
    socket.pause();
    const { data, end, error, close, drain } = this.#listeners;
    socket.off("data", data).off("end", end).off("error", error).off("close", close);
    socket.off("drain", drain);
    socket.unshift(bytes);
    this.#host.handOver(this);
    socket.resume();
  }
}
