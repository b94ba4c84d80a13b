/**
 * The service of writes: checks a transaction, names it, and hands it to the flight that carries its
 * bytes, which may be one that somebody else has started.
 */
import type { MethodInfo } from "../../json-rpc/methods.ts";
import { firstUsable } from "../../selection/pick.ts";
import { reselected, type Selected } from "../../selection/selected.ts";
import type { RoutingSnapshot } from "../../selection/snapshot.ts";
import type { BallotPolicy } from "../../write/ballot.ts";
import { writeMethod, type WriteMethod } from "../../write/methods.ts";
import { followedBy, only, PRIVATE_TAG, stickTo } from "../../write/order.ts";
import { readRawTransaction, type RawTransaction } from "../../write/raw-transaction.ts";
import { Recent } from "../../write/recent.ts";
import { senderOf } from "../../write/sender.ts";
import type { Call, CallSink } from "../call.ts";
import { chainKey } from "../chain-key.ts";
import type { Engine } from "../engine.ts";
import { paramsOf } from "../params.ts";
import type { Running, Service } from "../service.ts";
import { WriteCall } from "./write-call.ts";
import { WriteFlight } from "./write-flight.ts";

/** For so long identical bytes join the flight that carried them first. */
const JOIN_MS = 60_000;
/** Flights that are remembered; beyond, the oldest are forgotten. */
const MAX_FLIGHTS = 10_000;
/** Longest further parameters by which two sendings of one transaction are told apart. */
const MAX_KEY_CHARS = 8_192;

/** Sends transactions. */
export class Writes implements Service {
  readonly #engine: Engine;
  readonly #flights = new Recent<WriteFlight>(MAX_FLIGHTS, JOIN_MS);

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  serve(call: Call, info: MethodInfo, sink: CallSink): Running | undefined {
    const engine = this.#engine;
    const method = writeMethod(info.name);
    // What is no signed transaction goes the plain way: one provider, no second try.
    if (method === undefined) return engine.exchange(call, info, sink);
    const { name, writes } = call.chain;
    if (writes.mode === "off") {
      engine.refuse(call, sink, "method_denied", `${name} takes no transactions here`);
      return undefined;
    }
    const params = paramsOf(call);
    const transaction = readRawTransaction(method.rawOf(params.list));
    if (!transaction.ok) {
      engine.refuse(call, sink, "invalid_transaction", transaction.message);
      return undefined;
    }
    const selected = this.#select(call, info, method, transaction);
    if (isPrivate(call, method) && selected?.ranking.candidates.length === 0) {
      const message = `no provider of ${name} is tagged ${PRIVATE_TAG}`;
      engine.refuse(call, sink, "no_provider", message);
      return undefined;
    }
    return this.#send(call, info, sink, { method, transaction, selected }, params.text);
  }

  #send(
    call: Call,
    info: MethodInfo,
    sink: CallSink,
    what: {
      readonly method: WriteMethod;
      readonly transaction: RawTransaction;
      readonly selected: Selected | undefined;
    },
    paramsText: string,
  ): Running | undefined {
    const engine = this.#engine;
    const nowMs = engine.now();
    const key = keyOf(call, info.name, what.transaction, paramsText);
    const known = key === undefined ? undefined : this.#flights.get(key, nowMs);
    const joined = known?.isWorthJoining === true ? known : undefined;
    const policy = this.#policy(call, what.method);
    const flight = joined ?? new WriteFlight(engine, { call, info, ...what, policy });
    const asked = new WriteCall(engine, call, info, sink, flight, joined !== undefined);
    if (joined === undefined && key !== undefined) this.#flights.put(key, flight, nowMs);
    flight.join(asked);
    if (joined === undefined) flight.start(policy.copies);
    return asked.isDone ? undefined : asked;
  }

  #policy({ options, chain }: Call, method: WriteMethod): BallotPolicy {
    const { limits } = this.#engine;
    const isCareful = method.spread === "one" || chain.writes.mode === "sticky";
    if (!options.failover || !chain.failoverEnabled || options.maxAttempts === 1) {
      return { copies: 1, maxCopies: 1, isCareful };
    }
    const copies = isCareful ? 1 : chain.writes.providers;
    const maxCopies = options.maxAttempts || Math.max(limits.maxAttempts, copies + 1);
    return { copies: Math.min(copies, maxCopies), maxCopies, isCareful };
  }

  /** Who may get a copy, in the order of preference. */
  #select(
    call: Call,
    info: MethodInfo,
    method: WriteMethod,
    transaction: RawTransaction,
  ): Selected | undefined {
    const { chain, options } = call;
    const { snapshot, writes } = chain;
    if (snapshot === undefined) return undefined;
    const nowMs = this.#engine.now();
    const selected = this.#choose(snapshot, call, info.name, nowMs);
    let { ranking } = selected;
    if (options.leavesProvider && options.provider !== undefined) {
      const anybody = { ...call, options: { ...options, provider: undefined } };
      const others = this.#choose(snapshot, anybody, info.name, nowMs);
      ranking = followedBy(ranking, others.ranking);
    }
    if (isPrivate(call, method)) ranking = only(ranking, ({ tags }) => tags.includes(PRIVATE_TAG));
    const sticks = writes.mode === "sticky" && options.provider === undefined;
    if (sticks) ranking = stickTo(ranking, senderOf(transaction) ?? transaction.hash);
    return ranking === selected.ranking ? selected : reselected(selected, ranking, nowMs);
  }

  /** The providers of the caller; all, when nobody of its list is well and it may leave it. */
  #choose(snapshot: RoutingSnapshot, call: Call, method: string, nowMs: number): Selected {
    const { chooser } = this.#engine;
    const selected = chooser.select(snapshot, call, method, undefined, nowMs);
    const { paired, provider } = call.options;
    if (provider !== undefined || paired?.onExhausted !== "market") return selected;
    if (firstUsable(selected.ranking, nowMs) !== undefined) return selected;
    return chooser.select(snapshot, call, method, undefined, nowMs, true);
  }
}

function isPrivate({ chain }: Call, method: WriteMethod): boolean {
  return method.spread === "private" || chain.writes.mode === "private";
}

/** What makes two calls one flight; undefined when that cannot be told cheaply. */
function keyOf(
  { chain, options }: Call,
  method: string,
  { fingerprint }: RawTransaction,
  paramsText: string,
): string | undefined {
  const { profile, paired, provider = "*", leavesProvider } = options;
  const whose = `${profile?.name ?? ""}/${paired?.key ?? ""}/${provider}`;
  const route = `${chainKey(chain)} ${method} ${whose} ${leavesProvider}`;
  if (method === "eth_sendRawTransaction") return `${route} ${fingerprint}`;
  if (paramsText.length > MAX_KEY_CHARS) return undefined;
  return `${route} ${paramsText}`;
}
