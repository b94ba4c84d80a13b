import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import * as errors from "../../../scripts/docs/errors.ts";
import { OWN_ERRORS } from "../../../src/rpc/errors/codes.ts";

describe("docs/errors.md", () => {
  it("is as fresh as its tables (node scripts/docs.ts)", () => {
    const file = new URL(`../../../${errors.path}`, import.meta.url);
    expect(readFileSync(file, "utf8")).toBe(errors.render());
  });

  it("keeps -32603 for bugs of ours and -32005 for what waiting helps", () => {
    const reasons = Object.entries(OWN_ERRORS);
    expect(reasons.filter(([, { code }]) => code === -32603).map(([reason]) => reason)).toEqual([
      "internal",
    ]);
    for (const [reason, { code }] of reasons) {
      if (code === -32005) expect(reason).toMatch(/^(too_many|rate_limited|quota_spent)/);
    }
  });
});
