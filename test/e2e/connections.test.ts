/** The WebSockets of a running gateway to its providers: what ends them, and what is left behind. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { cleanupAfterEach } from "../support/cleanup.ts";
import { eventually } from "../support/eventually.ts";
import { Gateway } from "../support/gateway.ts";
import { StubUpstream } from "../support/stub-upstream.ts";
import { startTcpProxy } from "../support/tcp-proxy.ts";

const CLI = join(import.meta.dirname, "..", "..", "src", "cli.ts");
const NAME = "rpc/chain/dev/provider/a/ws-connection";

describe("the WebSocket to a provider", () => {
  const use = cleanupAfterEach();

  const start = async (wsUrl: string): Promise<Gateway> => {
    const connection = { heartbeat_interval: "500ms", reconnect_interval: "50ms" };
    const dev = {
      chain_id: 1,
      block_time: "1s",
      connection,
      providers: [{ id: "a", ws_url: wsUrl }],
    };
    return use(await Gateway.start({ config: { chains: { dev } } }));
  };
  const inspect = async (gateway: Gateway): Promise<Readonly<Record<string, any>>> => {
    const admin = await gateway.admin();
    const { state } = await admin.ask("inspect", { target: NAME });
    admin.close();
    return state;
  };
  const metrics = async (gateway: Gateway): Promise<string> =>
    (await fetch(`${gateway.url}/metrics`)).text();

  it("is found dead when the wire swallows every byte, and replaced", async () => {
    const stub = use(await StubUpstream.start());
    const wire = use(await startTcpProxy(stub.port));
    const gateway = await start(`ws://127.0.0.1:${wire.port}`);
    await stub.subscribed("newHeads");
    wire.freeze();
    await eventually("another connection", () => wire.accepted === 2);
    await eventually("it is live", async () => (await inspect(gateway))["state"] === "live");
    expect(await inspect(gateway)).toMatchObject({
      reconnects: 1,
      wanted: ["newHeads"],
      open: ["newHeads"],
      lastClose: { reason: "timeout: pong", code: 1006 },
    });
    const page = await metrics(gateway);
    expect(page).toMatch(/paceline_websocket_suspects_total\{chain="dev",provider="a"\} [12]/u);
    expect(page).toContain(
      'paceline_websocket_disconnects_total{chain="dev",provider="a",code="1006"} 1',
    );
  });

  it("waits as long as a Retry-After says, and is suspended when the key is refused", async () => {
    const stub = use(await StubUpstream.start());
    const gateway = await start(stub.wsUrl);
    const first = await stub.subscribed("newHeads");
    stub.refusal = "HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n";
    first.socket.terminate();
    await eventually("two more attempts", () => stub.upgradesAtMs.length >= 3);
    const [, second = 0, third = 0] = stub.upgradesAtMs;
    expect(third - second).toBeGreaterThanOrEqual(1_000);
    stub.refusal = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    const state = await eventually("it is suspended", async () => {
      const shown = await inspect(gateway);
      return shown["state"] === "suspended" ? shown : undefined;
    });
    expect(state["lastError"]).toBe("401 upgrade refused");
    expect(await metrics(gateway)).toContain(
      'paceline_websocket_connected{chain="dev",provider="a"} 0',
    );
    // The operator has a new key in place: restarting the process is the way out.
    stub.refusal = undefined;
    const admin = await gateway.admin();
    await admin.raise();
    await admin.ask("restart", { target: NAME });
    await stub.subscribed("newHeads");
  });

  it("is closed with 1001 when the gateway is stopped", async () => {
    const stub = use(await StubUpstream.start());
    const gateway = await start(stub.wsUrl);
    const connection = await stub.subscribed("newHeads");
    gateway.child.signal("SIGTERM");
    expect((await gateway.child.exited).code).toBe(0);
    await eventually("the farewell", () => connection.closed !== undefined);
    expect(connection.closed).toEqual({ code: 1001, reason: "going away" });
  });

  it("is shown by `paceline inspect`: state, since when, streams and the last end", async () => {
    const stub = use(await StubUpstream.start());
    const gateway = await start(stub.wsUrl);
    stub.refused.add("logs");
    (await stub.subscribed("newHeads")).socket.close(1012, "deploying");
    await eventually("it is back", async () => {
      await stub.subscribed("newHeads");
      return (await inspect(gateway))["reconnects"] === 1;
    });
    const text = await new Promise<string>((resolve) => {
      execFile(
        process.execPath,
        [CLI, "inspect", NAME, "--socket", gateway.socketPath],
        (_e, out) => resolve(out),
      );
    });
    for (const word of ["live", "since", "reconnects", "wanted", "newHeads", "1012 deploying"]) {
      expect(text).toContain(word);
    }
    expect(await metrics(gateway)).toContain(
      'paceline_websocket_subscriptions{chain="dev",kind="open"} 1',
    );
  });
});
