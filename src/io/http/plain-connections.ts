/**
 * The connections of a listener that have sent nothing but plain requests, with their time limits;
 * all others are node:http's.
 */
import type { Server } from "node:http";
import type { Socket } from "node:net";
import {
  PlainConnection,
  type PlainHost,
  type PlainPhase,
  type RequestHost,
} from "./plain-connection.ts";

/** Limits in time, ms; the same that node:http keeps. */
export interface ConnectionLimits {
  /** From the connect to the first head. */
  readonly headersTimeoutMs: number;
  /** From a request's first byte to its last. */
  readonly requestTimeoutMs: number;
  /** From an answer to the next request. */
  readonly keepAliveTimeoutMs: number;
}

const SWEEP_MS = 1000;
/** An idle connection is kept a little longer than clients are told. */
const KEEP_ALIVE_EXTRA_MS = 1000;

/** Takes the connections of `server` before node:http does. */
export class PlainConnections implements PlainHost {
  readonly requests: RequestHost;
  readonly keepAliveLines: string;
  readonly #limitsMs: Readonly<Record<PlainPhase, number>>;
  readonly #open = new Set<PlainConnection>();
  readonly #toNode: (socket: Socket) => void;

  constructor(server: Server, requests: RequestHost, limits: ConnectionLimits) {
    this.requests = requests;
    this.#limitsMs = {
      fresh: limits.headersTimeoutMs,
      reading: limits.requestTimeoutMs,
      serving: Infinity,
      idle: limits.keepAliveTimeoutMs + KEEP_ALIVE_EXTRA_MS,
      gone: Infinity,
    };
    const seconds = Math.floor(limits.keepAliveTimeoutMs / 1000);
    this.keepAliveLines = `Connection: keep-alive\r\nKeep-Alive: timeout=${seconds}\r\n`;
    // A server of node:http is one of node:net with a listener of its own.
    const [listener] = server.listeners("connection") as ((socket: Socket) => void)[];
    if (listener === undefined) throw new Error("node:http does not listen for connections");
    server.off("connection", listener);
    this.#toNode = (socket) => listener.call(server, socket);
    server.on("connection", (socket) => {
      this.#open.add(new PlainConnection(this, socket, performance.now()));
    });
    const sweep = setInterval(() => this.#sweep(performance.now()), SWEEP_MS);
    sweep.unref();
    server.on("close", () => clearInterval(sweep));
  }

  handOver(connection: PlainConnection): void {
    this.#open.delete(connection);
    this.#toNode(connection.socket);
  }

  closed(connection: PlainConnection): void {
    this.#open.delete(connection);
  }

  /** Cuts the connections that no request is under way on. */
  closeIdle(): void {
    for (const { phase, socket } of this.#open) {
      if (phase === "fresh" || phase === "idle") socket.destroy();
    }
  }

  #sweep(nowMs: number): void {
    for (const connection of this.#open) {
      if (nowMs - connection.sinceMs > this.#limitsMs[connection.phase]) connection.expire();
    }
  }
}
