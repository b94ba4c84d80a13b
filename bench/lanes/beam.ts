/**
 * The BEAM as a lane: one Erlang process with one scheduler that answers rows of beam.erl, so that
 * both runtimes do the same work in turn. Undefined where Erlang is not installed.
 */
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

/** A running BEAM. */
export interface Beam {
  /** OTP release, such as "25". */
  readonly release: string;
  /** Runs one row and returns its figure. */
  ask(row: string): Promise<number>;
  close(): void;
}

/** Compiles and starts the lane. */
export async function startBeam(): Promise<Beam | undefined> {
  const folder = mkdtempSync(join(tmpdir(), "paceline-beam-"));
  const source = join(import.meta.dirname, "beam.erl");
  try {
    execFileSync("erlc", ["-o", folder, source], { stdio: ["ignore", "ignore", "inherit"] });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
  const args = ["+S", "1:1", "-noinput", "-noshell", "-pa", folder, "-run", "beam", "main"];
  const env = { ...process.env, ERL_CRASH_DUMP_BYTES: "0" };
  const child = spawn("erl", args, { stdio: ["pipe", "pipe", "inherit"], env });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const next = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error("the BEAM lane has ended");
    return value;
  };
  const release = await next();
  return {
    release,
    ask: async (row) => {
      child.stdin.write(`${row}\n`);
      return Number(await next());
    },
    close: () => {
      child.stdin.end();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
