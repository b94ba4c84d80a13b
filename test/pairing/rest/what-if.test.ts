/** What would be answered to another request, asked over the interface. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { changedRequest } from "../../../src/pairing/what-if/change.ts";
import { whatIf } from "../../../src/pairing/what-if/what-if.ts";
import { addresses, MARKET, marketOf, policy, provider, value } from "../support.ts";
import { startApi } from "./support.ts";

const M = `/api/v1/markets/${MARKET}`;
const rich = { address: "rich", stake: 900_000, location: "EU-West-1", features: ["HTTP"] };
const able = {
  address: "able",
  stake: 10_000,
  location: "US-East-1",
  features: ["HTTP", "a", "b"],
};

const started = async () => {
  const service = await startApi();
  await service.ask("PUT", `${M}/providers`, [rich, able]);
  return service;
};

describe("what if", () => {
  it("ranks with other weights beside the ones that are, and says who moved", async () => {
    const { ask } = await started();
    const answer = await ask("POST", `${M}/pairings/what-if`, {
      policy: { requiredFeatures: ["HTTP"], prefer: { features: ["a", "b"] } },
      weights: { stake: 1, features: 0.1 },
      whatIf: { weights: { stake: 0.1, features: 1 } },
    });
    expect(answer.status).toBe(200);
    const { before, after, shifts } = answer.body.data;
    const order = (side: { providers: { address: string }[] }) =>
      side.providers.map(({ address }) => address);
    expect([order(before), order(after)]).toEqual([
      ["rich", "able"],
      ["able", "rich"],
    ]);
    expect(shifts).toEqual([
      { address: "able", before: 2, after: 1 },
      { address: "rich", before: 1, after: 2 },
    ]);
    expect(before).not.toHaveProperty("cache");
  });

  it("keeps what the change does not name, in whatever spelling it is named", async () => {
    const request = {
      policy: policy({ requiredLocation: "US-East-1", minStake: 5n, relaxed: true }),
      top: 3,
      mode: "weighted",
      weights: { stake: 1, location: 2 },
      seed: 7,
    } as const;
    const change = (more: unknown) => {
      const changed = changedRequest(request, more);
      if (!changed.ok) throw new Error(JSON.stringify(changed.faults));
      return changed.value;
    };
    expect(change({ policy: { min_stake: 9 } })).toEqual({
      ...request,
      policy: { ...request.policy, minStake: 9n },
    });
    expect(change({ weights: { stake: 0 }, top: 1 })).toEqual({
      ...request,
      top: 1,
      weights: { stake: 0, location: 2 },
    });
    expect(change({ policy: { relaxed: false } }).policy).not.toHaveProperty("relaxed");
    // Another profile has other scorers: the weights of the old one say nothing of it.
    expect(change({ strategy: "fastest" })).toEqual({
      policy: request.policy,
      top: 3,
      mode: "weighted",
      seed: 7,
      profile: "fastest",
    });
    expect(change({ strategy: "top" })).toEqual({ ...request, mode: "top" });
  });

  it("asks neither the cache nor the counts", async () => {
    const { ask } = await started();
    const stats = async () => (await ask("GET", `${M}/stats`)).body.data;
    const before = await stats();
    await ask("POST", `${M}/pairings/what-if`, { policy: {}, whatIf: { top: 1 } });
    expect(await stats()).toEqual(before);
  });

  it("shows with explain what each filter leaves, in both", async () => {
    const { ask } = await started();
    const { body } = await ask("POST", `${M}/pairings/what-if`, {
      policy: {},
      explain: true,
      whatIf: { policy: { minStake: 20_000 } },
    });
    expect(body.data.after.survivors).toMatchObject([{ filter: "stake", count: 1, sole: 1 }]);
    expect(body.data.before.survivors).toEqual([]);
    expect(body.data.shifts).toEqual([{ address: "able", before: 2, refusedBy: "stake" }]);
  });

  it("equals two pairings side by side, and names every provider whose place differs", () => {
    const providers = fc.array(
      fc.record({
        stake: fc.nat({ max: 3_000_000 }),
        place: fc.constantFrom("US-East-1", "US-West-2", "EU-West-1"),
        features: fc.subarray(["a", "b", "c"]),
      }),
      { maxLength: 60 },
    );
    const request = fc.record({
      minStake: fc.nat({ max: 2_000_000 }),
      requiredLocation: fc.constantFrom("", "US-East-1"),
      stake: fc.nat({ max: 5 }),
      top: fc.integer({ min: 1, max: 8 }),
    });
    fc.assert(
      fc.property(providers, request, request, (list, one, other) => {
        const market = marketOf(
          list.map(({ stake, place, features }, i) =>
            provider(`p${i}`, stake, { location: place, features }),
          ),
        );
        const asked = ({ stake, top, minStake, requiredLocation }: typeof one) => ({
          policy: policy({ requiredLocation, minStake: BigInt(minStake) }),
          weights: { stake },
          top,
        });
        const report = value(whatIf(market, asked(one), asked(other)));
        const before = addresses(value(market.pair(asked(one))));
        const after = addresses(value(market.pair(asked(other))));
        expect([addresses(report.before), addresses(report.after)]).toEqual([before, after]);
        const moved = [...new Set([...before, ...after])].filter(
          (id) => before.indexOf(id) !== after.indexOf(id),
        );
        expect(report.shifts.map(({ address }) => address).toSorted()).toEqual(moved.toSorted());
        for (const { address, after: place, before: old, refusedBy } of report.shifts) {
          expect([place ?? 0, old ?? 0]).toEqual([
            after.indexOf(address) + 1,
            before.indexOf(address) + 1,
          ]);
          if (place !== undefined && old !== undefined) continue;
          const where = place === undefined ? other : one;
          const why = value(market.why(asked(where), address));
          expect(refusedBy).toBe(why.refusals[0]?.filter);
        }
      }),
      { numRuns: 300 },
    );
  });
});
