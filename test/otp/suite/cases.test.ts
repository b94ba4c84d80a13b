/** The list of cases itself: whole, without doubles, and every room is a file that claims it. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CASES } from "./cases.ts";

describe("the list of OTP's supervisor cases", () => {
  const names = Object.values(CASES).flat();

  it("names 86 portable cases, each once", () => {
    expect(names).toHaveLength(86);
    expect(new Set(names).size).toBe(names.length);
  });

  it.each(Object.keys(CASES))("has a room %s that claims its part", (room) => {
    const text = readFileSync(join(import.meta.dirname, `${room}.test.ts`), "utf8");
    expect(text).toContain(`suite("${room}", (claim) => {`);
  });
});
