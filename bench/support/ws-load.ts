/** Load over WebSockets: each client has one call in flight, every answer's id is compared. */
import { WebSocket } from "ws";
import { anyAccount, type LoadResult } from "./load.ts";

let nextId = 1;

/** Clients of one lane; they stay connected from round to round. */
export class WsLoad {
  readonly #url: string;
  readonly #count: number;
  #clients: { socket: WebSocket; id: number; askedAtMs: number }[] = [];
  #isOn = false;
  #busy = 0;
  #good = 0;
  #wrongIds = 0;
  #errors = 0;
  #latencies: number[] = [];

  constructor(url: string, count: number) {
    this.#url = url;
    this.#count = count;
  }

  async open(): Promise<void> {
    this.#clients = await Promise.all(
      Array.from({ length: this.#count }, async () => {
        const socket = new WebSocket(this.#url, { perMessageDeflate: false });
        await new Promise((resolve, reject) => {
          socket.once("open", resolve);
          socket.once("error", reject);
        });
        const client = { socket, id: 0, askedAtMs: 0 };
        socket.on("message", (data: Buffer) => this.#answered(client, data.toString("latin1")));
        return client;
      }),
    );
  }

  close(): void {
    for (const { socket } of this.#clients) socket.terminate();
  }

  /** Every client asks again as soon as it is answered. */
  async saturate(durationMs: number): Promise<Omit<LoadResult, "dueMs">> {
    this.#good = 0;
    this.#wrongIds = 0;
    this.#errors = 0;
    this.#latencies = [];
    this.#isOn = true;
    const startMs = performance.now();
    for (const client of this.#clients) this.#ask(client);
    await sleep(durationMs);
    this.#isOn = false;
    const result = {
      good: this.#good,
      wrongIds: this.#wrongIds,
      errors: this.#errors,
      latenciesMs: this.#latencies,
      durationMs: performance.now() - startMs,
    };
    while (this.#busy > 0 && performance.now() - startMs < durationMs + 10_000) await sleep(2);
    return result;
  }

  #ask(client: { socket: WebSocket; id: number; askedAtMs: number }): void {
    client.id = 1_000_000 + (nextId++ % 8_999_999);
    client.askedAtMs = performance.now();
    this.#busy++;
    client.socket.send(
      `{"jsonrpc":"2.0","id":${client.id},"method":"eth_getBalance","params":${anyAccount(client.id)}}`,
    );
  }

  #answered(client: { socket: WebSocket; id: number; askedAtMs: number }, text: string): void {
    this.#busy--;
    if (!text.includes('"result"')) this.#errors++;
    else if (text.includes(`"id":${client.id},`)) this.#good++;
    else this.#wrongIds++;
    this.#latencies.push(performance.now() - client.askedAtMs);
    if (this.#isOn) this.#ask(client);
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
