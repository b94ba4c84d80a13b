/** A Redis of the benchmark's own: Debian's redis-server on a free port. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A running server. */
export interface BenchRedis {
  readonly url: string;
  /** It answers nobody from now on. */
  freeze(): void;
  stop(): void;
}

/** Starts it and waits until it listens. */
export async function startRedis(): Promise<BenchRedis> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), "paceline-bench-"));
  const place = ["--port", String(port), "--bind", "127.0.0.1", "--dir", folder];
  const child = spawn("redis-server", [...place, "--save", ""], { stdio: "ignore" });
  process.on("exit", () => child.kill("SIGKILL"));
  while (!(await isOpen(port))) await pause(20);
  return {
    url: `redis://127.0.0.1:${port}`,
    freeze: () => child.kill("SIGSTOP"),
    stop: () => child.kill("SIGKILL"),
  };
}

/** Waits. */
export const pause = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

const freePort = async (): Promise<number> => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
};

const isOpen = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    const tell = (is: boolean) => () => {
      socket.destroy();
      resolve(is);
    };
    socket.once("connect", tell(true)).once("error", tell(false));
  });
