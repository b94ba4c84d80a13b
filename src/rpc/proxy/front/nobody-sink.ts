/** Where the answer to a notification goes. */
import type { CallSink } from "../call.ts";

/** Takes an answer that nobody waits for. */
export class NobodySink implements CallSink {
  readonly canStream = false;
  readonly maxBytes = Infinity;
  result(): void {}
  text(): void {}
  begin(): void {}
  write(): boolean {
    return true;
  }
  end(): void {}
  abort(): void {}
}
