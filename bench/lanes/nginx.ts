/**
 * nginx as a plain proxy, one worker; undefined where it is not installed. Before several stubs it
 * fails over: 500 ms for an answer, then the next one.
 */
import { existsSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, LANE_CORE, type Lane, startCommand } from "../support/host.ts";

const BINARIES = ["/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx"];

/** Starts nginx before these ports. */
export async function startNginx(...upstreamPorts: readonly number[]): Promise<Lane | undefined> {
  const binary = BINARIES.find((path) => existsSync(path));
  if (binary === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "paceline-nginx-"));
  const port = await freePort();
  writeFileSync(
    join(folder, "nginx.conf"),
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log;
events { worker_connections 1024; }
http {
  access_log off; keepalive_requests 1000000; keepalive_timeout 65s;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy;
  fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  upstream stub {
    ${upstreamPorts.map((stub) => `server 127.0.0.1:${stub};`).join(" ")}
    keepalive 64; keepalive_requests 1000000;
  }
  proxy_connect_timeout 500ms; proxy_read_timeout 500ms;
  proxy_next_upstream error timeout http_500 http_503 non_idempotent;
  server {
    listen 127.0.0.1:${port};
    location / { proxy_pass http://stub; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`,
  );
  return startCommand("nginx", LANE_CORE, binary, ["-c", join(folder, "nginx.conf")], port);
}
