/** Takes the answers of one exchange that serves a call of `eth_getLogs`, or a part of it. */
import type { LogBounds } from "../../logs/log-reader.ts";
import { LogReader } from "../../logs/log-reader.ts";
import type { Part } from "../../logs/plan.ts";
import type { ProviderId } from "../../ids.ts";
import type { CallFacts, CallSink } from "../call.ts";
import type { Exchange } from "../exchange.ts";
import type { LogsRecord } from "./logs-record.ts";

/** What a run tells the call it belongs to. */
export interface RunOwner {
  /** The exchange at this place among the parts of the call. */
  exchangeAt(index: number): Exchange;
  /** All of the part's answer has come. */
  arrived(run: PartRun): void;
  /** No answer came; `fault` says why when the exchange holds one. */
  failed(run: Run, fault?: string): void;
  /** Whether the run may hold more bytes now. */
  mayGrow(run: PartRun): boolean;
}

/** One exchange for a part. */
export interface Run {
  readonly part: Part;
  /** Who was chosen for it; another one may have answered. */
  readonly taker: ProviderId | undefined;
  readonly exchange: Exchange;
}

/** The call in one piece: what comes is the client's at once. */
export class WholeRun implements Run, CallSink {
  readonly canStream: boolean;
  readonly maxBytes: number;
  readonly part: Part;
  readonly taker = undefined;
  readonly #owner: RunOwner;
  readonly #record: LogsRecord;

  constructor(owner: RunOwner, part: Part, record: LogsRecord, sink: CallSink) {
    this.#owner = owner;
    this.part = part;
    this.#record = record;
    this.canStream = sink.canStream;
    this.maxBytes = sink.maxBytes;
  }

  get exchange(): Exchange {
    return this.#owner.exchangeAt(0);
  }

  result({ provider }: CallFacts, body: Buffer, idStart: number, idEnd: number): void {
    this.#record.answerResult(provider, body, idStart, idEnd);
  }

  text(): void {
    this.#owner.failed(this);
  }

  begin({ provider }: CallFacts, sizeBytes: number): void {
    this.#record.provider = provider;
    this.#record.begin(sizeBytes);
  }

  write(chunk: Buffer): boolean {
    return this.#record.write(chunk);
  }

  end(): void {
    this.#record.end();
  }

  abort(): void {
    this.#record.breakOff();
  }
}

/** A part whose answer is kept until its turn comes. */
export class PartRun implements Run, CallSink {
  readonly canStream = true;
  readonly maxBytes: number;
  readonly part: Part;
  readonly taker: ProviderId | undefined;
  readonly reader: LogReader;
  isPaused = false;
  readonly #owner: RunOwner;
  readonly #index: number;
  #isOver = false;

  /** `index` is the exchange's place among the parts of the call. */
  constructor(
    owner: RunOwner,
    part: Part,
    taker: ProviderId | undefined,
    index: number,
    bounds: LogBounds,
    maxBytes: number,
  ) {
    this.#owner = owner;
    this.part = part;
    this.taker = taker;
    this.#index = index;
    this.maxBytes = maxBytes;
    this.reader = new LogReader(bounds);
  }

  get exchange(): Exchange {
    return this.#owner.exchangeAt(this.#index);
  }

  result(_facts: CallFacts, body: Buffer): void {
    this.reader.push(body);
    this.end();
  }

  text(): void {
    this.#isOver = true;
    this.#owner.failed(this);
  }

  begin(): void {
    // The bytes go to the reader; nothing is promised to anybody.
  }

  write(chunk: Buffer): boolean {
    this.reader.push(chunk);
    this.isPaused = !this.#owner.mayGrow(this);
    return !this.isPaused;
  }

  end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.arrived(this);
  }

  abort(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.failed(this, "the answer was cut");
  }
}
