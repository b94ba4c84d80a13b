/** Closed-loop load of prepared POST requests over keep-alive sockets; answers are counted by status. */
import { connect, type Socket } from "node:net";

/** What came of a round. */
export interface PostResult {
  readonly good: number;
  readonly bad: number;
  readonly perSec: number;
  /** The longest wait for an answer, ms. */
  readonly worstMs: number;
}

/** A request as its bytes. */
export const postBytes = (port: number, path: string, body: string, method = "POST"): Buffer =>
  Buffer.from(
    `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );

/** Connections that send these requests one after the other, each its own way through the list. */
export class PostLoad {
  readonly #sockets: Socket[] = [];
  readonly #port: number;
  readonly #requests: readonly Buffer[];
  #isOn = false;
  #good = 0;
  #bad = 0;
  #worstMs = 0;

  constructor(port: number, requests: readonly Buffer[]) {
    this.#port = port;
    this.#requests = requests;
  }

  async open(connections: number): Promise<void> {
    for (let i = 0; i < connections; i++) {
      await new Promise<void>((resolve, reject) => {
        const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true }, resolve);
        socket.once("error", reject);
        this.#sockets.push(socket);
      });
    }
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Runs for so long. */
  async run(durationMs: number): Promise<PostResult> {
    this.#good = this.#bad = this.#worstMs = 0;
    this.#isOn = true;
    const startMs = performance.now();
    const loops = this.#sockets.map((socket, i) => this.#loop(socket, i * 97));
    setTimeout(() => {
      this.#isOn = false;
    }, durationMs);
    await Promise.all(loops);
    const perSec = (this.#good * 1_000) / (performance.now() - startMs);
    return { good: this.#good, bad: this.#bad, perSec, worstMs: this.#worstMs };
  }

  #loop(socket: Socket, from: number): Promise<void> {
    return new Promise((resolve) => {
      let at = from;
      let sentMs = 0;
      let pending = "";
      const send = (): void => {
        sentMs = performance.now();
        socket.write(this.#requests[at++ % this.#requests.length] as Buffer);
      };
      const take = (chunk: Buffer): void => {
        pending += chunk.toString("latin1");
        const end = pending.indexOf("\r\n\r\n");
        if (end < 0) return;
        const size = Number(/content-length: (\d+)/i.exec(pending.slice(0, end))?.[1] ?? 0);
        if (pending.length < end + 4 + size) return;
        if (pending.startsWith("HTTP/1.1 200")) this.#good++;
        else this.#bad++;
        pending = "";
        this.#worstMs = Math.max(this.#worstMs, performance.now() - sentMs);
        if (this.#isOn) send();
        else {
          socket.off("data", take);
          resolve();
        }
      };
      socket.on("data", take);
      send();
    });
  }
}
