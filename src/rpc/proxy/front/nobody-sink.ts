/** Where the answer to a notification goes. */
import { WholeSink } from "../whole-sink.ts";

/** Takes an answer that nobody waits for. */
export class NobodySink extends WholeSink {
  readonly maxBytes = Infinity;

  result(): void {}

  text(): void {}
}
