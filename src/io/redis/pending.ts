/**
 * Commands that wait for Redis: each is answered exactly once, by its reply, by its deadline or by the
 * end of the connection, whichever comes first. Time is an argument.
 */

/** Takes one reply; undefined when there is none. */
export type ReplyTaker = (reply: unknown) => void;

/** One command on its way. */
export interface PendingCommand {
  readonly sentAtMs: number;
  /** Undefined once its taker has heard, of a reply or of none in time. */
  take: ReplyTaker | undefined;
  /** Redis has answered; until then the command lies in the connection. */
  isAnswered: boolean;
}

/** The commands of one connection, oldest first. */
export class RedisPending {
  readonly #limit: number;
  #commands: PendingCommand[] = [];
  /** Everything before it is answered. */
  #oldest = 0;
  /** Everything before it has been heard of by its taker. */
  #onTime = 0;
  #unanswered = 0;

  /** Holds at most `limit` commands. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Commands without a reply, those given up on included. */
  get size(): number {
    return this.#unanswered;
  }

  get isFull(): boolean {
    return this.#unanswered >= this.#limit;
  }

  /** How long the oldest command has been without a reply, ms. */
  ageMs(nowMs: number): number {
    const oldest = this.#commands[this.#oldest];
    return oldest === undefined ? 0 : nowMs - oldest.sentAtMs;
  }

  add(take: ReplyTaker, nowMs: number): PendingCommand {
    const command: PendingCommand = { sentAtMs: nowMs, take, isAnswered: false };
    this.#commands.push(command);
    this.#unanswered++;
    return command;
  }

  /** The reply to a command; false when nobody waits for it any more. */
  reply(command: PendingCommand, value: unknown): boolean {
    if (command.isAnswered) return false;
    command.isAnswered = true;
    this.#unanswered--;
    this.#forget();
    const { take } = command;
    command.take = undefined;
    take?.(value);
    return take !== undefined;
  }

  /** Tells those older than `timeoutMs` that nothing came; returns how many. */
  expire(nowMs: number, timeoutMs: number): number {
    let count = 0;
    // A taker may send the next command: the length is read anew each time.
    while (this.#onTime < this.#commands.length) {
      const command = this.#commands[this.#onTime] as PendingCommand;
      if (nowMs - command.sentAtMs < timeoutMs) break;
      this.#onTime++;
      const { take } = command;
      if (take === undefined) continue;
      command.take = undefined;
      count++;
      take(undefined);
    }
    return count;
  }

  /** The connection is gone: nobody gets a reply any more. */
  drop(): void {
    const lost = this.#commands;
    this.#commands = [];
    this.#oldest = 0;
    this.#onTime = 0;
    this.#unanswered = 0;
    for (const command of lost) {
      const { take } = command;
      command.isAnswered = true;
      command.take = undefined;
      take?.(undefined);
    }
  }

  /** Moves past what is answered, and cuts it off now and then, so that a reply costs no shift. */
  #forget(): void {
    while (this.#commands[this.#oldest]?.isAnswered === true) this.#oldest++;
    if (this.#oldest < COMPACT_AT && this.#oldest < this.#commands.length) return;
    this.#commands.splice(0, this.#oldest);
    this.#onTime = Math.max(0, this.#onTime - this.#oldest);
    this.#oldest = 0;
  }
}

const COMPACT_AT = 256;
