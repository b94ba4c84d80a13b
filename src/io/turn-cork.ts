/**
 * Gathers the frames that one socket is sent within one turn of the event loop.
 *
 * The first frame of a turn is written at once, so a lone event is not delayed; from the second on the
 * socket is corked until the turn ends, and a burst leaves in one system call instead of hundreds.
 */
import type { Socket } from "node:net";

/** One per server: it keeps the sockets that are corked in this turn. */
export class TurnCork {
  #turn = 1;
  #isScheduled = false;
  #corked: Socket[] = [];

  /** Call before a write with what the call before it answered (0 at first). */
  before(socket: Socket, last: number): number {
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      process.nextTick(() => this.#end());
    }
    if (last === -this.#turn) return last;
    if (last !== this.#turn) return this.#turn;
    socket.cork();
    this.#corked.push(socket);
    return -this.#turn;
  }

  #end(): void {
    this.#turn++;
    this.#isScheduled = false;
    if (this.#corked.length === 0) return;
    const corked = this.#corked;
    this.#corked = [];
    for (const socket of corked) socket.uncork();
  }
}
