import { describe, expect, it } from "vitest";
import { PAIRING_COMMANDS } from "../../src/ops/pairing/commands.ts";
import type { AdminDeps } from "../../src/ops/admin/ports.ts";
import { type PairView, renderPairing } from "../../src/ops/cli/render-pairing.ts";
import {
  renderReplay,
  renderWhatIf,
  renderWhy,
  type WhatIfView,
  type WhyView,
} from "../../src/ops/cli/render-pairing-questions.ts";
import { assigned } from "../../src/ops/cli/assignments.ts";
import { paintFor } from "../../src/ops/cli/terminal.ts";
import { pairingCall } from "../../src/main/pairing/http.ts";
import { startApi } from "../pairing/rest/support.ts";
import { MARKET } from "../pairing/support.ts";

const US = { address: "us", stake: 50_000, location: "US-East-1", features: ["HTTP"] };
const EU = { address: "e\u001b[2Ju", stake: 40_000, location: "EU-West-1", features: ["HTTP"] };
const plain = paintFor({
  out: () => undefined,
  err: () => undefined,
  isTty: false,
  env: {},
  readFile: () => "",
});

const started = async () => {
  const { api, ask } = await startApi();
  await ask("PUT", `/api/v1/markets/${MARKET}/providers`, [US, { ...EU, address: "eu" }]);
  const deps = { pairing: pairingCall(api) } as unknown as AdminDeps;
  const run = async ({
    request,
    ...rest
  }: {
    request?: unknown;
    why?: string;
    what_if?: string;
    replay?: string;
    market?: string;
  }) => {
    const args = request === undefined ? rest : { ...rest, request: JSON.stringify(request) };
    return (await PAIRING_COMMANDS["pair"]?.run(args, deps, undefined as never)) as never;
  };
  return { run };
};

describe("pair over the admin socket", () => {
  it("asks the only market when none is named, and shows picks and filters", async () => {
    const { run } = await started();
    const request = { policy: { requiredLocation: "US-East-1" }, explain: true };
    const view: PairView = await run({ request });
    expect(view).toMatchObject({ market: MARKET, providers: [{ address: "us" }], filtered: 1 });
    const text = renderPairing(view, plain);
    expect(text).toMatch(/#\s+PROVIDER\s+SCORE\s+STAKE\s+LOCATION\s+FOR FEATURES\s+FOR LOCATION/);
    expect(text).toMatch(/1\s+us\s+0\.\d{3}\s+50000\s+US-East-1/);
    expect(text).toMatch(/location\s+1\s+1\s+1/);
    expect(text).toContain("1 of market main");
  });

  it("says that nobody satisfies a policy, and whose refusal it is", async () => {
    const { run } = await started();
    const view: PairView = await run({ request: { policy: { requiredLocation: "Mars" } } });
    expect(renderPairing(view, plain)).toContain(
      "nobody satisfies the policy, most are kept away by location",
    );
    expect(renderPairing({ ...view, blockedBy: "market" }, plain)).toContain(
      "nobody is in the market",
    );
  });

  it("lists what refuses a provider, and tells the place of one that satisfies", async () => {
    const { run } = await started();
    const refused: WhyView = await run({
      request: { policy: { requiredLocation: "EU-West-1", minStake: 60_000 } },
      why: "us",
    });
    expect(renderWhy(refused, plain)).toMatch(/us is refused:[^]*location[^]*stake/);
    const picked: WhyView = await run({ why: "us" });
    expect(renderWhy(picked, plain)).toContain("us is picked: place 1");
    const absent: WhyView = await run({ why: "nobody" });
    expect(renderWhy(absent, plain)).toContain("is not in market main");
  });

  it("compares with a changed request, and says who comes, goes and why", async () => {
    const { run } = await started();
    const request = { policy: {}, top: 1 };
    const change = (more: object) => run({ request, what_if: JSON.stringify(more) });
    const view: WhatIfView = await change({ policy: { requiredLocation: "EU-West-1" } });
    expect(view.shifts).toEqual([
      { address: "eu", after: 1 },
      { address: "us", before: 1, refusedBy: "location" },
    ]);
    const text = renderWhatIf(view, plain);
    expect(text).toMatch(/eu\s+-\s+1\s+comes/);
    expect(text).toMatch(/us\s+1\s+-\s+goes, location refuses it/);
    expect(text).toContain("2 satisfied it before, 1 after");
    const same: WhatIfView = await change({ weights: { stake: 0.9 } });
    expect(renderWhatIf(same, plain)).toContain("the same providers at the same places");
    await expect(change({ weights: { luck: 1 } })).rejects.toMatchObject({
      code: "OPS_BAD_ARGS",
      message: "whatIf.weights.luck: scorer luck not found",
    });
    await expect(run({ request: 7, what_if: "{}" })).rejects.toMatchObject({
      code: "OPS_BAD_ARGS",
      message: "expected a record with a policy",
    });
  });

  it("answers one question at a time", async () => {
    const { run } = await started();
    await expect(run({ why: "us", what_if: "{}" })).rejects.toMatchObject({ code: "OPS_BAD_ARGS" });
    await expect(run({ replay: "none" })).rejects.toMatchObject({ code: "OPS_BAD_ARGS" });
  });

  it("says of a pairing that was made again whether it is equal", () => {
    const view = { market: "m", id: "x1", isEqual: true, version: 7, providers: [] };
    expect(renderReplay(view, plain)).toContain("x1 made again on version 7: equal, byte for byte");
    expect(renderReplay({ ...view, isEqual: false }, plain)).toContain("not equal");
  });

  it("takes changes field by field, values as JSON or as they stand", () => {
    const one = assigned("weights.stake=0.6");
    expect(assigned("policy.requiredLocation=US-East-1", one)).toEqual({
      weights: { stake: 0.6 },
      policy: { requiredLocation: "US-East-1" },
    });
    expect(assigned("weights.location=0", one)).toEqual({ weights: { stake: 0.6, location: 0 } });
    expect(assigned('policy.requiredFeatures=["a=b"]')).toEqual({
      policy: { requiredFeatures: ["a=b"] },
    });
    for (const wrong of ["", "stake", "=1", ".a=1", "a..b=1", "__proto__.x=1", "a.b.c.d.e=1"]) {
      expect(() => assigned(wrong), wrong).toThrow("a change such as");
    }
  });

  it("refuses what the interface refuses, with its field", async () => {
    const { run } = await started();
    await expect(run({ request: { policy: { minStake: -1 } } })).rejects.toMatchObject({
      code: "OPS_BAD_ARGS",
      message: "policy.minStake: minimum stake cannot be negative",
    });
    await expect(run({ market: "none" })).rejects.toMatchObject({ code: "OPS_BAD_ARGS" });
  });

  it("says so where pairing is switched off", async () => {
    const deps = { pairing: undefined } as unknown as AdminDeps;
    const run = async () => PAIRING_COMMANDS["pair"]?.run({}, deps, undefined as never);
    await expect(run()).rejects.toMatchObject({ code: "OPS_FAILED" });
  });

  it("lets no control characters of providers reach the terminal", () => {
    const view: PairView = {
      market: "m",
      providers: [{ ...EU, score: 1, components: {} }],
      filtered: 1,
      version: 1,
      cache: "off",
      processingTimeUs: 1,
    };
    expect(renderPairing(view, plain)).not.toContain("\u001b");
  });
});
