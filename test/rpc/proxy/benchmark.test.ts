import { describe, expect, it } from "vitest";
import { world } from "./support.ts";

const READ = '{"jsonrpc":"2.0","id":"x","method":"eth_gasPrice","params":[]}';
const URL = "/rpc/benchmark/ethereum";

describe("a benchmark read", () => {
  it("asks everybody and says how long each took", () => {
    const w = world({ script: () => undefined });
    const reply = w.post(READ, URL);
    const [a, b, c] = w.upstreams.map(({ calls }) => calls[0]);
    w.advance(20);
    b?.result('"0xb"');
    w.advance(30);
    a?.error(-32603, "internal", undefined, 500);
    expect(reply.isEnded).toBe(false);
    w.advance(50);
    c?.result('"0xc"');
    expect(reply.text).toBe('{"jsonrpc":"2.0","id":"x","result":"0xb"}');
    expect(reply.headers["x-paceline-attempts"]).toBe(
      "a=part:server:50;b=part:ok:20:won;c=part:ok:100",
    );
    const meta = JSON.parse(
      Buffer.from(reply.headers["x-paceline-meta"] ?? "", "base64url").toString(),
    );
    expect(
      meta.attempts.map(({ provider, ms }: Record<string, unknown>) => [provider, ms]),
    ).toEqual([
      ["a", 50],
      ["b", 20],
      ["c", 100],
    ]);
    expect(w.records).toHaveLength(1);
    expect(w.gateway.inFlight).toBe(0);
  });

  it("waits five seconds for the slowest and no longer", () => {
    const w = world({ script: () => undefined });
    const reply = w.post(READ, URL);
    w.upstreams[2]?.calls[0]?.result('"0xc"');
    w.advance(5_100);
    expect(reply.json.result).toBe("0xc");
    expect(w.upstreams[0]?.calls[0]?.isAborted).toBe(true);
    expect(w.gateway.inFlight).toBe(0);
  });

  it("fails like any read when nobody answers", () => {
    const w = world({ script: (call) => call.fail("refused") });
    expect(w.post(READ, URL).json.error.code).toBe(-32002);
  });

  it("ends with its client", () => {
    const w = world({ script: () => undefined });
    w.post(READ, URL).onGone?.();
    expect(w.gateway.inFlight).toBe(0);
    expect(w.records).toMatchObject([{ outcome: "gone" }]);
  });
});
