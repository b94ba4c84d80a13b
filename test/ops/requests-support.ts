/** A gateway that has served a few requests: one well, one slowly, one not at all. */
import type { Gateway } from "../../src/rpc/proxy/gateway.ts";
import { world } from "../rpc/proxy/support.ts";

/** Parameters that nobody may see again. */
export const CANARY = `0x${"c4".repeat(40)}`;

/** The requests carry the ids `good-one`, `slow-one` and `bad-one` of their client. */
export const busyGateway = (): Gateway => {
  const w = world({ providers: ["a", "b"] });
  const body = JSON.stringify({
    jsonrpc: "2.0",
    id: 1,
    method: "eth_call",
    params: [{ to: CANARY, data: "CANARY" }, "latest"],
  });
  const post = (id: string) =>
    w.post(body, "/rpc/ethereum", [
      "Content-Type",
      "application/json",
      "X-Paceline-Request-Id",
      id,
    ]);
  post("good-one");
  for (const upstream of w.upstreams) {
    upstream.script = () => undefined;
  }
  post("slow-one");
  w.advance(2500);
  for (const upstream of w.upstreams) upstream.calls.at(-1)?.result('"0x1"');
  for (const upstream of w.upstreams) {
    upstream.script = (call) => call.answer("CANARY upstream text", 500);
  }
  post("bad-one");
  return w.gateway;
};
