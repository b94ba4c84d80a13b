/** Sends one call's answer over its client's WebSocket, whole; an explanation is part of it or follows. */
import type { CallFacts, CallSink } from "../call.ts";
import type { Running } from "../service.ts";
import type { GatedSink } from "./gated-sink.ts";
import { metaNotification, withMeta } from "./meta.ts";
import type { WsSession } from "./ws-session.ts";

/** The sink of one call over WebSocket. */
export class WsCall implements CallSink {
  readonly canStream = false;
  readonly maxBytes = Infinity;
  running: Running | undefined = undefined;
  /** Events that wait for this answer. */
  gate: GatedSink | undefined = undefined;
  readonly #session: WsSession;
  readonly #isSilent: boolean;
  readonly #sizeBytes: number;
  /** The explanation is a member of the answer. */
  readonly #explains: boolean;
  /** The explanation follows the answer. */
  notifies = false;

  constructor(session: WsSession, isSilent: boolean, sizeBytes: number, explains: boolean) {
    this.#session = session;
    this.#isSilent = isSilent;
    this.#sizeBytes = sizeBytes;
    this.#explains = explains;
  }

  cancel(): void {
    this.running?.cancel();
  }

  result(facts: CallFacts, body: Buffer, idStart: number, idEnd: number): void {
    if (this.#explains) {
      const before = body.toString("latin1", 0, idStart) + facts.idToken;
      this.text(facts, 200, before + body.toString("latin1", idEnd));
      return;
    }
    if (!this.#isSilent) {
      const token = facts.idToken;
      const bytes = Buffer.allocUnsafe(body.length - (idEnd - idStart) + token.length);
      body.copy(bytes, 0, 0, idStart);
      bytes.write(token, idStart, "latin1");
      body.copy(bytes, idStart + token.length, idEnd);
      this.#session.answerBytes(bytes);
    }
    this.#notify(facts);
    this.#session.ended(this, this.#sizeBytes);
  }

  text(facts: CallFacts, _status: number, latin1: string): void {
    const text = this.#explains ? withMeta(latin1, facts) : latin1;
    if (!this.#isSilent) this.#session.answer(text);
    this.gate?.open();
    this.#notify(facts);
    this.#session.ended(this, this.#sizeBytes);
  }

  #notify(facts: CallFacts): void {
    if (this.notifies && !this.#isSilent) this.#session.answer(metaNotification(facts));
  }

  begin(): void {
    throw new Error("an answer over WebSocket never streams");
  }

  write(): boolean {
    return true;
  }

  end(): void {
    this.#session.ended(this, this.#sizeBytes);
  }

  abort(): void {
    this.#session.ended(this, this.#sizeBytes);
  }
}
