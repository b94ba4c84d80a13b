/**
 * How much of a provider's socket was read that nobody has looked at yet. When that is too much the
 * socket rests: what more there is waits with the provider instead of in mailboxes, where it would be
 * dropped in the end, and turns stay short.
 */

/** Unseen bytes beyond which a socket rests; a read of the kernel's is up to 64 KiB. */
const MAX_BYTES = 1024 * 1024;

/** The socket that rests. */
export interface Restable {
  pause(): void;
  resume(): void;
}

/** The account of one connection. */
export class ReadAhead {
  #bytes = 0;
  #resting: Restable | undefined;
  /** Something was looked at since the last `check`. */
  #isMoving = false;

  /** Nothing is read of the socket, so nothing can come of it. */
  get isResting(): boolean {
    return this.#resting !== undefined;
  }

  /** So much was read of the socket. */
  read(sizeBytes: number, socket: Restable): void {
    this.#bytes += sizeBytes;
    if (this.#bytes <= MAX_BYTES || this.#resting !== undefined) return;
    this.#resting = socket;
    socket.pause();
  }

  /** So much of it was looked at. */
  seen(sizeBytes: number): void {
    this.#isMoving = true;
    // What was read of a former socket may still be on its way.
    this.#bytes = Math.max(0, this.#bytes - sizeBytes);
    if (this.#bytes <= MAX_BYTES / 2) this.#wake();
  }

  /** Every now and then: what nobody has looked at in all this time was dropped on its way. */
  check(): void {
    if (this.isResting && !this.#isMoving) this.clear();
    this.#isMoving = false;
  }

  /** Another socket, or whoever looked has forgotten: nothing is under way. */
  clear(): void {
    this.#bytes = 0;
    this.#wake();
  }

  #wake(): void {
    this.#resting?.resume();
    this.#resting = undefined;
  }
}
