/**
 * Asks several providers whether they know a transaction: first for it, then for its receipt, since a
 * node that forgot one may keep the other.
 */
import type { ProviderId } from "../../ids.ts";
import { methodInfo } from "../../json-rpc/methods.ts";
import type { CallOptions } from "../call.ts";
import type { Engine } from "../engine.ts";
import { OwnSink } from "../front/own-call.ts";
import { makeCall } from "../make-call.ts";
import type { ChainView } from "../ports.ts";

/** Time for one question, ms. */
const ANSWER_MS = 2_000;

const QUESTIONS = ["eth_getTransactionByHash", "eth_getTransactionReceipt"] as const;

/** One search for a transaction. */
export interface LookUp {
  readonly engine: Engine;
  readonly chain: ChainView;
  readonly hash: string;
  /** Each is asked by itself. */
  readonly providers: readonly ProviderId[];
  /** Told once: who knows it, or undefined. */
  readonly report: (provider: ProviderId | undefined) => void;
}

/** Starts a search. */
export function lookUp(search: LookUp): void {
  ask(search, 0);
}

function ask(search: LookUp, question: number): void {
  const method = QUESTIONS[question];
  const { engine, chain, hash, providers, report } = search;
  if (method === undefined || providers.length === 0) {
    report(undefined);
    return;
  }
  const call = makeCall(chain, method, JSON.stringify([hash]));
  let open = providers.length;
  let isFound = false;
  for (const provider of providers) {
    const options: CallOptions = { ...call.options, ...ALONE, provider };
    const sink = new OwnSink((answer) => {
      const isKnown = answer.ok && typeof answer.result === "object" && answer.result !== null;
      open--;
      if (isFound) return;
      isFound = isKnown;
      if (isKnown) report(provider);
      else if (open === 0) ask(search, question + 1);
    });
    engine.exchange({ ...call, options, isPart: true }, methodInfo(method), sink);
  }
}

/** One attempt, at this provider, with a fresh answer. */
const ALONE = {
  failover: false,
  maxAttempts: 1,
  timeoutMs: ANSWER_MS,
  noCache: true,
  noHedge: true,
} as const;

/** The result in an answer; undefined when that is no JSON after all: long ones are checked at their ends only. */
export function resultOf(body: Buffer): unknown {
  try {
    return (JSON.parse(body.toString("utf8")) as { readonly result?: unknown }).result;
  } catch {
    // SyntaxError is all that JSON.parse throws.
    return undefined;
  }
}
