/** Processes of a benchmark: pinned to a core, and their CPU time as the kernel counts it. */
import type { ChildProcess } from "node:child_process";
import { execFileSync, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { availableParallelism } from "node:os";
import { createInterface } from "node:readline";

/** The core of the lane under test, and the core of stub and generator. */
export const LANE_CORE = 1;
export const LOAD_CORE = 0;

const TASKSET = "/usr/bin/taskset";
const canPin = availableParallelism() >= 2 && existsSync(TASKSET);

/** Pins this very process. */
export function pinSelf(core: number): void {
  if (!canPin) return;
  try {
    execFileSync(TASKSET, ["-apc", String(core), String(process.pid)], { stdio: "ignore" });
  } catch {
    // A helper thread ended while taskset walked over all of them; the others are pinned.
  }
}

/** A started lane. */
export interface Lane {
  readonly name: string;
  readonly pid: number;
  readonly port: number;
  /** Writes a line to its stdin. */
  tell(line: string): void;
  stop(): Promise<void>;
}

const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a Node script on a core; it must print a line with `http://HOST:PORT` when it is ready. */
export async function startLane(
  name: string,
  core: number,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Lane> {
  const command = canPin ? TASKSET : process.execPath;
  const head = canPin ? ["-c", String(core), process.execPath] : [];
  const child = spawn(command, [...head, ...args], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  running.add(child);
  const port = await new Promise<number>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const match = /http:\/\/[^:]+:(\d+)/.exec(line);
      if (match !== null) resolve(Number(match[1]));
    });
    child.once("exit", (code) =>
      reject(new Error(`${name} ended with ${code} before it was ready`)),
    );
  });
  return {
    name,
    pid: child.pid as number,
    port,
    tell: (line) => void child.stdin.write(`${line}\n`),
    stop: () =>
      new Promise((resolve) => {
        child.removeAllListeners("exit");
        const over = (): void => {
          running.delete(child);
          resolve();
        };
        // A bench may have killed it already.
        if (child.exitCode !== null || child.signalCode !== null) over();
        else {
          child.once("exit", over);
          child.kill("SIGKILL");
        }
      }),
  };
}

/** Starts any program on a core that is known to listen on `port` soon. */
export async function startCommand(
  name: string,
  core: number,
  program: string,
  args: readonly string[],
  port: number,
): Promise<Lane> {
  const head = canPin ? [TASKSET, "-c", String(core), program] : [program];
  const child = spawn(head[0] as string, [...head.slice(1), ...args], { stdio: "ignore" });
  running.add(child);
  for (let tries = 0; !(await isListening(port)); tries++) {
    if (tries > 200 || child.exitCode !== null) throw new Error(`${name} does not listen`);
    await new Promise((resolve) => {
      setTimeout(resolve, 25);
    });
  }
  return {
    name,
    pid: child.pid as number,
    port,
    tell: () => {
      throw new Error(`${name} takes no orders`);
    },
    stop: () =>
      new Promise((resolve) => {
        child.once("exit", () => {
          running.delete(child);
          resolve();
        });
        // SIGTERM, so that a master takes its workers along.
        child.kill("SIGTERM");
      }),
  };
}

/** A port that is free now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" ? (address?.port ?? 0) : 0));
    });
  });

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

/** CPU time of a process in ns, all threads. */
export function cpuNs(pid: number): number {
  let sum = 0;
  for (const task of readdirSync(`/proc/${pid}/task`)) {
    try {
      sum += Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ", 1)[0]);
    } catch {
      // a thread that ended meanwhile
    }
  }
  return sum;
}

/** Resident memory of a process in MB. */
export function rssMb(pid: number): number {
  const match = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"));
  return Number(match?.[1] ?? 0) / 1024;
}
