/**
 * A timer of the runtime itself: its expiry is a callback, not a message.
 */
import { TimerEntry } from "./wheel.ts";

/** Calls `body` once. */
export class Alarm extends TimerEntry {
  private readonly body: () => void;

  constructor(body: () => void) {
    super();
    this.body = body;
  }

  expire(): void {
    this.body();
  }
}
