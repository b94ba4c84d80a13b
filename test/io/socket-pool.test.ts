import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { type PooledCall, type PooledSocket, SocketPool } from "../../src/io/http/socket-pool.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A call that tells how it ended: the status, or the error's code. */
class TestCall implements PooledCall {
  readonly body = Buffer.from("{}");
  isOver = false;
  socket: PooledSocket | undefined = undefined;
  readonly ended = Promise.withResolvers<number | string>();
  readonly #pool: SocketPool;
  #status = 0;

  constructor(pool: SocketPool) {
    this.#pool = pool;
  }

  onRequestStart(): void {}

  onResponseStart(_controller: unknown, status: number): void {
    this.#status = status;
  }

  onResponseData(): void {}

  onResponseEnd(): void {
    this.#leave(true);
    this.ended.resolve(this.#status);
  }

  onResponseError(_controller: unknown, error: Error & { code?: string }): void {
    // A call that was refused without a socket is no news.
    if (this.socket !== undefined && error.code === "ECONNREFUSED") this.#pool.refused(error);
    this.#leave(false);
    this.ended.resolve(error.code ?? error.message);
  }

  #leave(isSound: boolean): void {
    const { socket } = this;
    this.socket = undefined;
    if (socket !== undefined) this.#pool.release(socket, isSound);
  }
}

/** A provider that answers when it is told to. */
async function provider(): Promise<{ port: number; asked: ServerResponse[]; server: Server }> {
  const asked: ServerResponse[] = [];
  const server = createServer((_request, response) => asked.push(response));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  cleanups.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, asked, server };
}

function poolTo(port: number, connections: number): SocketPool {
  const pool = new SocketPool({
    origin: `http://127.0.0.1:${port}`,
    path: "/",
    headers: [],
    connections,
    connectTimeoutMs: 1000,
    onConnect() {},
  });
  cleanups.push(() => pool.destroy());
  return pool;
}

function dispatch(pool: SocketPool, count: number): TestCall[] {
  const calls = Array.from({ length: count }, () => new TestCall(pool));
  for (const call of calls) pool.dispatch(call);
  return calls;
}

const endsOf = (calls: readonly TestCall[]) => Promise.all(calls.map(({ ended }) => ended.promise));
const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 1));
};

describe("the sockets to an origin", () => {
  it("are opened a few at a time, all of them for a provider that takes its time", async () => {
    const { port, asked } = await provider();
    const pool = poolTo(port, 12);
    const calls = dispatch(pool, 20);
    expect(pool.opened).toBe(8);
    await until(() => asked.length === 12);
    expect(pool.opened).toBe(12);
    for (let answered = 0; answered < 20; answered++) {
      await until(() => asked.length > answered);
      asked[answered]?.end("ok");
    }
    expect(await endsOf(calls)).toEqual(calls.map(() => 200));
    expect(pool.opened).toBe(12);
  });

  it("take one call after another", async () => {
    const { port, server } = await provider();
    server.removeAllListeners("request");
    server.on("request", (_request, response) => response.end("ok"));
    const pool = poolTo(port, 64);
    for (let i = 0; i < 20; i++) expect(await endsOf(dispatch(pool, 1))).toEqual([200]);
    expect(pool.opened).toBe(1);
  });

  it("refuse every call that waits once a connection is refused, without trying for each", async () => {
    const { port, server } = await provider();
    server.close();
    const pool = poolTo(port, 64);
    const calls = dispatch(pool, 300);
    const ends = await endsOf(calls);
    expect(new Set(ends)).toEqual(new Set(["ECONNREFUSED"]));
    // Eight, and as many more for every pause that passes before the first refusal.
    expect(pool.opened).toBeLessThan(100);
  });

  it("are tried again when a provider is back", async () => {
    const { port, server } = await provider();
    await new Promise((resolve) => server.close(resolve));
    const pool = poolTo(port, 64);
    expect(await endsOf(dispatch(pool, 1))).toEqual(["ECONNREFUSED"]);
    const back = createServer((_request, response) => response.end("ok"));
    await new Promise<void>((resolve) => back.listen(port, "127.0.0.1", resolve));
    cleanups.push(() => back.close());
    let end: number | string | undefined;
    while (end !== 200) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      [end] = await endsOf(dispatch(pool, 1));
    }
    expect(end).toBe(200);
  });

  it("never send a call that was given up while it waited", async () => {
    const { port, asked } = await provider();
    const pool = poolTo(port, 1);
    const [first, second, third] = dispatch(pool, 3) as [TestCall, TestCall, TestCall];
    second.isOver = true;
    await until(() => asked.length === 1);
    asked[0]?.end();
    expect(await first.ended.promise).toBe(200);
    await until(() => asked.length === 2);
    asked[1]?.end();
    expect(await third.ended.promise).toBe(200);
    expect(asked.length).toBe(2);
  });

  it("close when the last call has ended, those that wait included", async () => {
    const { port, asked } = await provider();
    const pool = poolTo(port, 2);
    const calls = dispatch(pool, 3);
    let isClosed = false;
    const closed = pool.close().then(() => {
      isClosed = true;
    });
    for (let answered = 0; answered < 3; answered++) {
      await until(() => asked.length > answered);
      expect(isClosed).toBe(false);
      asked[answered]?.end();
    }
    expect(await endsOf(calls)).toEqual([200, 200, 200]);
    await closed;
  });

  it("close although a call that waits was given up", async () => {
    const { port, asked } = await provider();
    const pool = poolTo(port, 1);
    const [first, second] = dispatch(pool, 2) as [TestCall, TestCall];
    await until(() => asked.length === 1);
    const closed = pool.close();
    second.isOver = true;
    asked[0]?.end();
    expect(await first.ended.promise).toBe(200);
    await closed;
  });

  it("fail all calls when they are destroyed", async () => {
    const { port, asked } = await provider();
    const pool = poolTo(port, 2);
    const calls = dispatch(pool, 3);
    await until(() => asked.length === 2);
    await pool.destroy();
    expect(await endsOf(calls)).toEqual(calls.map(() => "UND_ERR_DESTROYED"));
  });
});
