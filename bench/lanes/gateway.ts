/** The whole gateway as it is shipped, with a configuration of one chain and three providers. */
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Lane } from "../support/host.ts";
import { LANE_CORE, startLane } from "../support/host.ts";

/** Starts the gateway before `urls` and waits until it serves; `env` may load something before it. */
export async function startGateway(
  urls: readonly string[],
  wsUrls: readonly (string | undefined)[] = [],
  chainLines: readonly string[] = [],
  hostLines: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<Lane> {
  const folder = mkdtempSync(join(tmpdir(), "paceline-bench-"));
  const file = join(folder, "paceline.yaml");
  const providers = urls.map((url, index) => {
    const ws = wsUrls[index] === undefined ? "" : `, ws_url: "${wsUrls[index]}"`;
    return `      - { id: p${index}, url: "${url}"${ws} }`;
  });
  writeFileSync(
    file,
    [
      "listen: { host: 127.0.0.1, port: 0 }",
      `admin: { socket: ${folder}/run/admin.sock }`,
      // No evidence of earlier runs.
      `storage: { url: "sqlite:${folder}/data/paceline.db" }`,
      ...hostLines,
      "chains:",
      "  ethereum:",
      "    chain_id: 1",
      "    block_time: 12s",
      ...chainLines,
      "    providers:",
      ...providers,
      "",
    ].join("\n"),
  );
  const program = new URL("../../bin/paceline.mjs", import.meta.url).pathname;
  const lane = await startLane("gateway", LANE_CORE, [program, "start", "--config", file], {
    NODE_ENV: "production",
    ...env,
  });
  await ready(lane.port);
  return lane;
}

async function ready(port: number): Promise<void> {
  const untilMs = performance.now() + 10_000;
  const body = '{"jsonrpc":"2.0","id":1,"method":"eth_gasPrice","params":[]}';
  const headers = { "content-type": "application/json" };
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${port}/rpc/ethereum`, {
      method: "POST",
      headers,
      body,
    });
    const text = await answer.text();
    if (text.includes('"result"')) return;
    if (performance.now() > untilMs) throw new Error(`gateway does not serve: ${text}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}
