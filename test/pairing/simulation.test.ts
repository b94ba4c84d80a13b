import { describe, expect, it } from "vitest";
import {
  SIMULATION,
  type SimulationOptions,
  simulate,
} from "../../src/pairing/simulation/simulation.ts";
import { simulationText } from "../../src/pairing/simulation/report-text.ts";
import { runCli } from "../../src/ops/cli/program.ts";

const play = (more: Partial<SimulationOptions> = {}) =>
  simulate({ ...SIMULATION, providers: 300, policies: 40, ...more }, () => 0);

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
    const bad = await run("--churn", "fast");
    expect(bad.code).not.toBe(0);
    expect(bad.err).toContain("a rate such as 5/s");
  });
});
