/**
 * HAProxy before several stubs, one thread, with health checks, retries and redispatch: 500 ms for an
 * answer, then another server. Undefined where it is not installed.
 */
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, LANE_CORE, type Lane, startCommand } from "../support/host.ts";

const BINARIES = ["/usr/sbin/haproxy", "/usr/local/sbin/haproxy", "/usr/bin/haproxy"];

/** Starts HAProxy before these ports. */
export async function startHaproxy(...upstreamPorts: readonly number[]): Promise<Lane | undefined> {
  const binary = BINARIES.find((path) => existsSync(path));
  if (binary === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "paceline-haproxy-"));
  const port = await freePort();
  const servers = upstreamPorts.map(
    (stub, at) => `  server s${at} 127.0.0.1:${stub} check inter 500ms fall 2 rise 1`,
  );
  writeFileSync(
    join(folder, "haproxy.cfg"),
    `global
  nbthread 1
defaults
  mode http
  timeout connect 500ms
  timeout client 65s
  timeout server 500ms
  option redispatch 1
  retries 2
  retry-on all-retryable-errors
  http-reuse always
frontend in
  bind 127.0.0.1:${port}
  default_backend stubs
backend stubs
  balance roundrobin
${servers.join("\n")}
`,
  );
  return startCommand("haproxy", LANE_CORE, binary, ["-f", join(folder, "haproxy.cfg")], port);
}
