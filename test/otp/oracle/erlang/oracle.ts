/** Real Erlang as a service: long-lived `oracle.sh --stream` processes, one scenario each at a time. */
import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Scenario, Trace } from "../scenario.ts";

const SCRIPT = join(import.meta.dirname, "oracle.sh");
/** Erlang sleeps for real and waits for quiet after each step: several at once hide that. */
const LANES = 6;
/** Longer than any scenario of ours; a cold disk included. */
const ANSWER_MS = 30_000;

/** Whether `erl` and `erlc` can be run here. */
export const hasErlang = spawnSync("sh", ["-c", "command -v erl && command -v erlc"]).status === 0;

/** Plays scenarios on real Erlang. */
export class Erlang {
  private readonly lanes: Lane[] = [];
  private readonly idle: Lane[] = [];
  private readonly waiting: ((lane: Lane) => void)[] = [];

  constructor(lanes = LANES) {
    // Compiles before several need it at once.
    const built = spawnSync("sh", [SCRIPT, "--build"], { encoding: "utf8" });
    if (built.status !== 0) throw new Error(`the oracle does not compile: ${built.stderr}`);
    for (let i = 0; i < lanes; i += 1) this.lanes.push(new Lane());
    this.idle.push(...this.lanes);
  }

  /** The trace that Erlang gives; rejects when Erlang cannot play the scenario. */
  async play(scenario: Scenario): Promise<Trace> {
    const lane = this.idle.pop() ?? (await new Promise<Lane>((take) => this.waiting.push(take)));
    try {
      return await lane.play(scenario);
    } finally {
      const next = this.waiting.shift();
      if (next === undefined) this.idle.push(lane);
      else next(lane);
    }
  }

  close(): void {
    for (const lane of this.lanes) lane.close();
  }
}

/** One Erlang node; started when first used, and again after it broke. */
class Lane {
  private child: ChildProcessWithoutNullStreams | undefined = undefined;
  private onLine: ((line: string) => void) | undefined = undefined;
  private onEnd: ((why: string) => void) | undefined = undefined;

  play(scenario: Scenario): Promise<Trace> {
    this.child ??= this.start();
    const { child } = this;
    return new Promise((resolve, reject) => {
      const done = (): void => {
        clearTimeout(timer);
        this.onLine = undefined;
        this.onEnd = undefined;
      };
      const fail = (why: string): void => {
        done();
        this.close();
        reject(new Error(`Erlang ${why} while playing ${JSON.stringify(scenario)}`));
      };
      const timer = setTimeout(() => fail(`was silent for ${ANSWER_MS} ms`), ANSWER_MS);
      this.onEnd = fail;
      this.onLine = (line) => {
        done();
        resolve(JSON.parse(line) as Trace);
      };
      child.stdin.write(`${JSON.stringify(scenario)}\n`);
    });
  }

  close(): void {
    this.child?.kill("SIGKILL");
    this.child = undefined;
  }

  private start(): ChildProcessWithoutNullStreams {
    const child = spawn("sh", [SCRIPT, "--stream"]);
    let errors = "";
    child.stderr.on("data", (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-2000);
    });
    child.stdin.on("error", () => {});
    createInterface({ input: child.stdout }).on("line", (line) => this.onLine?.(line));
    child.on("exit", (code, signal) => {
      if (this.child !== child) return;
      this.child = undefined;
      this.onEnd?.(`ended (${code ?? signal}) ${errors}`);
    });
    return child;
  }
}
