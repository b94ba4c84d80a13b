/**
 * One connection to Redis that can be lost at any moment without anybody noticing but the hit rate.
 *
 * Every command has the same short deadline; behind it the caller goes on without an answer. While
 * Redis is away, frozen or full of our commands nothing is sent at all. The connection is made anew
 * with full jitter for as long as the link is open. Errors of the server (a value of another type,
 * `LOADING`, a wrong password) are no answers either. ioredis is loaded when a link opens, not before.
 */
import type { Redis } from "ioredis";
import { fullJitterMs } from "../lib/backoff.ts";
import type { Secret } from "../lib/secret.ts";
import { CallbackScope } from "./callback-scope.ts";
import { type PendingCommand, RedisPending, type ReplyTaker } from "./redis-pending.ts";

/** How a link is made. */
export interface RedisLinkOptions {
  readonly url: Secret;
  /** Stands before every key. */
  readonly keyPrefix: string;
  /** Longest wait for a reply, ms. */
  readonly timeoutMs: number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Makes it a listener: it hears this channel, and may do nothing else but `ping`. */
  readonly listensTo?: string;
}

/** Where the link stands: `stalled` is connected to a server that has stopped answering. */
export type RedisState = "closed" | "connecting" | "up" | "stalled" | "down";

/** The link went from one state to another. */
export interface RedisChange {
  readonly from: RedisState;
  readonly to: RedisState;
  /** Why it is down: text of others, so it passes the redactor before it is shown. */
  readonly reason: string | undefined;
  /** Time until the next try, ms. */
  readonly retryMs: number | undefined;
}

/** What became of the commands of a link. */
export interface RedisCounters {
  readonly ok: number;
  readonly failed: number;
  readonly timeout: number;
  readonly refused: number;
}

/** A command without a reply for this long (or 5 deadlines) makes the link stalled. */
const STALL_MS = 100;
/** A stalled connection, or one that does not come up, is given up after this time, ms. */
const GIVE_UP_MS = 5_000;
/** Commands that may lie in the connection; beyond them callers are refused at once. */
const MAX_PENDING = 1_000;
/** Unsent bytes beyond which nothing more is written. */
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;
/** How often deadlines are looked at while commands wait, ms. */
const SWEEP_MS = 5;
/** Hosts that share see the same again within 10 s of its return, so the pauses stay short. */
const BACKOFF = { baseMs: 250, capMs: 3_000 };
/** A connection that lived this long starts the backoff anew, ms. */
const STEADY_MS = 10_000;

/** One link; `open` and `close` may be called again. */
export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #scope = new CallbackScope();
  readonly #pending = new RedisPending(MAX_PENDING);
  readonly #stallMs: number;
  #onChange: (change: RedisChange) => void = () => undefined;
  #onMessage: (message: Buffer) => void = () => undefined;
  #state: RedisState = "closed";
  #client: Redis | undefined;
  #attempt = 0;
  #sinceMs = 0;
  #retry: NodeJS.Timeout | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #counters = { ok: 0, failed: 0, timeout: 0, refused: 0 };

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#stallMs = Math.max(STALL_MS, 5 * options.timeoutMs);
  }

  get state(): RedisState {
    return this.#state;
  }

  /** Commands are sent now. */
  get isUp(): boolean {
    return this.#state === "up";
  }

  get counters(): RedisCounters {
    return { ...this.#counters };
  }

  /** Commands without a reply. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Callbacks are the caller's from now on, and it hears of every change. */
  adopt(
    onChange: (change: RedisChange) => void,
    onMessage: (message: Buffer) => void = () => undefined,
  ): void {
    this.#scope.adopt();
    this.#onChange = onChange;
    this.#onMessage = onMessage;
  }

  /** Connects, and again whenever the connection is lost. */
  open(): void {
    if (this.#state === "closed") this.#connect();
  }

  close(): void {
    clearTimeout(this.#retry);
    this.#turn("closed");
    this.#drop();
  }

  /** The value of a key. */
  get(key: string, done: (value: Buffer | undefined) => void): void {
    this.#send(
      (client, take) => client.getBuffer(this.#options.keyPrefix + key, take),
      (reply) => done(Buffer.isBuffer(reply) ? reply : undefined),
    );
  }

  /** Writes a value that lives for `ttlMs`. */
  set(key: string, value: Buffer, ttlMs: number): void {
    const px = Math.max(1, Math.trunc(ttlMs));
    this.#send((client, take) => client.set(this.#options.keyPrefix + key, value, "PX", px, take));
  }

  /** Tells whoever listens to a channel; `done` hears how many connections that were. */
  publish(
    channel: string,
    message: Buffer,
    done: (listeners: number | undefined) => void = () => undefined,
  ): void {
    this.#send(
      (client, take) => client.publish(this.#options.keyPrefix + channel, message, take),
      (reply) => done(typeof reply === "number" ? reply : undefined),
    );
  }

  /** Makes a server that has stopped answering show it. */
  ping(): void {
    this.#send((client, take) => client.ping(take));
  }

  /** Runs a script that returns integers. */
  run(
    script: string,
    keys: readonly string[],
    args: readonly (string | number)[],
    done: (numbers: readonly number[] | undefined) => void,
  ): void {
    const all = [...keys.map((key) => this.#options.keyPrefix + key), ...args];
    this.#send(
      (client, take) => client.eval(script, keys.length, ...all, take),
      (reply) => done(isNumbers(reply) ? reply : undefined),
    );
  }

  #send(
    write: (client: Redis, take: Callback) => Promise<unknown>,
    done: ReplyTaker = () => undefined,
  ): void {
    const client = this.#client;
    const unsent = client?.stream?.writableLength ?? 0;
    if (
      client === undefined ||
      this.#state !== "up" ||
      this.#pending.isFull ||
      unsent > MAX_UNSENT_BYTES
    ) {
      this.#counters.refused++;
      done(undefined);
      return;
    }
    const command = this.#pending.add(
      (reply) => this.#scope.run(() => done(reply)),
      this.#options.now(),
    );
    // Replies come by callback; a promise with one never rejects on its own.
    void write(client, (error, reply) => this.#answered(client, command, error, reply));
    this.#sweep ??= setInterval(() => this.#look(), SWEEP_MS);
  }

  #answered(
    client: Redis,
    command: PendingCommand,
    error: Error | null | undefined,
    reply: unknown,
  ): void {
    if (client !== this.#client) return;
    if (this.#state === "stalled") this.#turn("up");
    const isFailed = error !== null && error !== undefined;
    if (this.#pending.reply(command, isFailed ? undefined : reply)) {
      this.#counters[isFailed ? "failed" : "ok"]++;
    }
  }

  /** Runs deadlines out, and notices a server that has stopped answering. */
  #look(): void {
    const nowMs = this.#options.now();
    this.#counters.timeout += this.#pending.expire(nowMs, this.#options.timeoutMs);
    const ageMs = this.#pending.ageMs(nowMs);
    if (ageMs > GIVE_UP_MS) this.#lost("no reply from the server");
    else if (ageMs > this.#stallMs && this.#state === "up") this.#turn("stalled");
    if (this.#pending.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #connect(): void {
    this.#turn("connecting");
    import("ioredis").then(
      ({ Redis }) => {
        if (this.#state === "connecting" && this.#client === undefined) this.#dial(Redis);
      },
      (error: unknown) => this.#lost(`ioredis cannot be loaded: ${String(error)}`),
    );
  }

  #dial(Client: typeof Redis): void {
    const client = new Client(this.#options.url.reveal(), CLIENT_OPTIONS);
    this.#client = client;
    const ended = (reason: string): void => {
      if (client === this.#client) this.#lost(reason);
    };
    let failure = "connection closed";
    const giveUp = setTimeout(() => ended("connecting took too long"), GIVE_UP_MS);
    client.on("error", (error: Error) => {
      failure = error.message;
    });
    client.on("end", () => {
      clearTimeout(giveUp);
      ended(failure);
    });
    // A server that still loads its data, or wants a password, shows it at the first command.
    client
      .connect()
      .then(() => client.ping())
      .then(() => this.#listen(client))
      .then(
        () => {
          clearTimeout(giveUp);
          if (client !== this.#client || this.#state !== "connecting") return;
          this.#sinceMs = this.#options.now();
          this.#turn("up");
        },
        (error: Error) => {
          clearTimeout(giveUp);
          ended(failure === "connection closed" ? error.message : failure);
        },
      );
  }

  async #listen(client: Redis): Promise<void> {
    const { listensTo, keyPrefix } = this.#options;
    if (listensTo === undefined) return;
    client.on("messageBuffer", (_channel: Buffer, message: Buffer) => {
      if (client === this.#client) this.#scope.run(() => this.#onMessage(message));
    });
    await client.subscribe(keyPrefix + listensTo);
  }

  #lost(reason: string): void {
    if (this.#state === "closed") return;
    const isSteady =
      (this.#state === "up" || this.#state === "stalled") &&
      this.#options.now() - this.#sinceMs > STEADY_MS;
    if (isSteady) this.#attempt = 0;
    const retryMs = Math.ceil(fullJitterMs(BACKOFF, this.#attempt++, this.#options.random()));
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => this.#connect(), retryMs);
    this.#turn("down", reason, retryMs);
    this.#drop();
  }

  /** Forgets the connection; whoever waits for a reply gets none. */
  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.disconnect();
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    this.#pending.drop();
  }

  #turn(to: RedisState, reason?: string, retryMs?: number): void {
    const from = this.#state;
    if (from === to) return;
    this.#state = to;
    this.#scope.run(() => this.#onChange({ from, to, reason, retryMs }));
  }
}

type Callback = (error: Error | null | undefined, reply: unknown) => void;

/** ioredis as a bare wire: retries, queues and checks are ours. */
const CLIENT_OPTIONS = {
  lazyConnect: true,
  protocol: 2,
  enableOfflineQueue: false,
  enableReadyCheck: false,
  disableClientInfo: true,
  autoResendUnfulfilledCommands: false,
  retryStrategy: null,
  connectTimeout: GIVE_UP_MS,
} as const;

const isNumbers = (reply: unknown): reply is readonly number[] =>
  Array.isArray(reply) && reply.every((item) => Number.isSafeInteger(item));
