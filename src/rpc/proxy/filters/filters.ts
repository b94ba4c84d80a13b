/**
 * The service of stateful filters: `eth_newFilter` and its family, on our own reading of the chain
 * (docs/adr/0012). A filter is a place in the chain that belongs to a client; no provider knows of
 * it, so it outlives any of them, and every process of ours.
 */
import { ANONYMOUS } from "../../clients/caller-book.ts";
import { OWN_ERRORS, type OwnReason } from "../../errors/codes.ts";
import { readCriteria, type LogCriteria } from "../../filters/criteria.ts";
import { newestBlock } from "../../filters/new-blocks.ts";
import { drive, type Poll, type PollOutcome } from "../../filters/poll.ts";
import { FilterTable } from "../../filters/table.ts";
import { MAX_TOLD, ToldLogs } from "../../filters/told-logs.ts";
import type { MethodInfo } from "../../json-rpc/methods.ts";
import type { Expirable } from "../attempt/deadline-wheel.ts";
import type { Call, CallSink } from "../call.ts";
import { chainKey } from "../chain-key.ts";
import type { Engine } from "../engine.ts";
import type { ChainView } from "../ports.ts";
import { paramsOf } from "../params.ts";
import type { Running, Service } from "../service.ts";
import { changesOf, trailFrom } from "./changes.ts";
import { Filter, type FilterState } from "./filter.ts";
import { FilterCall } from "./filter-call.ts";
import { logsCall } from "./logs-call.ts";
import { PendingTap } from "./pending-tap.ts";

/** Filters of all clients together. */
const MAX_FILTERS = 10_000;
/** Bytes of told logs that all filters together remember, for the day that they are taken back. */
const MAX_TOLD_BYTES = 64 * 1024 * 1024;
/** Polls of one filter that may wait for each other. */
const MAX_WAITING = 16;
const SWEEP_MS = 5_000;

/** How many filters of a kind are open. */
export interface FilterCount {
  readonly kind: FilterState["kind"];
  readonly count: number;
}

/** Keeps the filters of all clients; what expires is the wait for the next sweep. */
export class Filters implements Service, Expirable {
  expiresAtMs = 0;
  wheelNext: Expirable | undefined = undefined;
  wheelPrevious: Expirable | undefined = undefined;
  readonly #engine: Engine;
  readonly #table: FilterTable<Filter>;
  /** By `chainKey`. */
  readonly #taps = new Map<string, PendingTap>();
  #tapsMade = 0;
  #toldBytes = 0;

  constructor(engine: Engine) {
    this.#engine = engine;
    const { limits } = engine;
    this.#table = new FilterTable({
      maxPerOwner: limits.filtersPerClient,
      maxFilters: MAX_FILTERS,
      idleMs: limits.filterIdleMs,
    });
  }

  /** Filters that are open, by kind. */
  counts(): readonly FilterCount[] {
    const counts = { blocks: 0, logs: 0, pending: 0 };
    for (const { state } of this.#table.values()) counts[state.kind]++;
    const kinds = ["blocks", "logs", "pending"] as const;
    return kinds.map((kind) => ({ kind, count: counts[kind] }));
  }

  serve(call: Call, info: MethodInfo, sink: CallSink): Running | undefined {
    const [param] = paramsOf(call).list;
    switch (info.name) {
      case "eth_newFilter":
        return this.#newLogFilter(call, info, sink, param);
      case "eth_newBlockFilter":
        return this.#open(call, info, sink, undefined);
      case "eth_newPendingTransactionFilter":
        return this.#newPendingFilter(call, sink);
      case "eth_getFilterChanges":
        return this.#changes(call, info, sink, param);
      case "eth_getFilterLogs":
        return this.#logs(call, sink, param);
      default:
        return this.#uninstall(call, sink, param);
    }
  }

  /** Time to forget the filters that nobody asks any more. */
  onExpire(nowMs: number): void {
    for (const filter of this.#table.sweep(nowMs)) this.#closed(filter, "idle");
    this.#arm(nowMs);
  }

  #newLogFilter(call: Call, info: MethodInfo, sink: CallSink, param: unknown): Running | undefined {
    const read = readCriteria(param);
    if (read.ok) return this.#open(call, info, sink, read.criteria);
    return this.#refuse(call, sink, "filter_params", read.message);
  }

  /** A filter begins at the newest block: what comes after it is told. */
  #open(
    call: Call,
    info: MethodInfo,
    sink: CallSink,
    criteria: LogCriteria | undefined,
  ): Running | undefined {
    const refusal = this.#table.refusal(ownerOf(call));
    if (refusal !== undefined) return this.#refuse(call, sink, "too_many_filters", refusal);
    const asked = new FilterCall(this.#engine, call, info, sink);
    this.#drive(asked, newestBlock(servedTip(call.chain)), (head) => {
      if (head === undefined) {
        asked.fail("exhausted");
        return;
      }
      const trail = trailFrom(head);
      const state: FilterState =
        criteria === undefined
          ? { kind: "blocks", trail }
          : { kind: "logs", criteria, trail, told: new ToldLogs([], -1) };
      asked.succeed(this.#add(call, state));
    });
    return asked.isDone ? undefined : asked;
  }

  #newPendingFilter(call: Call, sink: CallSink): undefined {
    const { chain } = call;
    const refusal = this.#table.refusal(ownerOf(call));
    if (refusal !== undefined) return this.#refuse(call, sink, "too_many_filters", refusal);
    const hasStream = chain.snapshot?.endpoints.some(({ transports }) => transports.ws?.isUsable);
    if (hasStream !== true) {
      const message = `no provider of ${chain.name} streams pending transactions now`;
      return this.#refuse(call, sink, "no_pending_stream", message);
    }
    const tap = this.#tapOf(chain);
    tap.readers++;
    tap.wake();
    const id = this.#add(call, { kind: "pending", tap, place: tap.ring.next });
    this.#engine.answer(call, sink, JSON.stringify(id));
    return undefined;
  }

  #changes(call: Call, info: MethodInfo, sink: CallSink, id: unknown): Running | undefined {
    const filter = this.#find(call, id);
    if (filter === undefined) return this.#notFound(call, sink);
    const { state } = filter;
    if (state.kind === "pending") {
      const { tap, place } = state;
      tap.wake();
      filter.state = { ...state, place: tap.ring.next };
      this.#engine.answer(call, sink, JSON.stringify(tap.ring.since(place)));
      return undefined;
    }
    if (filter.waiting.length >= MAX_WAITING) {
      return this.#refuse(call, sink, "overloaded", "the filter is being asked too often at once");
    }
    const asked = new FilterCall(this.#engine, call, info, sink);
    const run = (): void => this.#poll(filter, asked);
    if (filter.isBusy) filter.waiting.push(run);
    else run();
    return asked.isDone ? undefined : asked;
  }

  #logs(call: Call, sink: CallSink, id: unknown): Running | undefined {
    const filter = this.#find(call, id);
    // go-ethereum has no logs for filters of another kind either.
    if (filter?.state.kind !== "logs") return this.#notFound(call, sink);
    const asked = logsCall(call, filter.state.criteria.original);
    return this.#engine.services.reads.serve(asked.call, asked.info, sink);
  }

  #uninstall(call: Call, sink: CallSink, id: unknown): undefined {
    const filter = this.#find(call, id);
    if (filter !== undefined) this.#close(filter, "uninstalled");
    this.#engine.answer(call, sink, String(filter !== undefined));
    return undefined;
  }

  /** One poll; what it found counts as told only once it is handed to the client. */
  #poll(filter: Filter, asked: FilterCall): void {
    if (asked.isDone) {
      this.#next(filter);
      return;
    }
    const { state: before } = filter;
    if (before.kind === "pending") return;
    filter.isBusy = true;
    asked.onGone = () => this.#next(filter);
    const poll = changesOf(before, servedTip(asked.call.chain));
    this.#drive(
      asked,
      poll,
      ({ answer, state }) => {
        this.#remember(filter, state);
        asked.succeed(answer);
      },
      filter,
    );
  }

  /** Runs a rule for a call; `found` hears of its end, failures are told. */
  #drive<T>(asked: FilterCall, poll: Poll<T>, found: (value: T) => void, filter?: Filter): void {
    drive(
      poll,
      (question, answered) => asked.ask(question, answered),
      (outcome: PollOutcome<T>) => {
        if (asked.isDone) return;
        if (outcome.kind === "done") found(outcome.value);
        else if (outcome.kind === "failed") asked.failWith(outcome.detail);
        else {
          if (filter !== undefined) this.#close(filter, "gap");
          asked.failWith(gapError(outcome.message));
        }
        if (filter !== undefined) this.#next(filter);
      },
    );
  }

  /** The next poll of a filter may begin. */
  #next(filter: Filter): void {
    filter.isBusy = false;
    filter.waiting.shift()?.();
  }

  #remember(filter: Filter, state: FilterState): void {
    this.#toldBytes -= toldBytes(filter.state);
    const told = state.kind === "logs" ? this.#bounded(state.told) : undefined;
    filter.state = state.kind === "logs" && told !== undefined ? { ...state, told } : state;
    this.#toldBytes += toldBytes(filter.state);
  }

  #bounded(told: ToldLogs): ToldLogs {
    return told.within(MAX_TOLD, Math.max(0, MAX_TOLD_BYTES - this.#toldBytes));
  }

  #find(call: Call, id: unknown): Filter | undefined {
    if (typeof id !== "string") return undefined;
    const filter = this.#table.use(id.toLowerCase(), ownerOf(call), this.#engine.now());
    return filter?.chainKey === chainKey(call.chain) ? filter : undefined;
  }

  #add(call: Call, state: FilterState): string {
    const nowMs = this.#engine.now();
    const id = this.#engine.newFilterId();
    this.#table.add(new Filter(id, ownerOf(call), call.chain, nowMs, state));
    this.#arm(nowMs);
    const { emit } = this.#engine.deps;
    emit("filters.open", { chain: call.chain.name, kind: state.kind, count: this.#table.size });
    return id;
  }

  #close(filter: Filter, reason: string): void {
    if (this.#table.remove(filter)) this.#closed(filter, reason);
  }

  #closed({ chain, chainKey: key, state }: Filter, reason: string): void {
    this.#toldBytes -= toldBytes(state);
    if (this.#table.size === 0) this.#engine.wheel.remove(this);
    if (state.kind === "pending") {
      state.tap.readers--;
      if (state.tap.readers === 0) {
        state.tap.end();
        this.#taps.delete(key);
      }
    }
    const { emit } = this.#engine.deps;
    emit("filters.close", { chain, kind: state.kind, count: this.#table.size, reason });
  }

  #tapOf(chain: ChainView): PendingTap {
    const key = chainKey(chain);
    const known = this.#taps.get(key);
    if (known !== undefined) return known;
    const tap = new PendingTap(-++this.#tapsMade, chain, this.#engine.now);
    this.#taps.set(key, tap);
    return tap;
  }

  #arm(nowMs: number): void {
    // Armed already: a filter closed and another one opened since.
    if (this.wheelNext !== undefined || this.#table.size === 0) return;
    this.#engine.wheel.add(this, nowMs + SWEEP_MS);
  }

  #notFound(call: Call, sink: CallSink): undefined {
    return this.#refuse(call, sink, "filter_not_found", "filter not found");
  }

  #refuse(call: Call, sink: CallSink, reason: OwnReason, message: string): undefined {
    this.#engine.refuse(call, sink, reason, message);
    return undefined;
  }
}

/** Whose filters they are; those without a key have nothing in common but the bound of all filters. */
function ownerOf({ caller }: Call): string {
  return caller === undefined || caller.id === ANONYMOUS ? "" : caller.id;
}

/** The newest block that the gateway vouches for, or -1. */
function servedTip({ head }: ChainView): number {
  return head?.number ?? -1;
}

function toldBytes(state: FilterState): number {
  return state.kind === "logs" ? state.told.sizeBytes : 0;
}

function gapError(message: string): string {
  const { code } = OWN_ERRORS.gap;
  return JSON.stringify({
    code,
    message: `the filter is lost: ${message}`,
    data: { reason: "gap" },
  });
}
