/**
 * The sockets to one origin: one undici Client each, one call at a time.
 *
 * Differs from undici's own Pool where a provider dies or a burst meets a pool that is cold. New
 * sockets are opened a few at a time, so that calls which a free socket could take in a moment do not
 * each pay for a connection. And while connections are refused and none is left, calls fail at once,
 * those that wait as well: each refusal through a socket costs half a millisecond of CPU.
 */
import type { buildConnector as Connectors, Dispatcher } from "undici";
import { Deque } from "../../lib/deque.ts";
import { buildConnector, Client, errors } from "./undici-parts.ts";

/** A call as far as its socket is concerned. */
export interface PooledCall extends Dispatcher.DispatchHandler {
  readonly body: Buffer;
  /** Header lines of this call besides those of all: name, value, name, value. */
  readonly headers?: readonly string[] | undefined;
  /** Nobody waits for it any more. */
  readonly isOver: boolean;
  /** Where it runs; undefined while it waits. */
  socket: PooledSocket | undefined;
}

/** What calls to an origin have in common. */
export interface PoolOptions {
  readonly origin: string;
  readonly path: string;
  readonly headers: string[];
  /** Sockets at most. */
  readonly connections: number;
  readonly connectTimeoutMs: number;
  readonly onConnect: () => void;
}

/** How long an idle connection is kept; below the providers' and load balancers' own limits. */
const KEEP_ALIVE_MS = 60_000;
/** Sockets that are opened at once, and the time after which more may follow, ms. */
const OPENED_AT_ONCE = 8;
const OPENING_PAUSE_MS = 5;
/** For so long after a refused connection no other is tried, ms. */
const REFUSED_MS = 50;

/** One socket. */
export class PooledSocket {
  readonly client: Client;
  /** Calls answered on the connection in use; what fails on one that was used before may be tried anew. */
  answered = 0;
  isConnected = false;
  isBusy = true;

  constructor(client: Client) {
    this.client = client;
  }
}

/** All sockets of one origin. */
export class SocketPool {
  readonly #options: PoolOptions;
  readonly #connector: Connectors.connector;
  readonly #sockets = new Set<PooledSocket>();
  readonly #idle: PooledSocket[] = [];
  readonly #waiting = new Deque<PooledCall>();
  /** Sockets that were ever opened. */
  opened = 0;
  /** Sockets whose connection stands. */
  #connected = 0;
  /** Sockets that may be opened in this while, and the calls that open ones took from those waiting. */
  #credit = OPENED_AT_ONCE;
  #taken = 0;
  #timer: NodeJS.Timeout | undefined;
  #refusal: Error | undefined;
  #refusedAtMs = 0;
  #onEmpty: (() => void) | undefined;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.#connector = buildConnector({ allowH2: false, timeout: options.connectTimeoutMs });
  }

  /** Runs `call` on a socket, now or when one is free. */
  dispatch(call: PooledCall): void {
    const socket = this.#idle.pop();
    if (socket !== undefined) {
      socket.isBusy = true;
      this.#run(socket, call);
    } else if (this.#refusal !== undefined && this.#isRefusing()) fail(call, this.#refusal);
    else {
      this.#waiting.push(call);
      this.#open();
    }
  }

  /** The call on `socket` has ended; a socket on which one failed is used no more. */
  release(socket: PooledSocket, isSound: boolean): void {
    if (!isSound || this.#onEmpty !== undefined) {
      this.#drop(socket);
      this.#open();
      return;
    }
    const next = this.#next();
    if (next !== undefined) {
      this.#taken++;
      this.#run(socket, next);
    } else {
      socket.isBusy = false;
      this.#idle.push(socket);
    }
  }

  /** A call could not be sent since no connection was to be had. */
  refused(error: Error): void {
    if (this.#connected > 0) return;
    this.#refusal = error;
    this.#refusedAtMs = performance.now();
    for (let call = this.#next(); call !== undefined; call = this.#next()) fail(call, error);
  }

  /** Resolves when every call has ended and every socket is closed. */
  async close(): Promise<void> {
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const socket of this.#idle.splice(0)) this.#drop(socket);
    this.#checkEmpty();
    await empty;
  }

  /** Closes every socket now; the calls fail. */
  async destroy(): Promise<void> {
    clearTimeout(this.#timer);
    const error = new errors.ClientDestroyedError();
    for (let call = this.#next(); call !== undefined; call = this.#next()) fail(call, error);
    await Promise.all([...this.#sockets].map(({ client }) => client.destroy()));
    this.#sockets.clear();
    this.#idle.length = 0;
  }

  /** The first call that waits and is still wanted. */
  #next(): PooledCall | undefined {
    let call = this.#waiting.shift();
    while (call?.isOver === true) call = this.#waiting.shift();
    return call;
  }

  #run(socket: PooledSocket, call: PooledCall): void {
    const { path, headers: common } = this.#options;
    const headers = call.headers === undefined ? common : [...common, ...call.headers];
    call.socket = socket;
    socket.client.dispatch({ path, method: "POST", headers, body: call.body }, call);
  }

  #isRefusing(): boolean {
    if (performance.now() - this.#refusedAtMs < REFUSED_MS) return true;
    this.#refusal = undefined;
    return false;
  }

  /** Opens sockets for the calls that wait, as many as may be opened in this while. */
  #open(): void {
    const { connections } = this.#options;
    while (this.#credit > 0 && this.#sockets.size < connections) {
      const call = this.#next();
      if (call === undefined) {
        // Those that waited may all have been given up.
        this.#checkEmpty();
        return;
      }
      this.#credit--;
      this.#timer ??= setTimeout(() => this.#renew(), OPENING_PAUSE_MS);
      this.#run(this.#makeSocket(), call);
    }
  }

  /** A while has passed: more may be opened, if the sockets that are open do not keep up. */
  #renew(): void {
    const behind = this.#waiting.size - this.#taken;
    this.#taken = 0;
    this.#credit = OPENED_AT_ONCE;
    this.#timer = undefined;
    if (behind > 0) this.#open();
    else if (this.#waiting.size > 0) {
      this.#credit = 0;
      this.#timer = setTimeout(() => this.#renew(), OPENING_PAUSE_MS);
    }
  }

  #makeSocket(): PooledSocket {
    const client = new Client(this.#options.origin, {
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: this.#connector,
    });
    const socket = new PooledSocket(client);
    this.opened++;
    this.#sockets.add(socket);
    client.on("connect", () => {
      socket.answered = 0;
      socket.isConnected = true;
      this.#connected++;
      this.#refusal = undefined;
      this.#options.onConnect();
    });
    client.on("disconnect", () => {
      socket.isConnected = false;
      this.#connected--;
      if (!socket.isBusy) this.#drop(socket);
    });
    return socket;
  }

  /** Forgets a socket, and closes it if it is still open. */
  #drop(socket: PooledSocket): void {
    if (!this.#sockets.delete(socket)) return;
    if (!socket.isBusy) {
      const at = this.#idle.indexOf(socket);
      if (at >= 0) this.#idle.splice(at, 1);
    }
    // Not at once: undici may be telling us of this very socket.
    setImmediate(() => void socket.client.destroy());
    this.#checkEmpty();
  }

  #checkEmpty(): void {
    if (this.#sockets.size === 0 && this.#waiting.size === 0) this.#onEmpty?.();
  }
}

/** Not at once: who sends does not expect the end of a call before the call. */
function fail(call: PooledCall, error: Error): void {
  queueMicrotask(() => call.onResponseError?.(undefined as never, error));
}
