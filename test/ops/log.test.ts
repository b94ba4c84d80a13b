import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { LogLevels } from "../../src/io/log-levels.ts";
import { LogLimiter } from "../../src/io/log-limiter.ts";
import { prettyLine } from "../../src/io/log-pretty.ts";
import { Log, type LogOptions } from "../../src/io/log.ts";
import { createRedactor } from "../../src/lib/redactor.ts";
import { Secret } from "../../src/lib/secret.ts";
import { eventLogger, subsystemOfEvent } from "../../src/ops/log.ts";

const CANARY = "c4n4ry-5ecret-key-0123456789";
const QUERY = "qu3ry-c4n4ry";
const PASSWORD = "p4ss-c4n4ry";
const HEADER = `Bearer h34der-"c4n4ry"`;

const open = (more: Partial<LogOptions> = {}) => {
  const lines: string[] = [];
  const clock = { nowMs: 0 };
  const log = new Log({
    region: "local",
    target: { write: (text) => lines.push(text) },
    nowMs: () => clock.nowMs,
    ...more,
  });
  const records = () => lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return { log, lines, clock, records };
};

const levelsOf = (text: string) => {
  const parsed = LogLevels.parse(text);
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed.levels;
};

describe("log lines", () => {
  it("are one JSON object each, with time, level, region, subsystem and fields", () => {
    const { log, records } = open();
    log.write("warn", "rpc.pool", "provider.quarantined", { provider_id: "a", chain: "alpha" });
    expect(records()[0]).toMatchObject({
      level: "warn",
      region: "local",
      subsystem: "rpc.pool",
      msg: "provider.quarantined",
      provider_id: "a",
    });
    expect(String(records()[0]?.["time"])).toMatch(/^\d{4}-\d\d-\d\dT/);
  });

  it("follow the level of the nearest subsystem", () => {
    const { log, records } = open({ levels: levelsOf("warn,rpc=debug,rpc.pool=error") });
    log.write("info", "ops", "no");
    log.write("debug", "rpc", "yes-1");
    log.write("debug", "rpc.breaker", "yes-2");
    log.write("warn", "rpc.pool", "no");
    log.write("trace", "rpc", "no");
    expect(records().map(({ msg }) => msg)).toEqual(["yes-1", "yes-2"]);
    log.levels.set("ops", "info");
    expect(log.isEnabled("info", "ops")).toBe(true);
    log.levels.set(undefined, "silent");
    expect(log.isEnabled("fatal", "otp")).toBe(false);
  });

  it("refuse a level that does not exist with a reason", () => {
    expect(LogLevels.parse("rpc=loud")).toMatchObject({
      ok: false,
      reason: 'no log level "loud"; one of trace, debug, info, warn, error, fatal, silent',
    });
  });

  it("are limited to 10 equal ones a second, and the next says how many were left out", () => {
    const { log, records, clock } = open();
    for (let n = 0; n < 50; n++) log.write("warn", "rpc", "storm", { chain: "alpha", n });
    log.write("warn", "rpc", "storm", { chain: "beta" });
    expect(records()).toHaveLength(11);
    expect(log.suppressedLines).toBe(40);
    clock.nowMs = 1_001;
    log.write("warn", "rpc", "storm", { chain: "alpha" });
    expect(records().at(-1)).toMatchObject({ suppressed: 40 });
  });

  it("never hold back a fatal one, and flush it before the call returns", () => {
    let flushed = 0;
    const lines: string[] = [];
    const target = {
      write: (text: string) => lines.push(text),
      flushSync: () => void (flushed += 1),
    };
    const { log } = open({ target });
    for (let n = 0; n < 20; n++) log.write("fatal", "otp", "the root supervisor gave up");
    expect(lines).toHaveLength(20);
    expect(flushed).toBe(20);
  });

  it("are all there when the program exits right after a fatal one", () => {
    const program = `import { Log } from ${JSON.stringify(new URL("../../src/io/log.ts", import.meta.url).href)};
      const log = new Log({ region: "local", fd: 1 });
      for (let n = 0; n < 500; n++) log.write("info", "ops", "line " + n);
      log.write("fatal", "ops", "the end");
      process.exit(1);`;
    const { stdout, status } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    expect(status).toBe(1);
    const lines = stdout.trim().split("\n");
    expect(lines).toHaveLength(501);
    expect(JSON.parse(lines.at(-1) ?? "")).toMatchObject({ level: "fatal", msg: "the end" });
  });

  it("name the subsystem of the process that speaks", () => {
    const { log, records } = open();
    log.sink("info", { process: "rpc/chain/alpha/provider/a/ws-connection", pid: "#3" }, "hello");
    expect(records()[0]).toMatchObject({ subsystem: "rpc.ws-connection", pid: "#3" });
  });

  it("print an error in any field with its message, cause and stack", () => {
    const error = new TypeError("boom", { cause: new Error("deeper") });
    const json = open();
    json.log.write("error", "ops", "a metric could not be read", { metric: "m", error });
    expect(json.records()[0]).toMatchObject({ error: { type: "TypeError" } });
    expect(json.lines[0]).toContain("boom: deeper");
    expect(json.lines[0]).toContain("log.test.ts");
    const pretty = open({ format: "pretty" });
    pretty.log.write("error", "ops", "a metric could not be read", { metric: "m", error });
    expect(pretty.lines[0]).toMatch(
      /ERROR a metric could not be read metric=m error="TypeError: boom/,
    );
    expect(pretty.lines[0]).toContain("\n    at ");
  });

  it("cut a field that is as long as a response body", () => {
    const { log, lines } = open();
    log.write("info", "rpc", "long", { text: "x".repeat(1_000_000) });
    expect(lines[0]?.length).toBeLessThan(20_000);
  });
});

describe("redaction", () => {
  const url = new Secret(
    `https://user:${PASSWORD}@rpc.example.com/v2/${CANARY}/ethereum?apikey=${QUERY}`,
  );
  const secrets = [url, new Secret(HEADER)];
  const canaries = [CANARY, QUERY, PASSWORD, "h34der"];

  it("prints a Secret's label and masks keys in foreign text, errors, stacks and nested fields", () => {
    for (const format of ["json", "pretty"] as const) {
      const { log, lines } = open({ format, redact: createRedactor(secrets, ["ethereum"]) });
      const error = new Error(`connect ECONNREFUSED ${url.reveal()}`, {
        cause: new Error(`header ${HEADER} refused`),
      });
      log.write("error", "rpc", `failed at ${CANARY}`, {
        url,
        err: error,
        body: `{"error":"bad key ${CANARY}"}`,
        nested: {
          list: [url.reveal(), { header: HEADER }],
          encoded: encodeURIComponent(url.reveal()),
        },
        chain: "ethereum",
      });
      const text = lines.join("");
      for (const canary of canaries) expect(text, format).not.toContain(canary);
      expect(text).toContain("***");
      expect(text).toContain("ethereum");
    }
  });

  it("keeps configured names even when a URL path is one of them", () => {
    const redact = createRedactor([new Secret("http://127.0.0.1:9000/rpc/ethereum")], ["ethereum"]);
    expect(redact("rpc/chain/ethereum/head-tracker")).toBe("rpc/chain/ethereum/head-tracker");
    expect(redact("at http://127.0.0.1:9000/rpc/ethereum")).toBe("at ***");
  });

  it("does nothing when there is nothing to hide", () => {
    const text = "any text";
    expect(createRedactor([])(text)).toBe(text);
  });
});

describe("the pretty form", () => {
  it("is time, level, message, fields, then the stack, without control characters", () => {
    const line = JSON.stringify({
      level: "warn",
      time: "2026-01-01T12:00:01.123Z",
      region: "local",
      subsystem: "rpc",
      msg: "circuit_breaker.open",
      event: "circuit_breaker.open",
      process: "rpc/chain/alpha/provider/a/transport/http/circuit-breaker",
      chain: "alpha",
      reason: "bad\u001b[31m answer",
      stack: "Error: x\n    at y",
    });
    expect(prettyLine(line, false)).toBe(
      '12:00:01.123 WARN  circuit_breaker.open chain=alpha reason="bad\\u001b[31m answer"\n' +
        "    Error: x\n    at y\n",
    );
    expect(prettyLine(line, true)).toContain("\u001b[33mWARN \u001b[0m");
    expect(prettyLine("not json\n", false)).toBe("not json\n");
  });
});

describe("telemetry in the log", () => {
  it("writes info and above with snake-case fields, provider as provider_id", () => {
    const { log, records } = open();
    const handle = eventLogger(log);
    handle({
      name: "provider.health_change",
      process: "rpc/chain/alpha/provider-pool",
      fields: {
        chain: "alpha",
        provider: "a",
        oldStatus: "healthy",
        newStatus: "open",
        consecutiveFailures: 5,
        reason: undefined,
      },
    });
    handle({ name: "head.tip", fields: { chain: "alpha", number: 5 } });
    expect(records()).toHaveLength(1);
    expect(records()[0]).toMatchObject({
      level: "info",
      subsystem: "rpc.pool",
      msg: "provider.health_change",
      event: "provider.health_change",
      process: "rpc/chain/alpha/provider-pool",
      provider_id: "a",
      old_status: "healthy",
      new_status: "open",
      consecutive_failures: 5,
    });
    expect(records()[0]).not.toHaveProperty("reason");
  });

  it("shows a subsystem's quiet events when asked, and prints errors as text", () => {
    const { log, records } = open({ levels: levelsOf("info,rpc.head=debug") });
    const handle = eventLogger(log);
    handle({ name: "head.tip", fields: { chain: "alpha", number: 5 } });
    handle({ name: "otp.crash", fields: { reason: { error: new TypeError("boom") } } });
    expect(records()[0]).toMatchObject({ level: "debug", number: 5 });
    expect(records()[1]).toMatchObject({ level: "error", reason: "TypeError: boom" });
  });

  it("knows the subsystem of every domain", () => {
    expect(subsystemOfEvent("circuit_breaker.open")).toBe("rpc.breaker");
    expect(subsystemOfEvent("otp.crash")).toBe("otp");
    expect(subsystemOfEvent("odd")).toBe("ops");
  });
});

describe("the limiter", () => {
  it("remembers at most 1,000 keys", () => {
    const limiter = new LogLimiter();
    for (let n = 0; n < 5_000; n++) expect(limiter.admit(`k${n}`, 0)).toEqual({ suppressed: 0 });
    for (let n = 0; n < 20; n++) limiter.admit("k4999", 0);
    expect(limiter.suppressedTotal).toBe(11);
  });
});
