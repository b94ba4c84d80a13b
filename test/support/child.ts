/** A child of the operating system that never outlives its test, and whose output can be waited for. */
import { type ChildProcess, spawn } from "node:child_process";

/** How a child ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Whom a child runs as. */
export interface ChildOwner {
  readonly uid: number;
  readonly gid: number;
}

const children = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of children) child.kill("SIGKILL");
});

/** A running child with everything it has printed. */
export class Child {
  readonly pid: number;
  readonly exited: Promise<ChildExit>;
  stdout = "";
  stderr = "";
  readonly #process: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #exit: ChildExit | undefined;

  constructor(
    command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    cwd?: string,
    owner?: ChildOwner,
  ) {
    const where = cwd === undefined ? {} : { cwd };
    const options = { env: { ...process.env, ...env }, ...where, ...owner };
    const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    this.pid = child.pid ?? -1;
    children.add(child);
    child.stdout.on("data", (chunk: Buffer) => {
      this.stdout += chunk.toString();
      this.#wake();
    });
    child.stderr.on("data", (chunk: Buffer) => {
      this.stderr += chunk.toString();
      this.#wake();
    });
    this.exited = new Promise((resolve) => {
      const end = (code: number | null, signal: NodeJS.Signals | null): void => {
        children.delete(child);
        this.#exit = { code, signal };
        resolve(this.#exit);
        this.#wake();
      };
      child.once("close", end);
      child.once("error", (error) => {
        this.stderr += error.message;
        end(null, null);
      });
    });
  }

  /** Everything printed so far on both streams. */
  get output(): string {
    return `${this.stdout}${this.stderr}`;
  }

  /** The first match in the output; fails when the child ends or the time is over before. */
  waitFor(pattern: RegExp, timeoutMs = 15_000): Promise<RegExpExecArray> {
    return new Promise((resolve, reject) => {
      const finish = (): void => {
        this.#watchers.delete(look);
        clearTimeout(timer);
      };
      const look = (): void => {
        const match = pattern.exec(this.output);
        if (match === null && this.#exit === undefined) return;
        finish();
        if (match !== null) resolve(match);
        else
          reject(
            new Error(
              `child ended (${JSON.stringify(this.#exit)}) before ${pattern}:\n${this.output}`,
            ),
          );
      };
      const timer = setTimeout(() => {
        finish();
        reject(new Error(`no ${pattern} within ${timeoutMs} ms:\n${this.output}`));
      }, timeoutMs);
      this.#watchers.add(look);
      look();
    });
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Ends the child for good and waits for it. */
  async kill(): Promise<void> {
    if (this.#exit !== undefined) return;
    this.#process.kill("SIGCONT");
    this.#process.kill("SIGKILL");
    await this.exited;
  }

  #wake(): void {
    for (const watcher of this.#watchers) watcher();
  }
}
