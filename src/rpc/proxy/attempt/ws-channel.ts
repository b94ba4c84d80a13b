/**
 * Request and reply over a provider's WebSocket: matches answers to calls by our ids, which are
 * unique on the connection, and hands the bytes on as they came. Pure: the owner of the socket feeds
 * it messages and tells it when the connection is gone.
 */
import { findId, tailIdAt, walkReply } from "../../json-rpc/reply-walker.ts";
import { ID_WIDTH, readId } from "../../json-rpc/upstream-id.ts";
import type { Upstream, UpstreamCall, UpstreamHandler, UpstreamHead } from "../ports.ts";

/** A message over WebSocket has no status of its own. */
class MessageHead implements UpstreamHead {
  readonly status = 200;
  readonly retryAfter = undefined;
  readonly sizeBytes: number;

  constructor(sizeBytes: number) {
    this.sizeBytes = sizeBytes;
  }
}

/** Calls on one connection to a provider. */
export class WsChannel implements Upstream {
  readonly transport = "ws";
  readonly #pending = new Map<number, UpstreamHandler>();
  readonly #sendText: (bytes: Buffer) => void;
  #isOpen = true;

  /** `sendText` sends the bytes as one text message. */
  constructor(sendText: (bytes: Buffer) => void) {
    this.#sendText = sendText;
  }

  /** Calls that wait for an answer. */
  get inFlight(): number {
    return this.#pending.size;
  }

  send(body: Buffer, id: number, handler: UpstreamHandler): UpstreamCall {
    if (!this.#isOpen) {
      handler.onFailure(CLOSED);
      return NO_CALL;
    }
    this.#pending.set(id, handler);
    this.#sendText(body);
    return new PendingCall(this.#pending, id);
  }

  /** Takes a message; false when it is no answer to a call of this channel. */
  onFrame(message: Buffer): boolean {
    const id = replyId(message);
    const handler = id < 0 ? undefined : this.#pending.get(id);
    if (handler === undefined) return false;
    this.#pending.delete(id);
    handler.onHead(new MessageHead(message.length));
    handler.onData(message);
    handler.onEnd();
    return true;
  }

  /**
   * A message over the limit ends the connection. When one call waits, it was its answer: that call
   * is told its size, so that it is not sent on to end the next provider's connection; true then. It
   * may still be waiting afterwards, until `onClose`.
   */
  onOverflow(limitBytes: number): boolean {
    const [handler, another] = this.#pending.values();
    if (handler === undefined || another !== undefined) return false;
    handler.onHead(new MessageHead(limitBytes + 1));
    return true;
  }

  /** The connection is gone: every call on it failed. */
  onClose(): void {
    this.#isOpen = false;
    const handlers = [...this.#pending.values()];
    this.#pending.clear();
    for (const handler of handlers) handler.onFailure(CLOSED);
  }
}

const CLOSED = { kind: "closed", reusedSocket: false, detail: "connection closed" } as const;

const NO_CALL: UpstreamCall = { abort: () => undefined, resume: () => undefined };

class PendingCall implements UpstreamCall {
  readonly #pending: Map<number, UpstreamHandler>;
  readonly #id: number;

  constructor(pending: Map<number, UpstreamHandler>, id: number) {
    this.#pending = pending;
    this.#id = id;
  }

  abort(): void {
    this.#pending.delete(this.#id);
  }

  resume(): void {
    // A message comes whole: there is nothing to go on with.
  }
}

/** Our id in an answer, wherever it stands, or -1. */
function replyId(message: Buffer): number {
  const end = message.length;
  const { kind, idStart, idEnd } = walkReply(message, end, true);
  if (idStart >= 0) return readId(message, idStart, idEnd);
  if (kind === "bad" || kind === "more") return -1;
  const at = tailIdAt(message, end);
  if (at >= 0) return readId(message, at, at + ID_WIDTH);
  const found = findId(message, end);
  return found.start < 0 ? -1 : readId(message, found.start, found.end);
}
