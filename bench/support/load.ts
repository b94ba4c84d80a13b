/**
 * Load over keep-alive sockets with its own small HTTP codec: every request carries a new id, every
 * answer's id is compared, status and error answers are counted.
 */
import type { Socket } from "node:net";
import { connect } from "node:net";

/** What came of a run. */
export interface LoadResult {
  readonly good: number;
  readonly wrongIds: number;
  readonly errors: number;
  /** Time from due to answered, ms. */
  readonly latenciesMs: readonly number[];
  /** When each of them was due, ms since the start. */
  readonly dueMs: readonly number[];
  readonly durationMs: number;
}

/** Parameters as JSON text; `id` is different for each request. */
export type Params = (id: number) => string;

/** Of its own for every request, so that none shares an attempt with another. */
const DISTINCT: Params = (id) => `["0x${id.toString(16)}",true]`;

/** Another account for every request, so that no cache and no shared flight can answer. */
export const anyAccount: Params = (id) => `["0x${id.toString(16).padStart(40, "0")}","latest"]`;

const HEAD_END = Buffer.from("\r\n\r\n");
let nextId = 1;

/** Answers without a result that are shown, and how much of each. */
const MAX_TOLD = 5;
const MAX_TOLD_CHARS = 600;
let toldErrors = 0;

/** Connections to one lane; they stay open from round to round. */
export class Load {
  readonly #connections: Connection[];
  #good = 0;
  #wrongIds = 0;
  #errors = 0;
  #latencies: number[] = [];
  #dueAt: number[] = [];
  #startMs = 0;
  #isOn = false;
  #idle: Connection[] = [];
  #due: number[] = [];

  constructor(port: number, path: string, method: string, connections: number, params = DISTINCT) {
    const done = (connection: Connection, outcome: "good" | "wrong" | "error"): void => {
      if (outcome === "good") this.#good++;
      else if (outcome === "wrong") this.#wrongIds++;
      else this.#errors++;
      this.#latencies.push(performance.now() - connection.dueMs);
      this.#dueAt.push(connection.dueMs - this.#startMs);
      if (this.#isOn && this.#isClosed) connection.ask(performance.now());
      else if (this.#due.length > 0) connection.ask(this.#due.shift() as number);
      else this.#idle.push(connection);
    };
    this.#connections = Array.from(
      { length: connections },
      () => new Connection(port, path, method, params, done),
    );
  }

  #isClosed = true;

  async open(): Promise<void> {
    await Promise.all(this.#connections.map((connection) => connection.open()));
    this.#idle = [...this.#connections];
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  /** Closed loop: every connection asks again as soon as it is answered. */
  async saturate(durationMs: number): Promise<LoadResult> {
    this.#reset(true);
    const startMs = performance.now();
    for (const connection of this.#idle.splice(0)) connection.ask(performance.now());
    await sleep(durationMs);
    this.#isOn = false;
    const result = this.#result(performance.now() - startMs);
    await this.#quiet();
    return result;
  }

  /**
   * Open loop: requests fall due at a fixed rate, whatever the lane does. A request that finds no
   * free connection waits, and its clock runs from when it was due.
   */
  async pace(ratePerSec: number, durationMs: number): Promise<LoadResult> {
    this.#reset(false);
    const startMs = performance.now();
    let sent = 0;
    await new Promise<void>((resolve) => {
      const step = (): void => {
        const nowMs = performance.now();
        const due = Math.floor(((nowMs - startMs) * ratePerSec) / 1000);
        while (sent < due) {
          sent++;
          const connection = this.#idle.shift();
          // The generator's own lateness is not the lane's: a free connection starts now.
          if (connection === undefined) this.#due.push(startMs + (sent * 1000) / ratePerSec);
          else connection.ask(performance.now());
        }
        if (nowMs - startMs >= durationMs) resolve();
        else setImmediate(step);
      };
      step();
    });
    await this.#quiet();
    return this.#result(performance.now() - startMs);
  }

  #reset(isClosed: boolean): void {
    this.#good = 0;
    this.#wrongIds = 0;
    this.#errors = 0;
    this.#latencies = [];
    this.#dueAt = [];
    this.#startMs = performance.now();
    this.#isOn = true;
    this.#isClosed = isClosed;
  }

  #result(durationMs: number): LoadResult {
    return {
      good: this.#good,
      wrongIds: this.#wrongIds,
      errors: this.#errors,
      latenciesMs: this.#latencies,
      dueMs: this.#dueAt,
      durationMs,
    };
  }

  async #quiet(): Promise<void> {
    this.#isOn = false;
    const untilMs = performance.now() + 10_000;
    while (this.#idle.length < this.#connections.length && performance.now() < untilMs) {
      await sleep(2);
    }
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** One socket with one request at a time. */
class Connection {
  dueMs = 0;
  readonly #port: number;
  readonly #head: string;
  readonly #tail: string;
  readonly #params: Params;
  readonly #done: (connection: Connection, outcome: "good" | "wrong" | "error") => void;
  #socket: Socket | undefined;
  #id = 0;
  #pending: Buffer | undefined;
  #isBusy = false;
  #left = -1;
  #outcome: "good" | "wrong" | "error" = "good";

  constructor(
    port: number,
    path: string,
    method: string,
    params: Params,
    done: (connection: Connection, outcome: "good" | "wrong" | "error") => void,
  ) {
    this.#port = port;
    this.#head = `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\ncontent-length: `;
    this.#tail = `,"method":"${method}","params":`;
    this.#params = params;
    this.#done = done;
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
      this.#socket = socket;
      socket.once("connect", () => resolve());
      socket.once("error", reject);
      socket.on("data", (chunk) => this.#onData(chunk));
      socket.on("close", () => {
        this.#socket = undefined;
        if (this.#isBusy) this.#finish("error");
      });
    });
  }

  close(): void {
    this.#isBusy = false;
    this.#socket?.destroy();
  }

  ask(dueMs: number): void {
    this.dueMs = dueMs;
    this.#id = 1_000_000 + (nextId++ % 8_999_999);
    this.#left = -1;
    this.#isBusy = true;
    const body = `{"jsonrpc":"2.0","id":${this.#id}${this.#tail}${this.#params(this.#id)}}`;
    const send = (): void => {
      this.#socket?.write(`${this.#head}${body.length}\r\n\r\n${body}`, "latin1");
    };
    // A lane may close an idle connection between rounds.
    if (this.#socket !== undefined) send();
    else this.open().then(send, () => this.#finish("error"));
  }

  #onData(chunk: Buffer): void {
    if (this.#left >= 0) {
      this.#left -= chunk.length;
      if (this.#left === 0) this.#finish(this.#outcome);
      return;
    }
    const bytes = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk]);
    const headEnd = bytes.indexOf(HEAD_END);
    // The envelope must be there as well, so that the id can be compared.
    if (headEnd < 0 || bytes.length < headEnd + 4 + 32) {
      this.#pending = bytes;
      return;
    }
    this.#pending = undefined;
    const text = bytes.toString("latin1", 0, Math.min(bytes.length, headEnd + 4 + 400));
    const length = /content-length: (\d+)/i.exec(text);
    const isGood = text.startsWith("HTTP/1.1 200") && text.includes('"result"');
    if (!isGood && toldErrors++ < MAX_TOLD) console.error(`load: ${text.slice(0, MAX_TOLD_CHARS)}`);
    this.#outcome = !isGood ? "error" : text.includes(`"id":${this.#id},`) ? "good" : "wrong";
    this.#left = Number(length?.[1] ?? 0) - (bytes.length - headEnd - 4);
    if (this.#left <= 0) this.#finish(this.#outcome);
  }

  #finish(outcome: "good" | "wrong" | "error"): void {
    this.#left = -1;
    this.#isBusy = false;
    this.#done(this, outcome);
  }
}
