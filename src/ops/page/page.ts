/**
 * `GET /`: a plain page with the running chains, their providers, and commands to paste.
 *
 * Rendered on the server, works without a script, reloads itself every few seconds. The live
 * dashboard comes later; this one must be readable in any browser and in `curl`.
 */
import type { Alert } from "../alerts.ts";
import {
  chainsReport,
  type ChainReport,
  type EndpointReport,
  type ProviderReport,
} from "../chains-api.ts";
import type { ChainView, HostView, ProcessesView } from "../views.ts";
import { Markup, html } from "./html.ts";
import { PAGE_CSS } from "./style.ts";

const REFRESH_SECONDS = 5;

/** What the page shows. */
export interface PageInput {
  readonly region: string;
  readonly version: string;
  readonly nowMs: number;
  /** Origin as the browser asked for it, e.g. `http://localhost:8080`. */
  readonly origin: string;
  readonly isDraining: boolean;
  readonly chains: readonly ChainView[];
  readonly alerts: readonly Alert[];
  readonly processes?: ProcessesView | undefined;
  readonly host?: HostView | undefined;
}

/** The whole document. */
export function statusPage(input: PageInput): string {
  const report = chainsReport(input.region, input.chains, input.nowMs);
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="${REFRESH_SECONDS}">
<title>Paceline: ${titleOf(report.chains)}</title>
<style>${new Markup(PAGE_CSS)}</style>
</head>
<body>
<header class="head">
<h1>Paceline</h1>
<span class="dim">${input.version} · region ${input.region}${hostFacts(input)}</span>
</header>
<main>
${input.isDraining ? html`<p class="card warn"><strong>Draining.</strong> New requests are refused, running ones finish.</p>` : undefined}
${alertList(input.alerts)}
${report.chains.map((chain) => chainCard(chain, input.origin))}
${report.chains.length === 0 ? html`<p class="card">No chain runs. Add one to the configuration, then <code>paceline reload</code>.</p>` : undefined}
<section class="card" aria-labelledby="more">
<h2 id="more">Look inside</h2>
${commands("", [
  "npx paceline tree",
  "npx paceline ps",
  `curl -s ${input.origin}/api/v1/chains`,
  `curl -s ${input.origin}/health`,
  `curl -s ${input.origin}/metrics`,
])}
<p class="dim">
<a href="/api/v1/chains">chains as JSON</a> · <a href="/health">health</a> ·
<a href="/metrics">metrics</a> · <a href="/openapi.json">openapi.json</a>.
This page reloads every ${REFRESH_SECONDS} s.
</p>
</section>
</main>
</body>
</html>
`.text;
}

const titleOf = (chains: readonly ChainReport[]): string => {
  const down = chains.filter(({ state }) => state === "down");
  return down.length === 0
    ? `${chains.length} ${chains.length === 1 ? "chain" : "chains"} up`
    : `${down.map(({ name }) => name).join(", ")} down`;
};

function hostFacts({ host, processes }: PageInput): string {
  const facts = [
    ...(host === undefined
      ? []
      : [`up ${duration(host.uptimeMs)}`, `${Math.round(host.rssBytes / 1_048_576)} MB`]),
    ...(processes === undefined
      ? []
      : [
          `${processes.supervisors + processes.workers} processes`,
          `${processes.restarts} ${processes.restarts === 1 ? "restart" : "restarts"}`,
        ]),
  ];
  return facts.map((fact) => ` · ${fact}`).join("");
}

function alertList(alerts: readonly Alert[]): Markup | undefined {
  if (alerts.length === 0) return undefined;
  return html`<section class="card" aria-labelledby="alerts">
<h2 id="alerts">Needs attention</h2>
<ul class="alerts">
${alerts.slice(0, 50).map(
  (alert) =>
    html`<li><span class="${alert.severity === "critical" ? "bad" : "warn"}">${alert.severity}</span>: ${alert.message}<br><code class="dim">${alert.hint}</code></li>
`,
)}</ul>
</section>`;
}

function chainCard(chain: ChainReport, origin: string): Markup {
  const id = `chain-${chain.name}`;
  const tone = chain.state === "ok" ? "good" : chain.state === "down" ? "bad" : "warn";
  const rpc = `${origin}${chain.rpc_path}`;
  const ws = rpc.replace(/^http/, "ws");
  return html`<section class="card" aria-labelledby="${id}">
<h2 id="${id}">${chain.name} <span class="state ${tone}">${chain.state}</span></h2>
<ul class="facts">
<li>chain id <b>${chain.chain_id}</b></li>
<li>tip <b>${chain.tip.number ?? "unknown"}</b>${chain.tip.age_ms === null ? "" : `, ${duration(chain.tip.age_ms)} old`}</li>
<li>block time <b>${chain.block_time_ms === null ? "unknown" : duration(chain.block_time_ms)}</b></li>
<li>strategy <b>${chain.strategy}</b></li>
<li>restarts <b>${chain.restarts}</b></li>
${chain.reason === null ? undefined : html`<li class="${tone}">${chain.reason}</li>`}
</ul>
<div class="scroll" tabindex="0" role="region" aria-label="Providers of ${chain.name}">
<table>
<thead><tr><th scope="col">provider</th><th scope="col">state</th><th scope="col">http breaker</th><th scope="col">ws breaker</th><th scope="col" class="n">head</th><th scope="col" class="n">lag</th><th scope="col" class="n">score</th><th scope="col" class="n">p50</th><th scope="col" class="n">errors</th><th scope="col" class="n">races won</th><th scope="col" class="n">restarts</th><th scope="col">why</th></tr></thead>
<tbody>
${chain.providers.map(providerRow)}</tbody>
</table>
</div>
${chain.skipped.length === 0 ? undefined : html`<p class="dim">Left out: ${chain.skipped.map(({ id, reason }) => `${id} (${reason})`).join(", ")}</p>`}
${commands(`Use ${chain.name}`, [
  `curl -s ${rpc} -H 'content-type: application/json' -d '{"jsonrpc":"2.0","id":1,"method":"eth_blockNumber","params":[]}'`,
  `npx wscat -c ${ws} -x '{"jsonrpc":"2.0","id":1,"method":"eth_subscribe","params":["newHeads"]}' -w 60`,
])}
</section>
`;
}

function providerRow(provider: ProviderReport): Markup {
  const tone = TONES[provider.state] ?? "warn";
  return html`<tr>
<th scope="row">${provider.id}${provider.role === "backup" ? html` <span class="dim">backup</span>` : undefined}</th>
<td data-label="state" class="state ${tone}">${provider.state.replace("_", " ")}</td>
<td data-label="http breaker">${endpointText(provider.http)}</td>
<td data-label="ws breaker">${endpointText(provider.ws, provider.ws?.connection ?? null)}</td>
<td data-label="head" class="n">${provider.head ?? "–"}</td>
<td data-label="lag" class="n">${provider.lag_blocks ?? "–"}</td>
<td data-label="score" class="n">${provider.score === null ? "–" : provider.score.toFixed(3)}</td>
<td data-label="p50" class="n">${provider.p50_ms === null ? "–" : `${provider.p50_ms.toFixed(1)} ms`}</td>
<td data-label="errors" class="n">${provider.failure_ratio === null ? "–" : `${(provider.failure_ratio * 100).toFixed(1)} %`}</td>
<td data-label="races won" class="n">${provider.wins} / ${provider.races}</td>
<td data-label="restarts" class="n">${provider.restarts}</td>
<td data-label="why" class="why">${provider.reason ?? ""}</td>
</tr>
`;
}

const TONES: Readonly<Partial<Record<string, string>>> = {
  healthy: "good",
  open: "bad",
  unusable: "bad",
};

/** Breaker and connection in two or three words; an endpoint with a reason is out, whatever they say. */
function endpointText(endpoint: EndpointReport | null, connection: string | null = null): string {
  if (endpoint === null) return "–";
  const breaker = endpoint.breaker.replace("_", " ");
  const isUp = connection === null || connection === "live" || connection === "connected";
  if (!isUp) return `${breaker}, ${connection.replaceAll("_", " ")}`;
  return endpoint.reason === null ? breaker : `${breaker}, out`;
}

const commands = (title: string, lines: readonly string[]): Markup =>
  html`${title === "" ? undefined : html`<h3>${title}</h3>`}<pre tabindex="0">${lines.join("\n")}</pre>`;

function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 100_000) return `${(ms / 1_000).toFixed(1)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  return `${(ms / 3_600_000).toFixed(1)} h`;
}
