/**
 * Answers an operator's questions about requests: how one was served, who would serve one now and
 * why not the others, and which were slow. Sends nothing and changes nothing: a dry run ranks a copy
 * of the snapshot, so no turn of a rotation is used up.
 */
import type { ProviderId, Transport } from "../ids.ts";
import { explain } from "../explain/explain.ts";
import type { ExplainRecord } from "../explain/record.ts";
import type { SlowEntry } from "../explain/slow-log.ts";
import { blockDemand } from "../json-rpc/block-demand.ts";
import type { MethodInfo } from "../json-rpc/methods.ts";
import { methodInfo } from "../json-rpc/methods.ts";
import { firstUsable, TriedSet } from "../selection/pick.ts";
import type { Selected } from "../selection/selected.ts";
import type { PairedList } from "../selection/paired.ts";
import type { RoutingSnapshot } from "../selection/snapshot.ts";
import { strategyNamed } from "../selection/strategies/registry.ts";
import type { Call } from "./call.ts";
import type { Engine } from "./engine.ts";
import { paramsBytes } from "./facts.ts";
import { optionsFault } from "./front/entrance.ts";
import type { ChainView } from "./ports.ts";
import { makeCall } from "./make-call.ts";

/** A call that is not made. */
export interface DryQuestion {
  /** Name, alias or id. */
  readonly chain: string;
  readonly method: string;
  /** JSON text of an array or an object. */
  readonly params?: string | undefined;
  readonly strategy?: string | undefined;
  readonly provider?: string | undefined;
  readonly transport?: Transport | "any" | undefined;
  /** As if this consumer called, under its pairing list. */
  readonly consumer?: string | undefined;
}

/** The explanation, or what is wrong with the question. */
export type DryAnswer =
  | { readonly ok: true; readonly record: ExplainRecord }
  | { readonly ok: false; readonly isUnknown: boolean; readonly message: string };

/** Entries of the slow log that are wanted. */
export interface SlowQuestion {
  /** Only those after this seq. */
  readonly since: number;
  readonly limit: number;
}

/** The slow log as it is shown; `age_ms` is the time since the request ended. */
export interface SlowAnswer {
  readonly total: number;
  readonly entries: readonly (Omit<SlowEntry, "endMs"> & { readonly age_ms: number })[];
}

/** Longest parameters of a question, characters. */
const MAX_PARAMS = 65_536;

/** The engine's memory and judgement, for questions. */
export class Explainer {
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** How the request of this id, ours or the client's, was served; `undefined` when it is not kept. */
  request(id: string): ExplainRecord | undefined {
    const told = this.#engine.book.ring.find(id);
    return told === undefined ? undefined : explain(told, this.#engine.now());
  }

  /** The last slow and failed requests, oldest first. */
  slow({ since, limit }: SlowQuestion): SlowAnswer {
    const nowMs = this.#engine.now();
    const { total, entries } = this.#engine.book.slow.select(since, limit);
    return {
      total,
      entries: entries.map(({ endMs, ...entry }) => ({
        ...entry,
        age_ms: Math.max(0, Math.round(nowMs - endMs)),
      })),
    };
  }

  /** Who would serve such a call now, in which order, and what refuses the others. */
  method(question: DryQuestion): DryAnswer {
    const chain = this.#engine.deps.chains.find(question.chain);
    if (chain === undefined) return fault(`unknown chain ${question.chain.slice(0, 100)}`, true);
    if (!/^\w{1,128}$/.test(question.method)) return fault("method must be a plain name");
    const params = question.params ?? "[]";
    if (!isParams(params)) return fault("params must be a JSON array or object of at most 64 KB");
    const strategy = question.strategy === undefined ? undefined : strategyNamed(question.strategy);
    if (question.strategy !== undefined && strategy === undefined) {
      return fault(`no strategy is called ${question.strategy.slice(0, 100)}`);
    }
    const plain = makeCall(chain, question.method, params);
    const options = {
      ...plain.options,
      strategy,
      provider: question.provider,
      transport: question.transport ?? ("any" as const),
    };
    const { consumer } = question;
    const paired = consumer === undefined ? undefined : this.#listOf(consumer, chain);
    if (consumer !== undefined && paired === undefined) {
      return fault(`no consumer ${consumer.slice(0, 100)} has a list on ${chain.name}`, true);
    }
    const call: Call = { ...plain, options: { ...options, paired } };
    const route = { chainKey: chain.name, options, isProviderForced: false };
    const missing = optionsFault(chain, route, options);
    if (missing !== undefined) return fault(missing.message, true);
    return { ok: true, record: this.#dryRun(call) };
  }

  #listOf(consumer: string, chain: ChainView): PairedList | undefined {
    return this.#engine.deps.pairing?.listOf(consumer, chain.name);
  }

  #dryRun(call: Call): ExplainRecord {
    const engine = this.#engine;
    const nowMs = engine.now();
    const { chain, envelope, options } = call;
    const info = methodInfo(envelope.method);
    const route = routeOf(chain, info);
    const isForwarded = route === "forward";
    const { snapshot } = chain;
    const asked = blockDemand(info.name, call.body, envelope.paramsStart, envelope.paramsEnd);
    const selected =
      snapshot === undefined || !isForwarded
        ? undefined
        : engine.chooser.select(copyOf(snapshot), call, info.name, asked, nowMs);
    const provider = selected === undefined ? undefined : this.#next(call, selected, nowMs);
    const nobody = options.paired === undefined ? "no_provider" : "pairing_exhausted";
    const record = explain(
      {
        requestId: "",
        clientRequestId: undefined,
        chain: chain.name,
        method: info.name,
        strategy: options.strategy ?? chain.strategy,
        protocol: call.protocol,
        isDone: true,
        outcome: "ok",
        reason: isForwarded && provider === undefined ? nobody : REASONS[route],
        provider,
        cache: route === "local" ? "LOCAL" : "BYPASS",
        startMs: nowMs,
        durationMs: 0,
        selected,
        attempts: [],
        attemptCount: 0,
        notes: undefined,
        paramsBytes: paramsBytes(call),
      },
      nowMs,
    );
    return { ...record, outcome: "dry_run" };
  }

  /** The provider that would be asked first; nobody is asked in a panic. */
  #next(call: Call, { ranking, minHead }: Selected, nowMs: number): ProviderId | undefined {
    const tried = new TriedSet();
    for (;;) {
      const candidate =
        firstUsable(ranking, nowMs, tried, minHead) ?? firstUsable(ranking, nowMs, tried);
      if (candidate === undefined) return undefined;
      if (this.#engine.chooser.rowFor(call, candidate, nowMs) !== undefined)
        return candidate.view.provider;
      tried.add(candidate.row.index);
    }
  }
}

/** How the chain serves a method, as `Engine.submit` decides it. */
const routeOf = (chain: ChainView, { name, route }: MethodInfo): MethodInfo["route"] => {
  if (chain.denies?.(name) === true) return "denied";
  return route === "denied" && chain.allows?.(name) === true ? "forward" : route;
};

/** Why a method is not asked of providers. */
const REASONS = {
  forward: undefined,
  filter: undefined,
  local: undefined,
  subscription: "ws_only",
  denied: "method_denied",
  reserved: "unknown_method",
} as const;

const fault = (message: string, isUnknown = false): DryAnswer => ({
  ok: false,
  isUnknown,
  message,
});

const isParams = (text: string): boolean => {
  if (text.length > MAX_PARAMS) return false;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null;
  } catch {
    // not JSON
    return false;
  }
};

/** The same snapshot with a memory and a cache of its own. */
const copyOf = (snapshot: RoutingSnapshot): RoutingSnapshot => ({
  ...snapshot,
  cacheOfLists: undefined,
  cache: new Map([...snapshot.cache].map(([method, rankings]) => [method, [...rankings]])),
  memory: {
    sticky: new Map(snapshot.memory.sticky),
    rotations: new Map(
      [...snapshot.memory.rotations].map(([strategy, credits]) => [strategy, new Map(credits)]),
    ),
    market: snapshot.memory.market,
    switches: [],
  },
});
