/** One request as the listener hands it over, and how node:http's become such. */
import type { IncomingMessage } from "node:http";
import { decodeBody } from "./content-coding.ts";

/** A request; its body is complete when the handler sees it. */
export interface HttpRequest {
  readonly method: string;
  /** Path and query as they stood in the request line. */
  readonly url: string;
  readonly host: string;
  readonly isSecure: boolean;
  /** Names and values in turn, as they came; a content-length may be missing. */
  readonly rawHeaders: readonly string[];
  readonly remoteAddress: string | undefined;
  readonly body: Buffer;
  readonly bodyFault: BodyFault | undefined;
}

/** Why a request has no body. */
export type BodyFault = "too_large" | "bad_encoding";

const NO_BODY: Buffer = Buffer.alloc(0);

/** A request that node:http has read. */
export class NodeRequest implements HttpRequest {
  readonly method: string;
  readonly url: string;
  readonly rawHeaders: readonly string[];
  readonly isSecure = false;
  body: Buffer = NO_BODY;
  bodyFault: BodyFault | undefined = undefined;
  readonly #message: IncomingMessage;

  constructor(message: IncomingMessage) {
    this.#message = message;
    this.method = message.method ?? "";
    this.url = message.url ?? "";
    this.rawHeaders = message.rawHeaders;
  }

  get host(): string {
    return this.#message.headers.host ?? "localhost";
  }

  get remoteAddress(): string | undefined {
    return this.#message.socket.remoteAddress;
  }
}

/** Reads the body of a request, up to `maxBytes` before and after it is decoded, and says when it is there. */
export function readBody(
  request: NodeRequest,
  message: IncomingMessage,
  maxBytes: number,
  done: () => void,
): void {
  const isRead = message.method === "GET" || message.method === "HEAD";
  // Such a request may have a body (RFC 9110 9.3.1); hardly any has.
  if (isRead && !hasBody(message)) {
    done();
    return;
  }
  const take = (body: Buffer, fault: BodyFault | undefined): void => {
    request.body = body;
    request.bodyFault = fault;
    done();
  };
  collect(message, maxBytes, (body, fault) => {
    if (fault !== undefined || body.length === 0 || !isEncoded(message)) take(body, fault);
    else decodeBody(message.headers["content-encoding"], body, maxBytes, take);
  });
}

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined ||
  (headers["content-length"] !== undefined && headers["content-length"] !== "0");

/** Bytes beyond the limit that are read and dropped, so that a well-meaning client gets its answer. */
const DISCARD_FACTOR = 8;

function collect(
  message: IncomingMessage,
  maxBytes: number,
  done: (body: Buffer, fault: BodyFault | undefined) => void,
): void {
  let first: Buffer | undefined;
  let rest: Buffer[] | undefined;
  let sizeBytes = 0;
  let isTooLarge = false;
  message.on("data", (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (isTooLarge) {
      if (sizeBytes > maxBytes * DISCARD_FACTOR) message.destroy();
      return;
    }
    if (sizeBytes > maxBytes) {
      isTooLarge = true;
      first = undefined;
      rest = undefined;
      done(NO_BODY, "too_large");
    } else if (first === undefined) first = chunk;
    else if (rest === undefined) rest = [chunk];
    else rest.push(chunk);
  });
  message.on("end", () => {
    if (isTooLarge) return;
    if (first === undefined) done(NO_BODY, undefined);
    else done(rest === undefined ? first : Buffer.concat([first, ...rest]), undefined);
  });
}

function isEncoded(message: IncomingMessage): boolean {
  const { rawHeaders } = message;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] as string;
    if (name.length === 16 && name.toLowerCase() === "content-encoding") {
      return rawHeaders[index + 1] !== "identity";
    }
  }
  return false;
}
