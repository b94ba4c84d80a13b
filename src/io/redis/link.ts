/**
 * One connection to Redis that can be lost at any moment without anybody noticing but the hit rate.
 *
 * Every command has the same short deadline; behind it the caller goes on without an answer. While
 * Redis is away, frozen or full of our commands nothing is sent at all. The connection is made anew
 * with full jitter for as long as the link is open (`link.machine.ts`). Errors of the server (a value
 * of another type, `LOADING`, a wrong password) are no answers either. ioredis is loaded when a link
 * opens, not before.
 */
import { initialTransition, transition, type SnapshotFrom } from "xstate";
import { Seldom } from "../../lib/seldom.ts";
import { CallbackScope } from "../callback-scope.ts";
import { greet } from "./greeting.ts";
import { type LinkEvent, linkMachine, type RedisState } from "./link.machine.ts";
import { type PendingCommand, RedisPending, type ReplyTaker } from "./pending.ts";
import {
  type Clients,
  CONNECT_MS,
  failureOf,
  makeClient,
  type RedisClient,
  type RedisPlace,
} from "./place.ts";

/** How a link is made. */
export interface RedisLinkOptions {
  readonly place: RedisPlace;
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

/** The link went from one state to another. */
export interface RedisChange {
  readonly from: RedisState;
  readonly to: RedisState;
  /** Why it is down: text of others, so it passes the redactor before it is shown. */
  readonly reason: string | undefined;
  /** Time until the next try, ms. */
  readonly retryMs: number | undefined;
}

/** The server answers, but not with what was asked for: `OOM`, `READONLY`, `NOPERM`, `WRONGTYPE`. */
export interface RedisTrouble {
  readonly kind: string;
  /** Text of others, as in a change. */
  readonly reason: string;
}

/** Who hears of a link. */
export interface RedisListener {
  changed?(change: RedisChange): void;
  heard?(message: Buffer): void;
  /** Once a minute for each kind; counted as `failed` each time. */
  troubled?(trouble: RedisTrouble): void;
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
/** A stalled connection is given up after this time, ms. */
const GIVE_UP_MS = 5_000;
/** Commands that may lie in the connection; beyond them callers are refused at once. */
const MAX_PENDING = 1_000;
/** Unsent bytes beyond which nothing more is written. */
const MAX_UNSENT_BYTES = 16 * 1024 * 1024;
/** How often deadlines are looked at while commands wait, ms. */
const SWEEP_MS = 5;
/** The same kind of trouble is told of once in so long, ms. */
const TELL_AGAIN_MS = 60_000;
/** Kinds that are told of in that time. */
const MAX_KINDS = 32;

/** One link; `open` and `close` may be called again. */
export class RedisLink {
  readonly #options: RedisLinkOptions;
  readonly #scope = new CallbackScope();
  readonly #pending = new RedisPending(MAX_PENDING);
  readonly #stallMs: number;
  readonly #told = new Seldom(TELL_AGAIN_MS, MAX_KINDS);
  #listener: RedisListener = {};
  #snapshot: SnapshotFrom<typeof linkMachine>;
  #client: RedisClient | undefined;
  #retry: NodeJS.Timeout | undefined;
  #sweep: NodeJS.Timeout | undefined;
  #counters = { ok: 0, failed: 0, timeout: 0, refused: 0 };
  /** Connections tried so far: each begins at another host, however well the last one did. */
  #dials = 0;

  constructor(options: RedisLinkOptions) {
    this.#options = options;
    this.#stallMs = Math.max(STALL_MS, 5 * options.timeoutMs);
    [this.#snapshot] = initialTransition(linkMachine);
  }

  get state(): RedisState {
    return this.#snapshot.value;
  }

  /** Commands are sent now. */
  get isUp(): boolean {
    return this.#snapshot.value === "up";
  }

  get counters(): RedisCounters {
    return { ...this.#counters };
  }

  /** Commands without a reply. */
  get pending(): number {
    return this.#pending.size;
  }

  /** Callbacks are the caller's from now on, and it hears of every change. */
  adopt(listener: RedisListener): void {
    this.#scope.adopt();
    this.#listener = listener;
  }

  /** Connects, and again whenever the connection is lost. */
  open(): void {
    this.#feed({ type: "open" });
  }

  close(): void {
    this.#feed({ type: "close" });
  }

  /** Gives this connection up for another one. */
  renew(reason: string): void {
    this.#lost(reason);
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
    write: (client: RedisClient, take: Callback) => Promise<unknown>,
    done: ReplyTaker = () => undefined,
  ): void {
    const client = this.#client;
    const unsent = client?.stream?.writableLength ?? 0;
    if (client === undefined || !this.isUp || this.#pending.isFull || unsent > MAX_UNSENT_BYTES) {
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
    client: RedisClient,
    command: PendingCommand,
    error: Error | null | undefined,
    reply: unknown,
  ): void {
    if (client !== this.#client) return;
    const isFailed = error !== null && error !== undefined;
    if (this.#pending.reply(command, isFailed ? undefined : reply)) {
      this.#counters[isFailed ? "failed" : "ok"]++;
    }
    if (error?.name === "ReplyError") this.#troubled(error.message);
    // One node of several that still owes replies keeps the link stalled.
    if (this.state === "stalled" && this.#ageMs() <= this.#stallMs)
      this.#feed({ type: "caughtUp" });
  }

  #ageMs(): number {
    return this.#pending.ageMs(this.#options.now());
  }

  /** Runs deadlines out, and notices a server that has stopped answering. */
  #look(): void {
    const { now, timeoutMs } = this.#options;
    this.#counters.timeout += this.#pending.expire(now(), timeoutMs);
    const ageMs = this.#ageMs();
    if (ageMs > GIVE_UP_MS) this.#lost("no reply from the server");
    else if (ageMs > this.#stallMs) this.#feed({ type: "silent" });
    if (this.#pending.size > 0) return;
    clearInterval(this.#sweep);
    this.#sweep = undefined;
  }

  #load(): void {
    import("ioredis").then(
      (clients) => {
        if (this.state === "connecting" && this.#client === undefined) this.#dial(clients);
      },
      (error: unknown) => this.#lost(`ioredis cannot be loaded: ${String(error)}`),
    );
  }

  #dial(clients: Clients): void {
    const { place, listensTo } = this.#options;
    const client = makeClient(clients, place, this.#dials++, listensTo !== undefined);
    this.#client = client;
    let failure: string | undefined;
    const ended = (cause?: string): void => {
      clearTimeout(giveUp);
      if (client !== this.#client) return;
      const reason = failure ?? cause;
      const isNew = this.state === "connecting";
      this.#lost(isNew ? failureOf(place, client, reason) : (reason ?? "connection closed"));
    };
    const giveUp = setTimeout(ended, CONNECT_MS);
    client.on("error", (error: Error) => {
      failure = error.message;
    });
    client.on("end", () => ended("connection closed"));
    client
      .connect()
      .then(() => this.#begin(client))
      .then(
        () => {
          clearTimeout(giveUp);
          if (client === this.#client) this.#feed({ type: "ready", nowMs: this.#options.now() });
        },
        (error: Error) => ended(error.message),
      );
  }

  async #begin(client: RedisClient): Promise<void> {
    const { listensTo, keyPrefix, place } = this.#options;
    const { isReplica } = await greet(client);
    if (isReplica && place.sentinels.length > 0) throw new Error("this is not the master any more");
    if (isReplica && client === this.#client) this.#troubled(REPLICA);
    if (listensTo === undefined) return;
    client.on("messageBuffer", (_channel: Buffer, message: Buffer) => {
      if (client === this.#client) this.#scope.run(() => this.#listener.heard?.(message));
    });
    await client.subscribe(keyPrefix + listensTo);
  }

  #lost(reason: string): void {
    const { now, random } = this.#options;
    this.#feed({ type: "lost", reason, nowMs: now(), random: random() });
  }

  #feed(event: LinkEvent): void {
    const from = this.state;
    const [snapshot, effects] = transition(linkMachine, this.#snapshot, event);
    this.#snapshot = snapshot;
    const { reason, retryMs } = snapshot.context;
    const to = snapshot.value;
    for (const { type } of effects) {
      if (type === "announce") {
        this.#scope.run(() => this.#listener.changed?.({ from, to, reason, retryMs }));
      } else if (type === "dial") this.#load();
      else if (type === "drop") this.#drop();
      else if (type === "backOff") {
        this.#retry = setTimeout(() => this.#feed({ type: "retry" }), retryMs);
      }
    }
  }

  /** Forgets the connection; whoever waits for a reply gets none. */
  #drop(): void {
    const client = this.#client;
    this.#client = undefined;
    client?.disconnect();
    clearTimeout(this.#retry);
    clearInterval(this.#sweep);
    this.#sweep = undefined;
    this.#pending.drop();
  }

  /** An error of the server begins with its kind. */
  #troubled(reason: string): void {
    const kind = /^[A-Z]{2,24}(?= )/.exec(reason)?.[0] ?? "ERR";
    if (!this.#told.admits(kind, this.#options.now())) return;
    this.#scope.run(() => this.#listener.troubled?.({ kind, reason }));
  }
}

type Callback = (error: Error | null | undefined, reply: unknown) => void;

const REPLICA =
  "READONLY the server copies another one: it refuses writes, and what is published at it is not heard elsewhere";

const isNumbers = (reply: unknown): reply is readonly number[] =>
  Array.isArray(reply) && reply.every((item) => Number.isSafeInteger(item));
