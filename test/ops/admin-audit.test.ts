import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AUDIT_GENESIS, auditHead, auditLine, findAuditBreak } from "../../src/ops/admin/audit.ts";
import { Tokens } from "../../src/ops/admin/tokens.ts";

function logOf(count: number): string[] {
  const lines: string[] = [];
  let head = AUDIT_GENESIS;
  for (let at = 0; at < count; at++) {
    const next = auditLine(head, {
      at: "2026-01-01T00:00:00.000Z",
      role: "admin",
      token: "0123abcd",
      cmd: "exit",
      args: { target: `#${at}`, reason: "kill" },
      result: "ok",
    });
    head = next.head;
    lines.push(next.line);
  }
  return lines;
}

describe("the audit log", () => {
  it("is a chain that holds", () => {
    const lines = logOf(5);
    expect(findAuditBreak(lines.join(""), AUDIT_GENESIS)).toBeUndefined();
    expect(JSON.parse(lines[2] ?? "")).toMatchObject({ seq: 3, cmd: "exit", result: "ok" });
  });

  it("goes on where it ended", () => {
    const head = auditHead(logOf(3).at(-1) ?? "");
    expect(head?.seq).toBe(3);
    expect(auditHead("{torn")).toBeUndefined();
    expect(auditHead("")).toBeUndefined();
  });

  it("shows a line taken out, swapped or altered (property)", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 3 }),
        fc.constantFrom("out", "swap", "alter"),
        (at, how) => {
          const lines = logOf(5);
          if (how === "out") lines.splice(at, 1);
          else if (how === "swap") lines.splice(at, 2, lines[at + 1] ?? "", lines[at] ?? "");
          else lines[at] = (lines[at] ?? "").replace("kill", "normal");
          return findAuditBreak(lines.join(""), AUDIT_GENESIS) !== undefined;
        },
      ),
    );
  });
});

describe("tokens", () => {
  it("give the role of their file, and no other text any", () => {
    const tokens = new Tokens({ operator: "a".repeat(64), admin: "b".repeat(64) });
    expect(tokens.roleOf("a".repeat(64))?.role).toBe("operator");
    expect(tokens.roleOf("b".repeat(64))?.role).toBe("admin");
    expect(tokens.roleOf("b".repeat(64))?.id).toMatch(/^[0-9a-f]{8}$/);
    for (const wrong of ["", "a", "a".repeat(63), "a".repeat(65)]) {
      expect(tokens.roleOf(wrong)).toBeUndefined();
    }
  });
});
