import { describe, expect, it } from "vitest";
import { errorsOf, mustLoad, SMALLEST, warningsOf } from "./support.ts";

const SECRET = "CANARY-secret-of-the-cluster";
const shared = `redis: { url: "redis://r:6379" }\ncluster: { secret: ${SECRET} }\n${SMALLEST}`;

describe("what regions share", () => {
  it("is off unless a secret is given", () => {
    expect(mustLoad(SMALLEST).cluster.secret).toBeUndefined();
    expect(mustLoad(shared).cluster.secret?.reveal()).toBe(SECRET);
    expect(warningsOf(shared)).toEqual([]);
  });

  it("needs a Redis, and says so", () => {
    const [warning = ""] = warningsOf(`cluster: { secret: ${SECRET} }\n${SMALLEST}`);
    expect(warning).toMatch(/:1:20: warning CONFIG_MISSING_KEY: cluster\.secret: .*redis\.url/);
    expect(warning).not.toContain("CANARY");
  });

  it("has a secret that is long enough, and a region that others read", () => {
    const [short = ""] = errorsOf(`cluster: { secret: CANARY }\n${SMALLEST}`);
    expect(short).toMatch(/cluster\.secret: expected a text of 16 to 1024 characters/);
    expect(short).not.toContain("CANARY");
    const long = errorsOf(`region: ${"x".repeat(129)}\n${shared}`);
    expect(long.join()).toMatch(/region: must have at most 128 characters/);
    expect(mustLoad(`region: ${"x".repeat(129)}\n${SMALLEST}`).region).toHaveLength(129);
  });
});
