/** What sinks have in common that take an answer in one piece. */
import type { CallFacts, CallSink } from "./call.ts";

/** Takes whole answers only: whoever serves the call may not stream to it. */
export abstract class WholeSink implements CallSink {
  readonly canStream = false;
  abstract readonly maxBytes: number;

  abstract result(facts: CallFacts, body: Buffer, idStart: number, idEnd: number): void;

  abstract text(facts: CallFacts, status: number, latin1: string): void;

  begin(): void {
    throw new Error("this answer is taken whole or not at all");
  }

  write(): boolean {
    return true;
  }

  end(): void {
    // Never streams.
  }

  abort(): void {
    // Never streams.
  }
}
