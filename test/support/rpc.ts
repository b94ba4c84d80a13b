/** Bare JSON-RPC clients: nothing between the test and the wire. */
import { WebSocket } from "ws";

/** An answer as it came. */
export interface RawAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
}

/** Posts a body and gives status, headers and text. */
export async function post(
  url: string,
  body: string | object,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/**
 * The same address, for calls that ask a provider each: none is answered from what was kept, and none
 * shares the attempt of an equal one.
 */
export function anew(url: string): string {
  return `${url}${url.includes("?") ? "&" : "?"}no-cache=1`;
}

/** The provider that answers a call now; `null` when none does. */
export async function servedBy(url: string): Promise<string | null> {
  const read = { jsonrpc: "2.0", id: 1, method: "eth_gasPrice", params: [] };
  return (await post(anew(url), read)).headers.get("x-paceline-provider");
}

/** One call: the result, or a thrown error with `code`, `data` and the HTTP status. */
export async function rpc(
  url: string,
  method: string,
  params: readonly unknown[] = [],
): Promise<any> {
  const { text, status } = await post(url, { jsonrpc: "2.0", id: 1, method, params });
  const { result, error } = JSON.parse(text);
  if (error !== undefined) throw Object.assign(new Error(error.message), { ...error, status });
  return result;
}

/** A WebSocket that speaks JSON-RPC and keeps everything it was told. */
export class RpcSocket {
  readonly closed: Promise<{ code: number; reason: string }>;
  /** Events per subscription id, in the order of arrival. */
  readonly events = new Map<string, any[]>();
  readonly socket: WebSocket;
  readonly #waiting = new Map<number, (message: any) => void>();
  readonly #watchers = new Set<() => void>();
  #nextId = 1;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    this.closed = new Promise((resolve) => {
      socket.once("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    socket.on("message", (data: Buffer) => this.#onMessage(JSON.parse(data.toString())));
    socket.on("error", () => undefined);
  }

  /** Connects or throws, with the HTTP status in the message when the upgrade was refused. */
  static connect(url: string): Promise<RpcSocket> {
    return new Promise((resolve, reject) => {
      const socket = new WebSocket(url);
      const client = new RpcSocket(socket);
      socket.once("open", () => resolve(client));
      socket.once("error", reject);
    });
  }

  /** The whole answer to one call. */
  async answer(method: string, params: readonly unknown[] = [], timeoutMs = 10_000): Promise<any> {
    const id = this.#nextId++;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer to ${method}`)), timeoutMs);
      this.#waiting.set(id, (message) => {
        clearTimeout(timer);
        resolve(message);
      });
      this.socket.send(JSON.stringify({ jsonrpc: "2.0", id, method, params }));
    });
  }

  /** The result of one call, or a thrown error. */
  async call(method: string, params: readonly unknown[] = []): Promise<any> {
    const { result, error } = await this.answer(method, params);
    if (error !== undefined) throw Object.assign(new Error(error.message), error);
    return result;
  }

  /** Subscribes and returns the list that grows as events arrive. */
  async subscribe(kind: string, filter?: unknown): Promise<{ id: string; events: any[] }> {
    const id = await this.call("eth_subscribe", filter === undefined ? [kind] : [kind, filter]);
    const events = this.events.get(id) ?? [];
    this.events.set(id, events);
    return { id, events };
  }

  /** Resolves when the condition holds after some event; fails after the time. */
  until(condition: () => boolean, timeoutMs = 10_000): Promise<void> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        this.#watchers.delete(look);
        clearTimeout(timer);
      };
      const look = (): void => {
        if (!condition()) return;
        finish();
        resolve();
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`condition not met within ${timeoutMs} ms: ${condition.toString()}`));
      }, timeoutMs);
      this.#watchers.add(look);
      look();
    });
  }

  close(): void {
    this.socket.terminate();
  }

  #onMessage(message: any): void {
    if (message.method === "eth_subscription") {
      const { subscription, result } = message.params;
      const list = this.events.get(subscription) ?? [];
      list.push(result);
      this.events.set(subscription, list);
    } else {
      this.#waiting.get(message.id)?.(message);
      this.#waiting.delete(message.id);
    }
    for (const watcher of this.#watchers) watcher();
  }
}
