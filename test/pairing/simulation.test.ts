import { describe, expect, it } from "vitest";
import {
  SIMULATION,
  type SimulationOptions,
  simulate,
} from "../../src/pairing/simulation/simulation.ts";
import { simulationText } from "../../src/pairing/simulation/report-text.ts";
import { runCli } from "../../src/ops/cli/program.ts";

const start = (more: Partial<SimulationOptions> = {}) =>
  simulate({ ...SIMULATION, providers: 300, policies: 40, ...more }, () => 0);

const play = (more: Partial<SimulationOptions> = {}) => {
  const played = start(more);
  if (!played.ok) throw new Error(JSON.stringify(played.faults));
  return played.value;
};

describe("a simulation of pairing", () => {
  it("gives equal figures for equal seeds, and others for others", () => {
    const options = { epochs: 3, churnPerSec: 0.05 };
    expect(play(options)).toEqual(play(options));
    expect(play({ ...options, seed: 2 }).shares).not.toEqual(play(options).shares);
  });

  it("changes no list of the best while nobody comes or goes, and asks the cache", () => {
    const report = play({ epochs: 4 });
    expect(report.changed).toEqual([0, 0, 0]);
    expect(report.rankings).toBe(160);
    expect(report.hitRate).toBeGreaterThanOrEqual(0.75);
  });

  it("replaces as many providers as the rate says, and shows what that does to lists", () => {
    const report = play({ epochs: 5, churnPerSec: 0.1 });
    expect(report.replaced).toBe(120);
    expect(Math.max(...report.changed)).toBeGreaterThan(0);
  });

  it("turns weighted lists by about one member an epoch", () => {
    const report = play({ epochs: 10, mode: "weighted", providers: 2_000 });
    const mean = report.changed.reduce((sum, share) => sum + share, 0) / report.changed.length;
    expect(mean).toBeGreaterThan(0.05);
    expect(mean).toBeLessThan(0.35);
  });

  it("says which filter keeps everybody away, and counts shares of all picks", () => {
    const report = play({ providers: 20, policies: 200 });
    const none = Object.values(report.empty).reduce((sum, count) => sum + count, 0);
    expect(none).toBeGreaterThan(0);
    expect(Object.keys(report.empty)).not.toContain("none");
    const [first] = report.shares;
    expect(first?.share).toBeGreaterThan(0);
    expect(first?.share).toBeLessThanOrEqual(1);
    const text = simulationText(report);
    expect(text).toContain(`nobody     ${none} of 200 lists, kept away by`);
    expect(text).toContain(first?.address);
  });

  it("knows a market without anybody", () => {
    expect(play({ providers: 0, epochs: 2, churnPerSec: 1 })).toMatchObject({
      replaced: 0,
      changed: [0],
      empty: { market: 80 },
      shares: [],
    });
  });

  it("draws beside the lists those of another request, and leaves the lists as they are", () => {
    const options = { epochs: 3, churnPerSec: 0.05, mode: "weighted" } as const;
    const { whatIf: _, ...alone } = play(options);
    const { whatIf, ...beside } = play({ ...options, whatIf: { weights: { stake: 0 } } });
    expect({ ...beside, options: alone.options }).toEqual(alone);
    expect(whatIf?.changedLists).toBeGreaterThan(0);
    expect(whatIf?.otherMembers).toBeGreaterThan(0);
    const [first] = whatIf?.shares ?? [];
    expect(Math.abs((first?.picks ?? 0) - (first?.otherPicks ?? 0))).toBeGreaterThan(0);
    const text = simulationText({ ...beside, ...(whatIf === undefined ? {} : { whatIf }) });
    expect(text).toContain('what if    {"weights":{"stake":0}}');
  });

  it("finds no difference in a change that changes nothing", () => {
    const same = play({ whatIf: { weights: { stake: 0.4 } } });
    expect(same.whatIf).toMatchObject({ changedLists: 0, otherMembers: 0, shares: [] });
  });

  it("shows whom a higher minimum leaves with nobody", () => {
    const { whatIf } = play({ whatIf: { policy: { minStake: 10_000_000 } } });
    expect(Object.values(whatIf?.empty ?? {}).reduce((sum, one) => sum + one, 0)).toBe(40);
  });

  it("is not played with a change that is wrong", () => {
    for (const [change, path] of [
      [{ weights: { luck: 1 } }, "whatIf.weights.luck"],
      [{ seed: 1 }, "whatIf.seed"],
      [{ mode: "roundRobin" }, "whatIf.mode"],
      [{ policy: { minStake: -1 } }, "whatIf.policy.minStake"],
    ] as const) {
      expect(start({ whatIf: change })).toMatchObject({ ok: false, faults: [{ path }] });
    }
  });

  it("runs on the command line, and refuses what is no rate", async () => {
    const run = async (...args: string[]) => {
      const printed = { out: "", err: "" };
      const code = await runCli(["simulate", "pairing", ...args], {
        out: (text) => void (printed.out += text),
        err: (text) => void (printed.err += text),
        isTty: false,
        env: {},
        readFile: () => {
          throw new Error("nothing is read");
        },
      });
      return { code, ...printed };
    };
    const size = ["--providers", "100", "--policies", "10", "--seed", "42"];
    const json = await run(...size, "--churn", "6/m", "--epochs", "3", "--json");
    expect(json.code).toBe(0);
    expect(JSON.parse(json.out)).toMatchObject({
      options: { providers: 100, policies: 10, seed: 42, epochs: 3, churnPerSec: 0.1 },
      replaced: 60,
    });
    expect((await run(...size)).out).toContain("100 providers, 10 consumers, 1 epochs");
    const compared = await run(...size, "--what-if", "weights.stake=0", "--json");
    expect(JSON.parse(compared.out)).toMatchObject({
      options: { whatIf: { weights: { stake: 0 } } },
      whatIf: { changedLists: expect.any(Number), shares: expect.any(Array) },
    });
    const wrong = await run(...size, "--what-if", "weights.luck=1");
    expect(wrong).toMatchObject({ code: 64, out: "" });
    expect(wrong.err).toContain("whatIf.weights.luck: scorer luck not found");
    const bad = await run("--churn", "fast");
    expect(bad.code).not.toBe(0);
    expect(bad.err).toContain("a rate such as 5/s");
  });
});
