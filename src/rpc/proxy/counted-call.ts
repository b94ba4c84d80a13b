/** One call of somebody whose calls at the same time are limited: counted until it is answered or given up. */
import type { Counter } from "../help/ports.ts";
import type { CallFacts, CallSink } from "./call.ts";
import type { Running } from "./service.ts";

/** Serves a call through a sink. */
type Serve = (sink: CallSink) => Running | undefined;

/** Stands between a call and its sink. */
export class CountedCall implements CallSink, Running {
  readonly #counter: Counter;
  readonly #sink: CallSink;
  #running: Running | undefined = undefined;
  #isOver = false;

  constructor(counter: Counter, sink: CallSink) {
    this.#counter = counter;
    this.#sink = sink;
  }

  /** Serves the call; what is returned runs until the sink has its answer. */
  serve(serve: Serve): Running | undefined {
    this.#counter.inFlight++;
    this.#running = serve(this);
    return this.#isOver ? undefined : this;
  }

  get canStream(): boolean {
    return this.#sink.canStream;
  }

  get maxBytes(): number {
    return this.#sink.maxBytes;
  }

  cancel(): void {
    this.#over();
    this.#running?.cancel();
  }

  resume(): void {
    this.#running?.resume();
  }

  result(facts: CallFacts, body: Buffer, idStart: number, idEnd: number): void {
    this.#over();
    this.#sink.result(facts, body, idStart, idEnd);
  }

  text(facts: CallFacts, status: number, latin1: string): void {
    this.#over();
    this.#sink.text(facts, status, latin1);
  }

  begin(facts: CallFacts, sizeBytes: number): void {
    this.#sink.begin(facts, sizeBytes);
  }

  write(chunk: Buffer): boolean {
    return this.#sink.write(chunk);
  }

  end(): void {
    this.#over();
    this.#sink.end();
  }

  abort(): void {
    this.#over();
    this.#sink.abort();
  }

  #over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#counter.inFlight--;
  }
}
