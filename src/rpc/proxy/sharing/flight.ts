/**
 * One attempt that equal calls share: the first of them leads, the others follow. It goes on while
 * anybody waits for it, and its outcome, good or bad, is everybody's.
 */
import { answerBytes, type KeptAnswer } from "../../cache/kept-answer.ts";
import type { Place } from "../../cache/finality.ts";
import type { MethodInfo } from "../../json-rpc/methods.ts";
import { findId, walkReply } from "../../json-rpc/reply-walker.ts";
import type { Call, CallFacts, CallSink } from "../call.ts";
import type { RequestRecord } from "../ports.ts";
import type { Running } from "../service.ts";
import type { Followed, Follower } from "./follower.ts";
import { type CopyRoom, StreamCopy } from "./stream-copy.ts";

/** Whoever keeps the flights, and what they bring. */
export interface FlightOwner {
  readonly copyRoom: CopyRoom;
  /** Nobody may join any more. */
  landed(flight: Flight): void;
  /** A whole result came; called before anybody gets it. */
  brought(flight: Flight, facts: CallFacts, body: Buffer, idStart: number, idEnd: number): void;
  /** An answer of words came, an error nearly always. */
  failed(flight: Flight, facts: CallFacts): void;
}

/** Where the result of a call is kept. */
export interface Keeping {
  readonly key: string;
  readonly place: Place;
  /** Whatever block the answer names must be the one that was asked for. */
  readonly isExact: boolean;
}

/** What a flight is made of. */
export interface FlightPlan {
  readonly call: Call;
  readonly info: MethodInfo;
  /** The key under which equal calls find it; `undefined` when it is alone. */
  readonly joinKey: string | undefined;
  /** Where its result goes; `undefined` when it is not kept. */
  readonly keeping: Keeping | undefined;
  readonly startMs: number;
  readonly timeoutMs: number;
}

/** A call on its way, and who waits for it. */
export class Flight implements CallSink, Running, Followed {
  readonly plan: FlightPlan;
  /** What does the work now. */
  running: Running | undefined = undefined;
  readonly #owner: FlightOwner;
  #leader: CallSink | undefined;
  #followers: Set<Follower> | undefined = undefined;
  #copy: StreamCopy | undefined = undefined;
  #held: Buffer[] | undefined = undefined;
  #facts: CallFacts | undefined = undefined;
  #isDone = false;

  constructor(owner: FlightOwner, plan: FlightPlan, leader: CallSink) {
    this.#owner = owner;
    this.plan = plan;
    this.#leader = leader;
  }

  /** Calls that follow the first one. */
  get followerCount(): number {
    return this.#followers?.size ?? 0;
  }

  /** A lone call may stream; for several the answer is buffered. */
  get canStream(): boolean {
    return this.#followers === undefined && this.#leader?.canStream === true;
  }

  get maxBytes(): number {
    let most = this.#leader?.maxBytes ?? 0;
    if (this.#followers !== undefined) {
      for (const { maxBytes } of this.#followers) most = Math.max(most, maxBytes);
    }
    return most;
  }

  /** Whether everybody is gone, or has the answer. */
  get isDone(): boolean {
    return this.#isDone;
  }

  join(follower: Follower): void {
    this.#followers ??= new Set();
    this.#followers.add(follower);
  }

  left(follower: Follower): void {
    this.#followers?.delete(follower);
    this.#endIfDeserted();
  }

  /** The first caller is gone; the others still wait. */
  cancel(): void {
    if (this.#isDone) return;
    this.#leader = undefined;
    this.#endIfDeserted();
  }

  resume(): void {
    this.running?.resume();
  }

  #endIfDeserted(): void {
    if (this.#isDone || this.#leader !== undefined || this.followerCount > 0) return;
    this.#land();
    this.running?.cancel();
  }

  /** Takes the answer off the list of what can be joined. */
  #land(): void {
    this.#isDone = true;
    this.#copy?.drop();
    this.#owner.landed(this);
  }

  result(facts: CallFacts, body: Buffer, idStart: number, idEnd: number): void {
    if (this.#isDone) return;
    this.#land();
    if (this.plan.keeping !== undefined) {
      this.#owner.brought(this, facts, body, idStart, idEnd);
    }
    this.#leader?.result(facts, body, idStart, idEnd);
    if (this.#followers === undefined) return;
    for (const follower of this.#followers) follower.result(facts, body, idStart, idEnd);
  }

  text(facts: CallFacts, status: number, latin1: string): void {
    if (this.#isDone) return;
    this.#land();
    if (this.plan.keeping !== undefined) this.#owner.failed(this, facts);
    this.#leader?.text(facts, status, latin1);
    if (this.#followers === undefined) return;
    const { outcome } = facts as Partial<RequestRecord>;
    for (const follower of this.#followers) {
      follower.text(facts, status, latin1, outcome ?? "error");
    }
  }

  /** Another host's answer came; it is kept already. */
  give(facts: CallFacts, answer: KeptAnswer): void {
    if (this.#isDone) return;
    this.#land();
    const bytes = answerBytes(answer);
    const idAt = answer.before.length;
    this.#leader?.result(facts, bytes, idAt, idAt);
    if (this.#followers === undefined) return;
    const outcome = answer.isError ? "error" : "ok";
    for (const follower of this.#followers) follower.result(facts, bytes, idAt, idAt, outcome);
  }

  begin(facts: CallFacts, sizeBytes: number): void {
    // Whoever came now would miss what has left.
    this.#owner.landed(this);
    if (this.plan.keeping !== undefined) this.#copy = new StreamCopy(this.#owner.copyRoom);
    // Some services decide to stream before others have joined: for those the answer is held.
    if (this.followerCount > 0) this.#held = [];
    this.#facts = facts;
    this.#leader?.begin(facts, sizeBytes);
  }

  write(chunk: Buffer): boolean {
    this.#copy?.add(chunk);
    this.#held?.push(chunk);
    return this.#leader?.write(chunk) ?? true;
  }

  end(): void {
    const whole = this.#copy?.take();
    const facts = this.#facts;
    this.#isDone = true;
    if (whole !== undefined && facts !== undefined) this.#keepStream(facts, whole);
    this.#leader?.end();
    if (this.#held !== undefined && facts !== undefined) this.#giveHeld(facts, this.#held);
  }

  abort(): void {
    this.#isDone = true;
    this.#copy?.drop();
    this.#leader?.abort();
    for (const follower of this.#followers ?? []) follower.cut(this.#facts);
  }

  #giveHeld(facts: CallFacts, chunks: readonly Buffer[]): void {
    const whole = Buffer.concat(chunks);
    const { start, end } = findId(whole, whole.length);
    for (const follower of this.#followers ?? []) {
      if (start < 0) follower.cut(facts);
      else follower.result(facts, whole, start, end);
    }
  }

  #keepStream(facts: CallFacts, whole: Buffer): void {
    const { kind, idStart, idEnd } = walkReply(whole, whole.length, true);
    // An id behind the result would have to be searched for in all of it.
    if (kind === "result" && idStart >= 0) this.#owner.brought(this, facts, whole, idStart, idEnd);
  }
}
