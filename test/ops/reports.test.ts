/** The book of the last reports: what it writes down, what it leaves out, where it ends. */
import { describe, expect, it } from "vitest";
import { REPORT_EVENTS, REPORTS_KEPT, type ReportedEvent } from "../../src/ops/admin/reports.ts";
import { EVENTS } from "../../src/ops/events.ts";
import { bookAt } from "./admin-support.ts";

const event = (name: string, fields: ReportedEvent["fields"], process?: string): ReportedEvent => ({
  name,
  seq: 1,
  atMs: 5,
  fields,
  ...(process !== undefined && { process }),
});
const textOf = (told: ReportedEvent): string | undefined => {
  const book = bookAt();
  book.take(told);
  return book.select({ limit: 1 }).reports[0]?.text;
};

describe("the book of reports", () => {
  it("asks for events that there are", () => {
    expect(REPORT_EVENTS.filter((name) => !Object.hasOwn(EVENTS, name))).toEqual([]);
  });

  it.each<[string, ReportedEvent["fields"], string]>([
    [
      "otp.turn.long",
      { durationMs: 61.7, count: 1, handler: "tick" },
      "w: held the event loop for 62 ms in tick",
    ],
    [
      "otp.turn.long",
      { durationMs: 900, count: 3, handler: "tick", function: "spin", alarm: true },
      "w: held the event loop for 900 ms in spin, the last of 3",
    ],
    [
      "otp.worker.down",
      { pid: "#4", worker: "w1", code: 1, reason: { error: new Error("heap of CANARY") } },
      "w: worker w1 ended with code 1: Error: heap of ***",
    ],
    [
      "otp.restart",
      { child: ["shard", 3], reason: "boom", inWindow: 1, intensity: 2, attempt: 4, delayMs: 250 },
      'w: starts ["shard",3] again in 250 ms: boom (1 of 2 in its window, attempt 4)',
    ],
    [
      "otp.crash",
      { reason: "a\u001B[2Jb", handler: "", mailbox: 2 },
      "w: crashed: a [2Jb (lost with its mailbox: 2)",
    ],
    ["otp.crash", { reason: "killed", handler: "tick", mailbox: 0 }, "w: killed"],
  ])("writes %s as one line", (name, fields, text) => {
    expect(textOf(event(name, fields, "w"))).toBe(text);
  });

  it("cuts what is long, and survives an id that cannot be printed", () => {
    const loop: unknown[] = [];
    loop.push(loop);
    const fields = {
      child: loop,
      childPid: "#1",
      context: "start_error",
      reason: "x".repeat(2_000),
    };
    expect(textOf(event("otp.report", fields, "s"))).toHaveLength(500);
    const again = { child: loop, reason: "r", inWindow: 1, intensity: 1, attempt: 1, delayMs: 0 };
    expect(textOf(event("otp.restart", again, "s"))).toContain("starts (unprintable) again: r");
  });

  it("leaves tasks to their owners", () => {
    expect(textOf(event("otp.crash", { reason: "timeout", mailbox: 0 }, "rpc/a/task/ask"))).toBe(
      undefined,
    );
  });

  it("says which thread a report came from", () => {
    const book = bookAt();
    book.take(event("otp.crash", { pid: "#3", worker: "w2", reason: "x", mailbox: 0 }));
    expect(book.select({ limit: 9 }).reports[0]).toMatchObject({
      process: "(none)",
      pid: "#3",
      worker: "w2",
    });
  });

  it("keeps the newest, numbered without gaps", () => {
    const book = bookAt();
    const crash = event("otp.crash", { reason: "x", handler: "", mailbox: 0 }, "p");
    for (let n = 0; n < REPORTS_KEPT + 50; n += 1) book.take(crash);
    const { total, reports } = book.select({ limit: REPORTS_KEPT });
    expect(total).toBe(REPORTS_KEPT);
    expect(reports.map(({ seq }) => seq)).toEqual(
      Array.from({ length: REPORTS_KEPT }, (_, n) => n + 51),
    );
  });
});
