/**
 * Real PostgreSQL servers for tests: Debian's package. A server refuses to run as root, so where the
 * tests do it runs as the package's user.
 */
import { execFileSync } from "node:child_process";
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { describe } from "vitest";
import { Child, type ChildOwner } from "./child.ts";
import { freePort } from "./free-port.ts";

/** A running server with one empty database. */
export interface PostgresServer {
  readonly url: string;
  readonly child: Child;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Starts it again on the same port after it was killed. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** Debian keeps the server's programs off the path, below its major version. */
const DEBIAN = "/usr/lib/postgresql";
const folders = [
  ...(existsSync(DEBIAN) ? readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a)) : []).map(
    (version) => join(DEBIAN, version, "bin"),
  ),
  ...(process.env["PATH"] ?? "").split(delimiter),
];
const folder = folders.find((one) =>
  ["initdb", "postgres"].every((program) => existsSync(join(one, program))),
);

/** Whom the server runs as, when the tests run as root. */
const ownerOf = (): ChildOwner | undefined | "missing" => {
  if (process.getuid?.() !== 0) return undefined;
  try {
    const idOf = (flag: string) =>
      Number(execFileSync("id", [flag, "postgres"], { encoding: "utf8", stdio: "pipe" }));
    return { uid: idOf("-u"), gid: idOf("-g") };
  } catch {
    return "missing";
  }
};
const owner = folder === undefined ? undefined : ownerOf();

const missing =
  folder === undefined
    ? "PostgreSQL is not installed (Debian's package postgresql)"
    : owner === "missing"
      ? "PostgreSQL does not run as root and there is no user postgres"
      : undefined;
if (missing !== undefined && process.env["CI"] === "true") throw new Error(missing);
if (missing !== undefined) console.log(`skipped: tests with a real PostgreSQL, because ${missing}`);

/** `describe` for tests that need a real server; skipped with a printed reason where there is none. */
export const describeWithPostgres = describe.skipIf(missing !== undefined);

const PASSWORD = "correct-horse-battery";

/** Starts a server on a free port and waits until it answers. */
export const startPostgres = async (): Promise<PostgresServer> => {
  if (folder === undefined || owner === "missing") throw new Error(missing);
  const directory = mkdtempSync(join(tmpdir(), "paceline-postgres-"));
  const data = join(directory, "data");
  if (owner !== undefined) chownSync(directory, owner.uid, owner.gid);
  const env = { LC_ALL: "C" };
  const init = ["-D", data, "-U", "paceline", "-A", "trust", "-E", "UTF8", "--no-sync"];
  execFileSync(join(folder, "initdb"), init, {
    ...owner,
    env: { ...process.env, ...env },
    cwd: directory,
    stdio: "pipe",
  });
  const port = await freePort();
  const settings = {
    listen_addresses: "127.0.0.1",
    port,
    unix_socket_directories: directory,
    fsync: "off",
    shared_buffers: "16MB",
    max_connections: 20,
  };
  const args = Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  const launch = async (): Promise<Child> => {
    const child = new Child(join(folder, "postgres"), ["-D", data, ...args], env, directory, owner);
    await child.waitFor(/ready to accept connections/);
    return child;
  };
  let child = await launch();
  // Killed outright it would leave its own children behind for a while.
  const quit = async (): Promise<void> => {
    child.signal("SIGQUIT");
    await child.exited;
  };
  return {
    url: `postgres://paceline:${PASSWORD}@127.0.0.1:${port}/postgres`,
    get child() {
      return child;
    },
    kill: quit,
    restart: async () => {
      await quit();
      child = await launch();
    },
    stop: async () => {
      await quit();
      rmSync(directory, { recursive: true, force: true });
    },
  };
};
