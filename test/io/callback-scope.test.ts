/** Callbacks of shared sockets belong to the process that asked (otp.md 4.3), over real sockets. */
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { listenAdminSocket } from "../../src/io/admin-socket.ts";
import { CallbackScope } from "../../src/io/callback-scope.ts";
import { DelayLine } from "../../src/io/delay-line.ts";
import { openHttpServer } from "../../src/io/http/http-server.ts";
import { createHttpUpstream } from "../../src/io/http/http-upstream.ts";
import { connectWs } from "../../src/io/ws-client.ts";
import { WsServer } from "../../src/io/ws-server.ts";
import { Secret } from "../../src/lib/secret.ts";
import { child, createNode, type Ctx, type Node, supervisor } from "../../src/otp/index.ts";
import { must, probe, probeKey } from "../otp/support.ts";

const EVENTS = ["unhandledRejection", "uncaughtException"] as const;
const held = new Map<string, ((...args: unknown[]) => void)[]>();
const cleanups: (() => unknown)[] = [];

/* The test runner listens too and would fail the run: it steps aside while one claim runs. */
beforeEach(() => {
  for (const name of EVENTS) {
    held.set(name, process.listeners(name as "exit") as never);
    process.removeAllListeners(name);
  }
});
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  for (const name of EVENTS)
    for (const listener of held.get(name) ?? []) process.on(name, listener);
});

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const fail = (): never => {
  throw new Error("stray");
};

interface World {
  readonly node: Node;
  /** Processes that crashed, and errors of nobody. */
  readonly crashed: string[];
  /** Runs `body` as code of a process. */
  as<R>(name: string, body: (ctx: Ctx) => R): Promise<Awaited<R>>;
  kill(name: string): Promise<void>;
  /** Waits until somebody crashed. */
  crash(): Promise<readonly string[]>;
}

async function world(): Promise<World> {
  const crashed: string[] = [];
  const node = createNode({ onStray: () => crashed.push("(nobody)") });
  node.telemetry.attach("crashes", "otp.crash", (event) => {
    if (event.fields["reason"] !== "killed") crashed.push(String(event.process));
  });
  await node.start(
    supervisor("top", {
      intensity: 10,
      children: ["a", "b"].map((name) => child(probe, { name }, { register: probeKey(name) })),
    }),
  );
  cleanups.push(() => node.stop());
  return {
    node,
    crashed,
    as: (name, body) => node.via(probeKey(name)).call.run(body) as Promise<never>,
    kill: async (name) => {
      const { id } = node.via(probeKey(name));
      node.inspector.exit(id, "kill");
      for (let round = 0; node.via(probeKey(name)).id === id && round < 100; round++) await wait(5);
    },
    crash: async () => {
      for (let round = 0; crashed.length === 0 && round < 400; round++) await wait(5);
      await wait(20);
      return crashed.splice(0);
    },
  };
}

const A = "test/n/a/probe";
const B = "test/n/b/probe";

/** A provider that answers every call, and how many sockets it saw. */
async function provider() {
  const seen = { sockets: 0 };
  const server = createServer((request, response) => {
    request.resume().on("end", () => response.end('{"jsonrpc":"2.0","id":1,"result":"0x1"}'));
  });
  server.on("connection", () => seen.sockets++);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  cleanups.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, seen };
}

const silent = { onHead: () => {}, onData: () => true, onEnd: () => {}, onFailure: () => {} };

describe("a scope of the host", () => {
  it("still sends for code whose process has ended, which itself no longer may", async () => {
    const host = new CallbackScope();
    const { as, kill, node } = await world();
    const gate = Promise.withResolvers<void>();
    await as("a", (ctx) => {
      const b = ctx.via(probeKey("b"));
      void gate.promise.then(() => {
        b.cast.set(1);
        host.run(() => b.send("from the host"));
      });
    });
    await kill("a");
    gate.resolve();
    await wait(5);
    const b = must(node.whereis(probeKey("b")));
    expect(await b.call.get()).toBe(0);
    expect(await b.call.infos()).toEqual([{ type: "info", payload: "from the host" }]);
    expect(node.inspector.counters()["zombieOps"]).toBe(1);
  });
});

describe("an error in a socket's callback", () => {
  it("is its opener's: a WebSocket to a provider", async () => {
    const { as, crash } = await world();
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    server.on("connection", (client) => client.send("hello"));
    cleanups.push(() => server.close());
    await once(server, "listening");
    const url = new Secret(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const quiet = { onOpen: () => {}, onPong: () => {}, onClose: () => {} };
    await as("a", () => {
      const options = { url, headers: {}, handshakeTimeoutMs: 1_000 };
      const client = connectWs(options, { ...quiet, onMessages: fail });
      cleanups.push(() => client.abandon());
    });
    expect(await crash()).toEqual([A]);
  });

  it("is the caller's, whoever made the pooled connection: a call to a provider", async () => {
    const { as, kill, crash, node } = await world();
    const { url, seen } = await provider();
    const upstream = createHttpUpstream({ url: new Secret(url), connections: 1 });
    cleanups.push(() => upstream.destroy());
    const body = Buffer.from("{}");
    await as("a", () => {
      return new Promise<void>((onEnd) => void upstream.send(body, 1, { ...silent, onEnd }));
    });
    await kill("a");
    await as("b", (ctx) => {
      const a = ctx.via(probeKey("a"));
      return new Promise<void>((resolve) => {
        const onEnd = (): void => {
          a.cast.set(7);
          resolve();
        };
        upstream.send(body, 1, { ...silent, onEnd });
      });
    });
    expect(await node.via(probeKey("a")).call.get()).toBe(7);
    expect(node.inspector.counters()["zombieOps"]).toBe(0);
    for (const handler of ["onHead", "onData", "onEnd"] as const) {
      await as("b", () => void upstream.send(body, 1, { ...silent, [handler]: fail }));
      expect(await crash(), handler).toEqual([B]);
      await wait(20);
    }
    // A handler that throws on data has its call given up, and with it the connection.
    expect(seen.sockets).toBeLessThanOrEqual(2);
  });

  it("is the last adopter's: a server that outlives the process that opened it", async () => {
    const { as, kill, crash } = await world();
    const scope = new CallbackScope();
    const server = await as("a", () => {
      scope.adopt();
      return openHttpServer({ host: "127.0.0.1", port: 0, scope, onRequest: fail });
    });
    cleanups.push(() => server.close());
    const ask = (): void => {
      fetch(`http://127.0.0.1:${server.port}/`, { method: "POST", body: "{}" }).catch(() => {});
    };
    ask();
    expect(await crash()).toEqual([A]);
    await kill("a");
    await as("b", () => scope.adopt());
    ask();
    expect(await crash()).toEqual([B]);
  });

  it("is the last adopter's: a client's WebSocket, also one that was open before", async () => {
    const { as, crash } = await world();
    const scope = new CallbackScope();
    const sockets = new WsServer({
      scope,
      decide: () => ({
        ok: true,
        open: () => ({ onMessage: fail, onClose: () => {}, inFlight: 0 }),
      }),
    });
    const server = await as("a", () => {
      scope.adopt();
      return openHttpServer({
        host: "127.0.0.1",
        port: 0,
        scope,
        onRequest: () => {},
        onUpgrade: (request, socket, head) => sockets.upgrade(request, socket, head),
      });
    });
    cleanups.push(() => server.close());
    const client = new WebSocket(`ws://127.0.0.1:${server.port}/`);
    cleanups.push(() => client.terminate());
    await once(client, "open");
    client.send("1");
    expect(await crash()).toEqual([A]);
    await as("b", () => scope.adopt());
    client.send("2");
    expect(await crash()).toEqual([B]);
  });

  it("is its opener's: a connection to the operators' socket", async () => {
    const { as, crash } = await world();
    const directory = mkdtempSync(join(tmpdir(), "pl-"));
    cleanups.push(() => rmSync(directory, { recursive: true }));
    const server = await as("a", () =>
      listenAdminSocket({
        path: join(directory, "s", "a.sock"),
        maxConnections: 2,
        refusal: "no\n",
        accept: () => ({ data: fail, finish: () => {}, end: () => {} }),
      }),
    );
    cleanups.push(() => server.close());
    const client = connect(server.path);
    cleanups.push(() => client.destroy());
    client.write("{}\n");
    expect(await crash()).toEqual([A]);
  });

  it("is its own pusher's, and stops no other entry: a delay line", async () => {
    const { as, crash, node } = await world();
    const line = new DelayLine();
    await as("a", () => line.push(5, fail));
    await as("b", (ctx) => line.push(10, () => ctx.self.send("mine")));
    expect(await crash()).toEqual([A]);
    const b = must(node.whereis(probeKey("b")));
    expect(await b.call.infos()).toEqual([{ type: "info", payload: "mine" }]);
  });
});
