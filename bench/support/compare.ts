/** Interleaved rounds of several lanes under the same load; CPU per good answer is the figure. */
import { cpuNs, type Lane } from "./host.ts";
import { Load, type Params } from "./load.ts";
import { median } from "./report.ts";

/** One load to put on every lane. */
export interface Workload {
  readonly method: string;
  readonly connections: number;
  readonly rounds: number;
  readonly roundMs: number;
  readonly params?: Params;
}

/** What one lane did over all rounds. */
export interface LaneResult {
  readonly lane: string;
  /** CPU us per good answer: median and least of the rounds. */
  readonly cpuUs: number;
  readonly cpuUsMin: number;
  readonly perSec: number;
  readonly good: number;
  readonly wrongIds: number;
  readonly errors: number;
}

/** Runs every lane in turn, `rounds` times after a warm-up. */
export async function compare(
  lanes: readonly { lane: Lane; path: string; params?: Params }[],
  work: Workload,
): Promise<readonly LaneResult[]> {
  const loads = await Promise.all(
    lanes.map(async ({ lane, path, params = work.params }) => {
      const load = new Load(lane.port, path, work.method, work.connections, params);
      await load.open();
      return {
        lane,
        load,
        cpu: [] as number[],
        rates: [] as number[],
        good: 0,
        wrong: 0,
        errors: 0,
      };
    }),
  );
  for (const one of loads) await one.load.saturate(2000);
  for (let round = 0; round < work.rounds; round++) {
    for (const one of loads) {
      const before = cpuNs(one.lane.pid);
      const result = await one.load.saturate(work.roundMs);
      const spentNs = cpuNs(one.lane.pid) - before;
      one.cpu.push(spentNs / 1000 / Math.max(1, result.good));
      one.rates.push((result.good * 1000) / result.durationMs);
      one.good += result.good;
      one.wrong += result.wrongIds;
      one.errors += result.errors;
    }
  }
  return loads.map((one) => {
    one.load.close();
    return {
      lane: one.lane.name,
      cpuUs: median(one.cpu),
      cpuUsMin: Math.min(...one.cpu),
      perSec: median(one.rates),
      good: one.good,
      wrongIds: one.wrong,
      errors: one.errors,
    };
  });
}
