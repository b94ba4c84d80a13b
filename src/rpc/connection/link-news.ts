/** What is told of a link's life: its telemetry events, and the last end for operators. */
import type { ChainState } from "../chain-state.ts";
import type { ProviderId } from "../ids.ts";
import type { RetryPlan } from "./connection.ts";
import type { Diary } from "./diary.ts";
import type { LinkPorts } from "./link-ports.ts";

/** RFC 6455: the connection is gone without a close frame. */
const BROKEN = 1006;

/** The news of one link. */
export class LinkNews {
  readonly #state: ChainState;
  readonly #provider: ProviderId;
  readonly #ports: LinkPorts;
  readonly #diary: Diary;
  #connectAtMs = 0;
  #openedAtMs: number | undefined;
  #closeCode = BROKEN;

  constructor(state: ChainState, provider: ProviderId, ports: LinkPorts, diary: Diary) {
    this.#state = state;
    this.#provider = provider;
    this.#ports = ports;
    this.#diary = diary;
  }

  /** How long the current attempt, or the connection that came of it, has taken so far, ms. */
  get attemptMs(): number {
    return this.#ports.now() - this.#connectAtMs;
  }

  /** A socket is being opened. */
  connecting(): void {
    this.#connectAtMs = this.#ports.now();
    this.#closeCode = BROKEN;
  }

  /** The socket is open. */
  opened(): void {
    this.#openedAtMs = this.#ports.now();
  }

  /** The close code of the end that will be told; without one it was a break. */
  closing(code: number): void {
    this.#closeCode = code;
  }

  /** Verified and usable. */
  connected(attempt: number): void {
    this.#diary.connects++;
    this.#diary.lastError = undefined;
    this.#emit("websocket.connected", { durationMs: this.attemptMs, attempt });
  }

  /** An open socket is gone; nothing is told of one that never opened. */
  disconnected(reason: string): void {
    if (this.#openedAtMs === undefined) return;
    const { now, wallNow } = this.#ports;
    const uptimeMs = now() - this.#openedAtMs;
    const closeCode = this.#closeCode;
    this.#openedAtMs = undefined;
    this.#diary.lastClose = { code: closeCode, reason, atMs: wallNow(), uptimeMs };
    this.#emit("websocket.disconnected", { closeCode, reason, uptimeMs });
  }

  /** A pong is missing, or the heads have stopped for so long. */
  suspect(reason: string, ageMs?: number): void {
    this.#emit("websocket.suspect", ageMs === undefined ? { reason } : { reason, ageMs });
  }

  /** When it is tried again. */
  willRetry(
    event: "websocket.reconnect_scheduled" | "websocket.suspended",
    { reason, attempt, delayMs }: RetryPlan,
  ): void {
    const { maxReconnectAttempts: maxAttempts } = this.#state.config.connection;
    const bound = maxAttempts === undefined ? {} : { maxAttempts };
    this.#emit(event, { attempt, delayMs, reason, ...bound });
  }

  #emit(event: string, fields: Readonly<Record<string, unknown>>): void {
    this.#ports.emit(event, { chain: this.#state.name, provider: this.#provider, ...fields });
  }
}
