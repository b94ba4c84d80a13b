import { describe, expect, it } from "vitest";
import { judgeClosure, judgeRefusal } from "../../../src/rpc/connection/closure.ts";
import type { SocketClosure } from "../../../src/rpc/connection/socket.ts";

const words = { redact: (text: string) => text.replaceAll("canary", "***"), rules: [] };
const judge = (closure: Partial<SocketClosure>, wasUp = true) =>
  judgeClosure({ code: 1006, reason: "", status: undefined, ...closure }, { ...words, wasUp });

describe("the end of a connection to a provider", () => {
  it("is nobody's fault when the provider closes in good order", () => {
    for (const code of [1000, 1001, 1012]) {
      expect(judge({ code, reason: "idle" })).toEqual({
        reason: `${code} idle`,
        errorClass: undefined,
        pauseMs: undefined,
        isDenied: false,
      });
      // Before it was of any use it is one.
      expect(judge({ code }, false).errorClass).toBe("transport");
    }
  });

  it.each([
    [{ code: 1006, reason: "ECONNRESET" }, "transport"],
    [{ code: 1006, reason: "TLS CERT_HAS_EXPIRED: certificate has expired" }, "transport"],
    [{ code: 1009, reason: "message over 67108864 bytes" }, "transport"],
    [{ code: 1011, reason: "" }, "server"],
    [{ code: 1002, reason: "WS_ERR_INVALID_OPCODE" }, "malformed"],
    [{ code: 1007, reason: "" }, "malformed"],
    [{ status: 500, reason: "upgrade refused" }, "server"],
    [{ status: 404, reason: "upgrade refused" }, "server"],
  ] as const)("says to the breaker whose fault it was: %j", (closure, errorClass) => {
    expect(judge(closure)).toMatchObject({ errorClass, pauseMs: undefined, isDenied: false });
  });

  it("is a refusal of our key: by the status, or by the vendor's words with any code", () => {
    for (const status of [401, 402, 403]) {
      expect(judge({ status, reason: "upgrade refused" }, false)).toMatchObject({
        reason: `${status} upgrade refused`,
        errorClass: "auth",
        isDenied: true,
      });
    }
    expect(judge({ code: 1008, reason: "invalid api key" })).toMatchObject({
      errorClass: "auth",
      isDenied: true,
    });
  });

  it("is a matter of capacity, and whoever says when to come back is obeyed", () => {
    const rate = { errorClass: "rate_limit", isDenied: false };
    expect(judge({ status: 429, retryAfter: "7" })).toMatchObject({ ...rate, pauseMs: 7_000 });
    expect(judge({ status: 429 })).toMatchObject({ ...rate, pauseMs: 1_000 });
    expect(judge({ code: 1013, reason: "" })).toMatchObject({ ...rate, pauseMs: 5_000 });
    expect(judge({ code: 1000, reason: "rate limit, retry in 10s" })).toMatchObject({
      ...rate,
      pauseMs: 10_000,
    });
    expect(judge({ status: 503, retryAfter: "3" })).toMatchObject({
      errorClass: "server",
      pauseMs: 3_000,
    });
    // Nobody may send us away for a day.
    expect(judge({ status: 429, retryAfter: "86400" }).pauseMs).toBe(600_000);
  });

  it("is told without secrets, and briefly", () => {
    expect(judge({ code: 4_000, reason: "bad key canary" }).reason).toBe("4000 bad key ***");
    expect(judge({ code: 4_000, reason: "x".repeat(5_000) }).reason.length).toBe(120);
  });

  it("reads what a provider says instead of its chain id", () => {
    expect(judgeRefusal({ code: -32005, message: "too many requests" }, words)).toMatchObject({
      reason: "eth_chainId: -32005 too many requests",
      errorClass: "rate_limit",
      pauseMs: 1_000,
    });
    expect(judgeRefusal({ code: undefined, message: "no result" }, words)).toMatchObject({
      reason: "eth_chainId: no result",
      errorClass: "server",
      isDenied: false,
    });
  });
});
