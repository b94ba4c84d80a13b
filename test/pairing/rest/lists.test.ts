/** Policies and lists of consumers over the interface. */
import { describe, expect, it } from "vitest";
import { PAIRING_SCHEMAS } from "../../../src/pairing/rest/schemas.ts";
import { MARKET, provider } from "../support.ts";
import { startApi } from "./support.ts";

const P = "/api/v1/pairing/policies";
const L = "/api/v1/pairing/lists";

const start = async () => {
  const started = await startApi({ lists: { mode: "top" } });
  const { node, port } = started;
  await node.advance(1);
  const all = [provider("a", 5), provider("b", 90), provider("c", 2n ** 60n)];
  await node.drive(port.load(MARKET, all, "add"));
  return started;
};

describe("policies and lists over REST", () => {
  it("set a policy, draw its list at once, and show both as described", async () => {
    const { ask, node } = await start();
    const set = await ask("PUT", `${P}/acme`, { policy: { minStake: 50 }, top: 1 });
    expect(set.status).toBe(200);
    expect(PAIRING_SCHEMAS.Lists.parse(set.body)).toEqual(set.body);
    expect(set.body.data.lists).toMatchObject([
      { consumer: "acme", chain: "eth", market: MARKET, ids: ["c"], gone: [], filtered: 2 },
    ]);
    const [list] = set.body.data.lists;
    expect(list.ranking[0].stake).toBe(String(2n ** 60n));
    expect(list.validUntilMs).toBe((list.epoch + 1) * 300_000);
    const shown = await ask("GET", `${L}/acme?chain=eth&epoch=${list.epoch}`);
    expect(shown.body).toEqual(set.body);
    const policies = await ask("GET", `${P}/acme`);
    expect(PAIRING_SCHEMAS.Policies.parse(policies.body)).toEqual(policies.body);
    expect(policies.body.data.policies).toMatchObject([
      { market: MARKET, policy: { minStake: 50 }, top: 1 },
    ]);
    await node.stop();
  });

  it("take a bare policy, and a stake beyond 2^53 exactly", async () => {
    const { ask, node } = await start();
    const set = await ask("PUT", `${P}/acme`, { minStake: String(2n ** 60n) });
    expect(set.body.data.lists[0].ids).toEqual(["c"]);
    const { body } = await ask("GET", `${P}/acme`);
    expect(body.data.policies[0].policy.minStake).toBe(String(2n ** 60n));
    await node.stop();
  });

  it("name the filter that keeps everybody away from an empty list", async () => {
    const { ask, node } = await start();
    const { body } = await ask("PUT", `${P}/acme`, { requiredLocation: "Moon" });
    expect(body.data.lists).toMatchObject([{ ids: [], blockedBy: "location", filtered: 0 }]);
    await node.stop();
  });

  it("forget a policy with its list", async () => {
    const { ask, node } = await start();
    await ask("PUT", `${P}/acme`, {});
    expect((await ask("DELETE", `${P}/acme`)).body.data).toEqual({ removed: 1 });
    for (const [method, path] of [
      ["DELETE", `${P}/acme`],
      ["GET", `${P}/acme`],
      ["GET", `${L}/acme`],
    ] as const) {
      expect((await ask(method, path)).status).toBe(404);
    }
    await node.stop();
  });

  it.each([
    ["PUT", `${P}/acme`, { policy: { minStake: -1 } }, 400, "policy.minStake"],
    ["PUT", `${P}/acme`, { policy: {}, seed: 5 }, 400, "seed: the epoch gives it"],
    ["PUT", `${P}/acme`, { policy: {}, mode: "roundRobin" }, 400, "mode: of a list"],
    ["PUT", `${P}/acme`, { policy: {}, profile: "none" }, 400, "profile"],
    ["PUT", `${P}/${"x".repeat(129)}`, {}, 400, "consumer: not a name"],
    ["PUT", `${P}/acme`, "{", 400, "no JSON"],
    ["PUT", `${P}/acme?chain=moon`, {}, 404, "chain moon has no lists"],
    ["GET", `${L}/acme?epoch=x`, undefined, 400, "epoch: not a whole number"],
    ["GET", `${L}/acme?epoch=3`, undefined, 404, "no list of epoch 3"],
    ["POST", `${P}/acme`, {}, 405, "GET, PUT, DELETE"],
  ])("answer %s %s %j with %d", async (method, path, body, status, words) => {
    const { ask, node } = await start();
    const answer = await ask(method, path, body);
    expect(answer.status).toBe(status);
    expect(answer.body).toMatchObject({ success: false });
    expect(answer.body.error).toContain(words);
    await node.stop();
  });

  it("say so where no chain has lists", async () => {
    const { ask, node } = await startApi();
    const answer = await ask("PUT", `${P}/acme`, {});
    expect(answer.status).toBe(404);
    expect(answer.body.error).toContain("pairing.lists.chains is empty");
    await node.stop();
  });
});
