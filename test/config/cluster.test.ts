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

  it("lets regions help each other where it is asked for, chain by chain", () => {
    const more = shared.replace(`secret: ${SECRET}`, `secret: ${SECRET}, help: true`);
    const off = more.replace("chain_id: 1", "chain_id: 1\n    help: false");
    expect([shared, more, off].map((text) => mustLoad(text).chains[0]?.help)).toEqual([
      false,
      true,
      false,
    ]);
    const full = shared.replace(
      `secret: ${SECRET}`,
      `secret: ${SECRET}, url: "https://eu.test/paceline/", help_max_in_flight: 5, distances: { us: 80ms, ap: 250 }`,
    );
    expect(mustLoad(full).cluster).toMatchObject({
      url: "https://eu.test/paceline",
      helpMaxInFlight: 5,
      distancesMs: { us: 80, ap: 250 },
    });
    const [bad = ""] = errorsOf(full.replace("https://eu.test/paceline/", "eu.test"));
    expect(bad).toMatch(/cluster\.url: expected an http:\/\/ or https:\/\/ URL/);
    const [far = ""] = errorsOf(full.replace("80ms", "far"));
    expect(far).toMatch(/cluster\.distances\.us: expected a duration/);
  });

  it("warns of wishes that nobody hears", () => {
    const asking = SMALLEST.replace(
      "chain_id: 1",
      "chain_id: 1\n    help: true\n    leaderboard: { prior: regions }",
    );
    const warnings = warningsOf(`cluster: { help: true }\n${asking}`).join("\n");
    for (const path of [
      "cluster.help",
      "chains.ethereum.help",
      "chains.ethereum.leaderboard.prior",
    ]) {
      expect(warnings).toContain(`${path}: no other region is known without cluster.secret`);
    }
    expect(warningsOf(SMALLEST)).toEqual([]);
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

describe("where Redis is", () => {
  const redis = (more: string) => errorsOf(`redis: { ${more} }\n${SMALLEST}`).join("\n");

  it("may be told by Sentinels, by nodes of a Cluster, and with certificates", () => {
    const { redis: read } = mustLoad(
      `redis: { url: "rediss://u:p@main", sentinels: ["10.0.0.1:26379", "[::1]:5"] }\n${SMALLEST}`,
    );
    expect(read.sentinels).toEqual([
      { host: "10.0.0.1", port: 26_379 },
      { host: "::1", port: 5 },
    ]);
    expect(redis('url: "redis://a", cluster_nodes: ["b:7000"]')).toBe("");
  });

  it("is told without contradictions", () => {
    const both = redis('url: "redis://a", sentinels: ["b:1"], cluster_nodes: ["c:1"]');
    expect(both).toMatch(/redis\.cluster_nodes: a Redis Cluster has no Sentinels/);
    expect(redis('url: "/run/r.sock", sentinels: ["b:1"]')).toMatch(/name of the master/);
    expect(redis('url: "redis://a:1/2", cluster_nodes: ["b:1"]')).toMatch(/one database only/);
    const torn = redis('url: "redis://:CANARY#x:y@a:1"');
    expect(torn).toMatch(/redis\.url: is no URL: a password that holds/);
    expect(torn).not.toContain("CANARY");
    expect(redis('url: "redis://a", sentinels: ["b"]')).toMatch(/hosts with their ports/);
    const ca = String.raw`tls_ca: "-----BEGIN CERTIFICATE-----\nx"`;
    expect(redis(`url: "redis://a", ${ca}`)).toMatch(/redis\.tls_ca: .*begin with rediss/);
    expect(redis(`url: "rediss://a", ${ca}`)).toBe("");
    const key = String.raw`tls_key: "-----BEGIN PRIVATE KEY-----\nCANARY"`;
    const lonely = redis(`url: "rediss://a", ${key}`);
    expect(lonely).toMatch(/redis\.tls_key: is of no use without redis\.tls_cert/);
    expect(lonely).not.toContain("CANARY");
  });
});
