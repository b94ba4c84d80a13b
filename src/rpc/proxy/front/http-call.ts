/** Sends one call's answer as an HTTP response: small ones in one write, large ones as they come. */
import { attemptsText, tenths } from "../../explain/attempts.ts";
import { explain } from "../../explain/explain.ts";
import { metaHeader } from "../../explain/trim.ts";
import { regionOf } from "../../help/helping-regions.ts";
import { withMeta } from "./meta.ts";
import type { CallFacts, CallOptions, CallSink } from "../call.ts";
import type { Running } from "../service.ts";
import type { HttpReply } from "../ports.ts";

/** Bodies below this leave as one string together with the head. */
const ONE_WRITE_BYTES = 4096;

/** Seconds a client should wait after a 503. */
const RETRY_AFTER_SEC = "1";

/** The sink of a single call over HTTP. */
export class HttpCall implements CallSink {
  readonly canStream: boolean;
  readonly maxBytes = Infinity;
  running: Running | undefined = undefined;
  readonly #reply: HttpReply;
  readonly #meta: CallOptions["meta"];

  constructor(reply: HttpReply, meta: CallOptions["meta"]) {
    this.#reply = reply;
    this.#meta = meta;
    // An explanation in the body is appended at its end, so the body must be whole.
    this.canStream = meta !== "body";
  }

  result(facts: CallFacts, body: Buffer, idStart: number, idEnd: number): void {
    const reply = this.#reply;
    if (!reply.isOpen) return;
    const end = body.length;
    if (end < ONE_WRITE_BYTES || this.#meta === "body") {
      const text =
        body.toString("latin1", 0, idStart) + facts.idToken + body.toString("latin1", idEnd, end);
      this.text(facts, 200, text);
      return;
    }
    const before = body.toString("latin1", 0, idStart) + facts.idToken;
    const after = body.subarray(idEnd);
    const sizeBytes = before.length + after.length;
    reply.sendPieces(200, this.#headers(facts, sizeBytes), sizeBytes, [before, after]);
  }

  text(facts: CallFacts, status: number, latin1: string): void {
    if (!this.#reply.isOpen) return;
    const body = this.#meta === "body" ? withMeta(latin1, facts) : latin1;
    const headers = this.#headers(facts, body.length);
    if (facts.retryAfterMs !== undefined) {
      headers.push("Retry-After", String(Math.ceil(facts.retryAfterMs / 1000)));
    } else if (status === 503) headers.push("Retry-After", RETRY_AFTER_SEC);
    this.#reply.send(status, headers, body);
  }

  begin(facts: CallFacts, sizeBytes: number): void {
    this.#reply.onDrain = () => this.running?.resume();
    this.#reply.begin(200, this.#headers(facts, sizeBytes), sizeBytes);
  }

  write(chunk: Buffer): boolean {
    return this.#reply.write(chunk);
  }

  end(): void {
    this.#reply.end();
  }

  abort(): void {
    this.#reply.destroy();
  }

  #headers(facts: CallFacts, sizeBytes: number): string[] {
    const headers = [
      "Content-Type",
      "application/json",
      "X-Paceline-Request-Id",
      facts.requestId,
      "X-Paceline-Strategy",
      facts.strategy,
      "X-Paceline-Cache",
      facts.cache,
    ];
    if (sizeBytes >= 0) headers.push("Content-Length", String(sizeBytes));
    if (facts.clientRequestId !== undefined) {
      headers.push("X-Paceline-Client-Request-Id", facts.clientRequestId);
    }
    if (facts.provider !== undefined) {
      headers.push("X-Paceline-Provider", facts.provider);
      const helper = regionOf(facts.provider);
      if (helper !== undefined) headers.push("X-Paceline-Helped-By", encodeURI(helper));
    }
    if (facts.attempts.length > 0) {
      const attempts = attemptsText(facts);
      headers.push("X-Paceline-Attempts", attempts, "Server-Timing", timing(facts));
    }
    const demand = facts.selected?.demand;
    if (demand?.paired !== undefined) {
      const whose = demand.hasLeftList === true ? "market" : "list";
      headers.push("X-Paceline-Pairing", `${whose};epoch=${demand.paired.epoch}`);
    }
    if (this.#meta === "headers") {
      headers.push("X-Paceline-Meta", metaHeader(explain(facts, facts.now())));
    }
    return headers;
  }
}

/** `total;dur=4.2`, ms; of an answer that streams, the time to its first byte. */
function timing(facts: CallFacts): string {
  const ms = facts.isDone ? facts.durationMs : facts.now() - facts.startMs;
  return `total;dur=${tenths(ms)}`;
}
