/** The copies of one transaction: who gets the next one, and the attempt that carries it. */
import type { EndpointRow } from "../../chain-view.ts";
import type { AttemptKind } from "../../explain/record.ts";
import { upstreamBytes } from "../../json-rpc/request-bytes.ts";
import { firstUsable, TriedSet } from "../../selection/pick.ts";
import type { Candidate, Ranking } from "../../selection/snapshot.ts";
import { ofOtherVendors, vendorOf } from "../../write/order.ts";
import { Attempt, type AttemptOwner } from "../attempt/attempt.ts";
import type { Call } from "../call.ts";
import type { Engine } from "../engine.ts";
import type { Upstream } from "../ports.ts";

/** Sends copies, each to another provider. */
export class Copies {
  readonly attempts: Attempt[] = [];
  readonly #engine: Engine;
  readonly #owner: AttemptOwner;
  readonly #ranking: Ranking | undefined;
  readonly #capMs: number;
  readonly #tried = new TriedSet();
  readonly #vendors = new Set<string>();
  /** Gone once nothing can be sent any more: blobs are large. */
  #call: Call | undefined;

  /** An attempt lives `capMs` whatever time the client has: its word tells who sends the bytes again. */
  constructor(
    engine: Engine,
    owner: AttemptOwner,
    call: Call,
    ranking: Ranking | undefined,
    capMs: number,
  ) {
    this.#engine = engine;
    this.#owner = owner;
    this.#call = call;
    this.#ranking = ranking;
    this.#capMs = capMs;
  }

  /** Something may still be sent. */
  get isOpen(): boolean {
    return this.#call !== undefined;
  }

  /** Forgets the bytes. */
  close(): void {
    this.#call = undefined;
  }

  /** Sends one; false when there is nobody to send it to. `onSend` hears of it before any answer. */
  send(nowMs: number, kind: AttemptKind, onSend: () => void): boolean {
    const call = this.#call;
    if (call === undefined) return false;
    for (;;) {
      const candidate = this.#next(call, nowMs);
      if (candidate === undefined) return false;
      this.#tried.add(candidate.row.index);
      const row = this.#engine.chooser.rowFor(call, candidate, nowMs);
      const upstream = row === undefined ? undefined : call.chain.upstream(row);
      if (row === undefined || upstream === undefined) continue;
      this.#vendors.add(vendorOf(candidate));
      onSend();
      this.#dispatch(call, candidate, row, upstream, nowMs, kind);
      return true;
    }
  }

  #next(call: Call, nowMs: number): Candidate | undefined {
    const ranking = this.#ranking;
    if (ranking === undefined) return undefined;
    const other =
      this.#vendors.size === 0
        ? undefined
        : firstUsable(ofOtherVendors(ranking, this.#vendors), nowMs, this.#tried);
    return other ?? this.#engine.chooser.pick(call, ranking, nowMs, this.#tried, 0);
  }

  #dispatch(
    call: Call,
    candidate: Candidate,
    row: EndpointRow,
    upstream: Upstream,
    nowMs: number,
    kind: AttemptKind,
  ): void {
    const engine = this.#engine;
    const owner = this.#owner;
    const id = engine.ids.next();
    const attempt = new Attempt(owner, candidate, row, id, nowMs, kind);
    attempt.usualMs = candidate.view.calls.get(row.transport, owner.method)?.answeredQ99Ms ?? 0;
    this.attempts.push(attempt);
    row.inFlight++;
    engine.attempts.track(attempt, nowMs + this.#capMs);
    attempt.call = upstream.send(upstreamBytes(call.body, call.envelope, id), id, attempt);
  }
}
