/**
 * Clients that read over HTTP: each request goes through the gateway's front as a driver would hand
 * it in, and everything that comes back is kept for the judges.
 */
import type { HttpReply, InboundRequest } from "../../../src/rpc/proxy/ports.ts";

/** One call of a request. */
export interface SimCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** One request and what became of it. */
export interface SimRequest {
  readonly n: number;
  readonly chain: string;
  readonly methods: readonly string[];
  readonly askedAtMs: number;
  /** By when the gateway has promised an answer, ms. */
  readonly deadlineMs: number;
  /** The client left before the answer. */
  hasLeft: boolean;
  /** Complete answers; one, once it is over. */
  answers: number;
  answeredAtMs: number | undefined;
  isOk: boolean;
  /** What went wrong, as the client reads it. */
  detail: string | undefined;
  /** The world gave the gateway every means to answer, all the time. */
  isPromised: boolean;
  /** A lie reached the client although a quorum stood before it. */
  isLie: boolean;
  /** What is wrong with it, when it was a kept answer. */
  keptFault: string | undefined;
}

/** The HTTP request of some calls. */
export const requestOf = (chain: string, calls: readonly SimCall[]): InboundRequest => {
  const items = calls.map(({ method, params }, index) => ({
    jsonrpc: "2.0",
    id: index + 1,
    method,
    params,
  }));
  return {
    method: "POST",
    url: `/rpc/${chain}`,
    host: "sim",
    isSecure: false,
    rawHeaders: ["Content-Type", "application/json"],
    body: Buffer.from(JSON.stringify(items.length === 1 ? items[0] : items)),
    bodyFault: undefined,
  };
};

/** Takes the reply of one request; `ended` hears of every end, so that two can be told from one. */
export class ReplyBox implements HttpReply {
  isOpen = true;
  onDrain: (() => void) | undefined = undefined;
  onGone: (() => void) | undefined = undefined;
  /** How the answer came about, as its header says. */
  served: string | undefined = undefined;
  readonly #ended: (text: string | undefined) => void;
  readonly #parts: Buffer[] = [];

  constructor(ended: (text: string | undefined) => void) {
    this.#ended = ended;
  }

  send(_status: number, headers: readonly string[], body: string | Buffer): void {
    this.served = cacheOf(headers);
    this.#finish(bytesOf(body).toString("utf8"));
  }

  sendPieces(
    _status: number,
    headers: readonly string[],
    _sizeBytes: number,
    pieces: readonly (string | Buffer)[],
  ): void {
    this.served = cacheOf(headers);
    this.#finish(Buffer.concat(pieces.map(bytesOf)).toString("utf8"));
  }

  begin(): void {}

  write(chunk: Buffer): boolean {
    this.#parts.push(Buffer.from(chunk));
    return true;
  }

  end(): void {
    this.#finish(Buffer.concat(this.#parts).toString("utf8"));
  }

  destroy(): void {
    this.#finish(undefined);
  }

  /** The client hangs up. */
  leave(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.onGone?.();
  }

  #finish(text: string | undefined): void {
    this.isOpen = false;
    this.#ended(text);
  }
}

const cacheOf = (headers: readonly string[]): string | undefined => {
  const at = headers.indexOf("X-Paceline-Cache");
  return at < 0 ? undefined : headers[at + 1];
};

const bytesOf = (part: string | Buffer): Buffer =>
  typeof part === "string" ? Buffer.from(part, "latin1") : part;

/** What is wrong with an answer to `count` calls; undefined when every one has a result. */
export const faultOf = (text: string | undefined, count: number): string | undefined => {
  if (text === undefined) return "the connection was cut";
  let answer: unknown;
  try {
    answer = JSON.parse(text);
  } catch {
    return `no JSON: ${text.slice(0, 80)}`;
  }
  const items = Array.isArray(answer) ? (answer as unknown[]) : [answer];
  if (items.length !== count) return `${items.length} answers to ${count} calls`;
  for (const [index, item] of items.entries()) {
    const { id, result, error } = item as { id?: unknown; result?: unknown; error?: unknown };
    if (error !== undefined) return JSON.stringify(error);
    if (result === undefined) return `neither result nor error: ${text.slice(0, 80)}`;
    if (id !== index + 1) return `id ${String(id)} instead of ${index + 1}`;
  }
  return undefined;
};
