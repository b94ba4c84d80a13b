/**
 * `npm run sim -- --seeds N --from S [--workers W] [--trace]`: plays seeds in worker processes and
 * prints progress, violations and which kinds of faults had an effect. Exit code 1: a seed failed.
 */
import { fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { coverageTable } from "./coverage.ts";
import { report, runSeed, type Outcome } from "./run.ts";

const PROGRESS_MS = 5_000;
const FAILURES_TOLD = 20;

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "200" },
    from: { type: "string", default: "1" },
    workers: { type: "string", default: String(Math.min(8, availableParallelism())) },
    trace: { type: "boolean", default: false },
  },
});

/** Positive integers only: a typing error must not run nothing and call it a success. */
const integer = (name: "seeds" | "from" | "workers"): number => {
  const value = Number(values[name]);
  if (Number.isSafeInteger(value) && value > 0) return value;
  process.stderr.write(`sim: --${name} wants a positive integer, not "${values[name]}"\n`);
  return process.exit(2);
};

/** Sums up outcomes as they come. */
class Summary {
  readonly tally = new Map<string, number>();
  done = 0;
  failed = 0;
  requests = 0;
  promised = 0;
  unanswered = 0;
  readonly #startedMs = performance.now();
  readonly #total: number;

  constructor(total: number) {
    this.#total = total;
  }

  take(outcome: Outcome): void {
    this.done += 1;
    this.requests += outcome.requests;
    this.promised += outcome.promised;
    this.unanswered += outcome.failed;
    for (const [name, count] of Object.entries(outcome.tally)) {
      this.tally.set(name, (this.tally.get(name) ?? 0) + count);
    }
    if (outcome.violation === undefined) return;
    this.failed += 1;
    if (this.failed <= FAILURES_TOLD) process.stdout.write(`${report(outcome)}\n`);
  }

  line(): string {
    const tookSec = (performance.now() - this.#startedMs) / 1_000;
    const rate = (this.done / tookSec).toFixed(1);
    return `${this.done}/${this.#total} seeds, ${this.failed} failed, ${this.requests} requests, ${this.unanswered} of ${this.promised} promised reads unanswered, ${rate} seeds/s\n`;
  }
}

/** Plays `count` seeds from `from` over worker processes. */
const playAll = async (from: number, count: number, workers: number): Promise<Summary> => {
  const summary = new Summary(count);
  const progress = setInterval(() => process.stdout.write(summary.line()), PROGRESS_MS);
  let next = from;
  const worker = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const child = fork(fileURLToPath(new URL("worker.ts", import.meta.url)));
      const more = (): void => {
        if (next < from + count) child.send(next++);
        else child.disconnect();
      };
      child.on("message", (outcome) => {
        summary.take(outcome as Outcome);
        more();
      });
      child.on("exit", (code) => {
        if (code === 0) resolve();
        else reject(new Error(`a worker ended with code ${code}`));
      });
      more();
    });
  await Promise.all(Array.from({ length: Math.min(workers, count) }, worker));
  clearInterval(progress);
  return summary;
};

const main = async (): Promise<boolean> => {
  const [seeds, from, workers] = [integer("seeds"), integer("from"), integer("workers")];
  if (values.trace) {
    const summary = new Summary(seeds);
    for (let seed = from; seed < from + seeds; seed += 1) {
      const print = (line: string): void => void process.stdout.write(`${line}\n`);
      const outcome = await runSeed(seed, { print });
      print(`seed ${seed}: hash ${outcome.hash}`);
      summary.take(outcome);
    }
    return summary.failed === 0;
  }
  const summary = await playAll(from, seeds, workers);
  process.stdout.write(`${coverageTable(summary.tally)}\n${summary.line()}`);
  return summary.failed === 0;
};

process.exitCode = (await main()) ? 0 : 1;
