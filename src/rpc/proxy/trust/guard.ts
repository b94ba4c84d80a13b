/**
 * Holds each whole answer against what is known of the chain, and books whoever is caught: a wrong
 * answer is that provider's failure, and its next answers are worth less.
 */
import { addNote } from "../../explain/record.ts";
import type { ProviderId } from "../../ids.ts";
import { answerCheck } from "../../integrity/answer-checks.ts";
import { prove } from "../../integrity/proof/proofs.ts";
import type { Answered } from "../../integrity/question.ts";
import type { Call } from "../call.ts";
import type { ChainView, GatewayDeps } from "../ports.ts";
import { FaultNote } from "./fault-note.ts";

/** How a wrong answer was found out. */
export type Finding =
  /** It contradicts the question, or the chain. */
  | "answer"
  /** Enough others agreed on another one. */
  | "quorum"
  /** A copy of a read was answered otherwise than the read. */
  | "shadow";

/** The shared parts that it needs. */
interface Court {
  readonly deps: GatewayDeps;
  readonly now: () => number;
  readonly redact: (text: string) => string;
}

/** The guard of one gateway. */
export class Guard {
  readonly #court: Court;

  constructor(court: Court) {
    this.#court = court;
  }

  /** What is wrong with a result that begins at `valueAt` of `bytes`; books its provider if anything. */
  faultIn(
    call: Call,
    method: string,
    provider: ProviderId,
    bytes: Buffer,
    valueAt: number,
  ): string | undefined {
    const check = answerCheck(method);
    if (check === undefined) return undefined;
    const { chain, body, envelope } = call;
    const answered: Answered = {
      body,
      paramsStart: envelope.paramsStart,
      paramsEnd: envelope.paramsEnd,
      bytes,
      start: valueAt,
      end: bytes.length,
      provider,
      ring: chain.blocks,
      blockTimeMs: chain.snapshot?.blockTimeMs ?? 0,
    };
    const fault = check(answered) ?? this.#proved(chain, method, answered);
    if (fault === undefined) return undefined;
    this.accuse(chain, provider, method, "answer", fault);
    addNote(call, new FaultNote(provider, this.#court.redact(fault)));
    return fault;
  }

  #proved(chain: ChainView, method: string, answered: Answered): string | undefined {
    const { integrity } = chain;
    if (integrity === undefined) return undefined;
    const { headers, bloom, receipts } = integrity;
    return headers || bloom || receipts ? prove(method, answered, integrity) : undefined;
  }

  /** Books a wrong answer. */
  accuse(
    chain: ChainView,
    provider: ProviderId,
    method: string,
    kind: Finding,
    reason: string,
  ): void {
    const { deps, now, redact } = this.#court;
    chain.evidence.recordMisbehaviour?.(provider, now());
    const { emit } = deps;
    emit("provider.misbehaviour", {
      chain: chain.name,
      provider,
      method,
      kind,
      reason: redact(reason),
    });
  }
}
