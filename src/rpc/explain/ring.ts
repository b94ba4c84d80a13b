/**
 * The last requests of the node, by id: one preallocated slot each, overwritten in turn, so that
 * keeping a request costs some field writes and no allocation. Bounded in number and in bytes;
 * bodies, sockets and exchanges are never held on to.
 *
 * What weighs are the routing snapshots that requests were ranked with: each is counted once while a
 * request of the ring refers to it.
 */
import type { ErrorClass } from "../errors/classes.ts";
import type { RoutingSnapshot, SelectionDemand } from "../selection/snapshot.ts";
import type { Selected } from "../selection/selected.ts";
import type { AttemptKind, Note } from "./record.ts";
import type { Told, ToldAttempt, ToldHedge } from "./told.ts";

/** Attempts of one request that are kept; a range of logs may take any number. */
export const MAX_KEPT_ATTEMPTS = 16;

/** Rough weights, bytes: a slot with one attempt, each further attempt, a snapshot, each endpoint in it. */
const SLOT_BYTES = 640;
const ATTEMPT_BYTES = 160;
const SNAPSHOT_BYTES = 4096;
const ENDPOINT_BYTES = 2048;

/** Bounds of the ring. */
export interface RingLimits {
  /** Requests; 0 keeps none. */
  readonly requests: number;
  readonly maxBytes: number;
}

/** A snapshot that requests of the ring refer to. */
interface Scene {
  readonly snapshot: RoutingSnapshot;
  readonly bytes: number;
  count: number;
}

/** The last requests. */
export class RequestRing {
  #limits: RingLimits;
  #slots: (KeptRequest | undefined)[] = [];
  /** Where the next request goes, and how many are held. */
  #next = 0;
  #held = 0;
  #bytes = 0;
  readonly #scenes = new Map<RoutingSnapshot, Scene>();
  #lastScene: Scene | undefined = undefined;

  constructor(limits: RingLimits) {
    this.#limits = limits;
    this.#slots.length = limits.requests;
  }

  /** Requests that are held. */
  get size(): number {
    return this.#held;
  }

  /** An estimate of what they weigh. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Other bounds, at a reload; what is held is forgotten. */
  resize(limits: RingLimits): void {
    const { requests, maxBytes } = this.#limits;
    if (requests === limits.requests && maxBytes === limits.maxBytes) return;
    this.#limits = limits;
    this.#slots = [];
    this.#slots.length = limits.requests;
    this.#next = 0;
    this.#held = 0;
    this.#bytes = 0;
    this.#scenes.clear();
    this.#lastScene = undefined;
  }

  /** Keeps a request that has ended. */
  keep(told: Told): void {
    const { requests, maxBytes } = this.#limits;
    if (requests === 0) return;
    const at = this.#next;
    let slot = this.#slots[at];
    if (slot === undefined) this.#slots[at] = slot = new KeptRequest();
    else if (slot.isHeld) this.#forget(slot);
    this.#next = at + 1 === requests ? 0 : at + 1;
    slot.take(told);
    this.#held++;
    this.#bytes += slot.bytes;
    const { selected } = told;
    if (selected !== undefined) slot.scene = this.#enter(selected.snapshot);
    while (this.#bytes > maxBytes && this.#held > 1) this.#forgetOldest();
  }

  /** The request of this id, ours or the client's own; the newest of several. */
  find(id: string): Told | undefined {
    for (let back = 1; back <= this.#held; back++) {
      const slot = this.#slots[this.#at(back)];
      if (slot?.requestId === id || slot?.clientRequestId === id) return slot;
    }
    return undefined;
  }

  /** The position of the request that is `back` requests old. */
  #at(back: number): number {
    const { requests } = this.#limits;
    return (this.#next - back + requests) % requests;
  }

  #enter(snapshot: RoutingSnapshot): Scene {
    let scene = this.#lastScene;
    if (scene?.snapshot !== snapshot || scene.count === 0) {
      scene = this.#scenes.get(snapshot);
      if (scene === undefined) {
        const bytes = SNAPSHOT_BYTES + ENDPOINT_BYTES * snapshot.endpoints.length;
        scene = { snapshot, bytes, count: 0 };
        this.#scenes.set(snapshot, scene);
        this.#bytes += bytes;
      }
      this.#lastScene = scene;
    }
    scene.count++;
    return scene;
  }

  #forgetOldest(): void {
    const slot = this.#slots[this.#at(this.#held)];
    if (slot !== undefined) this.#forget(slot);
  }

  #forget(slot: KeptRequest): void {
    const { scene } = slot;
    this.#held--;
    this.#bytes -= slot.bytes;
    slot.clear();
    if (scene === undefined || --scene.count > 0) return;
    this.#scenes.delete(scene.snapshot);
    this.#bytes -= scene.bytes;
    if (this.#lastScene === scene) this.#lastScene = undefined;
  }
}

const NO_DEMAND: SelectionDemand = { method: "" };

/** One request of the ring: what it told, by value, and the selection it was served with. */
class KeptRequest implements Told, Selected {
  requestId = "";
  clientRequestId: string | undefined = undefined;
  chain = "";
  method = "";
  strategy = "";
  protocol: Told["protocol"] = "http";
  isDone = true;
  outcome: Told["outcome"] = "ok";
  reason: string | undefined = undefined;
  provider: string | undefined = undefined;
  cache = "";
  startMs = 0;
  durationMs = 0;
  attemptCount = 0;
  hedge: ToldHedge | undefined = undefined;
  notes: Note | undefined = undefined;
  paramsBytes = 0;
  scene: Scene | undefined = undefined;
  demand: SelectionDemand = NO_DEMAND;
  minHead = 0;
  faults = 0;
  moreFaults = 0;
  atMs = 0;
  tookMs = 0;
  #ranking: Selected["ranking"] | undefined = undefined;
  readonly #attempts: KeptAttempt[] = [];
  #kept = 0;

  get isHeld(): boolean {
    return this.requestId !== "";
  }

  get bytes(): number {
    return SLOT_BYTES + ATTEMPT_BYTES * Math.max(0, this.#kept - 1);
  }

  get attempts(): readonly ToldAttempt[] {
    return this.#attempts.slice(0, this.#kept);
  }

  get selected(): Selected | undefined {
    return this.#ranking === undefined ? undefined : this;
  }

  get snapshot(): RoutingSnapshot {
    return (this.scene as Scene).snapshot;
  }

  get ranking(): Selected["ranking"] {
    return this.#ranking as Selected["ranking"];
  }

  take(told: Told): void {
    this.requestId = told.requestId;
    this.clientRequestId = told.clientRequestId;
    this.chain = told.chain;
    this.method = told.method;
    this.strategy = told.strategy;
    this.protocol = told.protocol;
    this.outcome = told.outcome;
    this.reason = told.reason;
    this.provider = told.provider;
    this.cache = told.cache;
    this.startMs = told.startMs;
    this.durationMs = told.durationMs;
    this.attemptCount = told.attemptCount;
    this.hedge = told.hedge;
    this.notes = told.notes;
    this.paramsBytes = told.paramsBytes;
    const { selected, attempts } = told;
    this.#ranking = selected?.ranking;
    if (selected !== undefined) {
      this.demand = selected.demand;
      this.minHead = selected.minHead;
      this.faults = selected.faults;
      this.moreFaults = selected.moreFaults;
      this.atMs = selected.atMs;
      this.tookMs = selected.tookMs;
    }
    const count = Math.min(attempts.length, MAX_KEPT_ATTEMPTS);
    for (let i = 0; i < count; i++) {
      const kept = this.#attempts[i] ?? (this.#attempts[i] = new KeptAttempt());
      kept.take(attempts[i] as ToldAttempt);
    }
    this.#kept = count;
  }

  /** Lets go of everything that could be collected. */
  clear(): void {
    this.requestId = "";
    this.clientRequestId = undefined;
    this.hedge = undefined;
    this.notes = undefined;
    this.scene = undefined;
    this.demand = NO_DEMAND;
    this.#ranking = undefined;
    this.#kept = 0;
  }
}

/** One attempt by value. */
class KeptAttempt implements ToldAttempt {
  provider = "";
  row: ToldAttempt["row"] = { transport: "http" };
  kind: AttemptKind = "primary";
  errorClass: ErrorClass = "ok";
  isSettled = true;
  status: number | undefined = undefined;
  error: { readonly code: number } | undefined = undefined;
  failureKind: string | undefined = undefined;
  cancelledBecause: ToldAttempt["cancelledBecause"] = undefined;
  startMs = 0;
  durationMs = 0;
  expiresAtMs = 0;

  take(attempt: ToldAttempt): void {
    const { error } = attempt;
    this.provider = attempt.provider;
    this.row = attempt.row;
    this.kind = attempt.kind;
    this.errorClass = attempt.errorClass;
    this.isSettled = attempt.isSettled;
    this.status = attempt.status;
    // The error itself holds the provider's text.
    this.error = error === undefined ? undefined : { code: error.code };
    this.failureKind = attempt.failureKind;
    this.cancelledBecause = attempt.cancelledBecause;
    this.startMs = attempt.startMs;
    this.durationMs = attempt.durationMs;
    this.expiresAtMs = attempt.expiresAtMs;
  }
}
