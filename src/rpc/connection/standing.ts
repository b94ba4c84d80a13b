/**
 * A link's standing with the rest of the chain: the channel for calls, and what breaker and selection
 * are told.
 *
 * A connection that comes up is good news only if it does what it is for: after one that was given up
 * because its heads had stopped, the success is told with the first head, so that a provider whose
 * stream stays silent is demoted although each handshake succeeds.
 */
import type { ChainState } from "../chain-state.ts";
import type { EndpointRow } from "../chain-view.ts";
import type { ErrorClass } from "../errors/classes.ts";
import type { ProviderId } from "../ids.ts";
import { WsChannel } from "../proxy/attempt/ws-channel.ts";
import type { Socket } from "./socket.ts";

/** One connection attempt, or connection, as its end is told. */
export interface Outcome {
  readonly errorClass: ErrorClass;
  readonly durationMs: number;
  readonly detail: string;
  readonly retryAfterMs?: number | undefined;
}

/** The standing of one provider's WebSocket. */
export class Standing {
  readonly #state: ChainState;
  readonly #row: EndpointRow;
  #channel: WsChannel | undefined;
  /** The last connection ended because its heads had stopped. */
  #owesHead = false;
  /** It was us who took it out of the calls' way. */
  #isSuspect = false;

  constructor(state: ChainState, provider: ProviderId) {
    this.#state = state;
    this.#row = state.rows(provider).ws;
  }

  /** Calls can be sent. */
  get isOpen(): boolean {
    return this.#channel !== undefined;
  }

  /** The last head that this provider pushed; -1 when none. */
  get head(): number {
    return this.#row.head;
  }

  /** Lets calls use the socket. */
  open(socket: Socket): void {
    const channel = new WsChannel((bytes) => socket.send(bytes));
    this.#channel = channel;
    this.#clear();
    this.#state.attach(this.#row, channel);
  }

  /** Withdraws the channel; its calls fail over. */
  close(): void {
    const channel = this.#channel;
    if (channel === undefined) return;
    this.#channel = undefined;
    this.#state.detach(this.#row, channel);
    channel.onClose();
  }

  /** Takes an answer to a call; false when it is none. */
  takes(message: Buffer): boolean {
    return this.#channel?.onFrame(message) === true;
  }

  /** A message over the limit ends the socket; true when it was surely the answer to a call. */
  overflowed(limitBytes: number): boolean {
    return this.#channel?.onOverflow(limitBytes) === true;
  }

  /** A pong is missing: calls go elsewhere until it comes. */
  suspect(): void {
    this.#row.suspect = true;
    this.#isSuspect = true;
  }

  /** The peer has shown that it lives. */
  alive(): void {
    if (this.#isSuspect) this.#clear();
  }

  /** The connection is up. */
  succeeded(durationMs: number): void {
    if (!this.#owesHead) this.#report({ errorClass: "ok", durationMs, detail: "" });
  }

  /** A head came. */
  headCame(): void {
    if (!this.#owesHead) return;
    this.#owesHead = false;
    this.#report({ errorClass: "ok", durationMs: 0, detail: "" });
  }

  /** The heads have stopped for good on this connection. */
  lostHeads(): void {
    this.#owesHead = true;
  }

  /** A connection, or an attempt at one, has failed. */
  failed(outcome: Outcome): void {
    this.#row.dirty = true;
    this.#report(outcome);
  }

  #clear(): void {
    this.#row.suspect = false;
    this.#isSuspect = false;
  }

  #report({ errorClass, durationMs, detail, retryAfterMs }: Outcome): void {
    const row = this.#row;
    if (errorClass === "ok") {
      row.successes++;
      if (!row.dirty) return;
    }
    const { generation } = row;
    const method = "(connect)";
    this.#state.report({
      row,
      generation,
      method,
      errorClass,
      durationMs,
      retryAfterMs,
      detail: detail === "" ? undefined : detail,
    });
  }
}
