/**
 * The operator's HTTP paths: one table that is dispatched here and described in /openapi.json.
 *
 * Everything is answered from memory; only /metrics takes more than one turn of the event loop.
 */
import { createHash } from "node:crypto";
import { chainReport, chainsReport } from "./chains-api.ts";
import { EVIDENCE_PATHS } from "./evidence/api.ts";
import type { EvidencePort } from "./evidence/port.ts";
import {
  HealthMemory,
  health,
  livez,
  readyz,
  startupz,
  type HealthInput,
  type HealthReply,
} from "./health.ts";
import { type Described, openApiDocument } from "./openapi.ts";
import { PAGE_CSS } from "./page/style.ts";
import { type ApiAnswer, explainAnswer, requestAnswer, slowAnswer } from "./requests/api.ts";
import type { ClusterPort } from "./regions/port.ts";
import { regionsReport } from "./regions/report.ts";
import type { RequestsPort } from "./requests/port.ts";
import { statusPage } from "./page/page.ts";
import type { ChainView } from "./views.ts";

/** One request to an operator's path. */
export interface OpsRequest {
  readonly method: string;
  /** Path without the query, still percent-encoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** The Host header. */
  readonly host: string | undefined;
  /** The If-None-Match header. */
  readonly ifNoneMatch?: string | undefined;
}

/** What is sent back. */
export interface OpsReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Where the answers come from. */
export interface OpsSources {
  /** What is known now, alerts included. */
  readonly health: () => HealthInput;
  readonly renderMetrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  /** Explanations of requests, and the slow log. */
  readonly requests: RequestsPort;
  readonly evidence: EvidencePort;
  readonly cluster: ClusterPort;
  /** Replaces every configured secret: reasons may quote what a provider said. */
  readonly redact: (text: string) => string;
  /** Wall clock, ms since 1970. */
  readonly wallNow: () => number;
  /** Paths that another part of the port answers, for /openapi.json. */
  readonly described?: (() => Described) | undefined;
}

interface Route {
  readonly path: RegExp;
  readonly handle: (
    input: HealthInput,
    request: OpsRequest,
    match: RegExpExecArray,
  ) => OpsReply | Promise<OpsReply>;
}

const SECURITY_HEADERS = {
  "cache-control": "no-store",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

const STYLE_HASH = createHash("sha256").update(PAGE_CSS).digest("base64");
const PAGE_POLICY = `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const json = (status: number, body: unknown): OpsReply => ({
  status,
  headers: { ...SECURITY_HEADERS, "content-type": "application/json; charset=utf-8" },
  body: `${JSON.stringify(body)}\n`,
});

const answered = ({ status, body }: ApiAnswer): OpsReply => json(status, body);

const failure = (status: number, error: string): OpsReply =>
  json(status, { error, success: false });

/**
 * A poller that names what it has gets 304 while the answer is the same. The tag is weak: it is of
 * the answer before secrets are masked in it.
 */
const versioned = (reply: OpsReply, ifNoneMatch: string | undefined): OpsReply => {
  const tag = `W/"${createHash("sha256").update(reply.body).digest("base64url").slice(0, 22)}"`;
  const headers = { ...reply.headers, "cache-control": "private, no-cache", etag: tag };
  const known = ifNoneMatch?.split(",").map((one) => one.trim()) ?? [];
  const isKnown = known.includes("*") || known.includes(tag);
  return isKnown ? { status: 304, headers, body: "" } : { ...reply, headers };
};

/** Answers operator's requests; undefined for a path that is not one of them. */
export function createOpsRoutes(
  sources: OpsSources,
): (request: OpsRequest) => OpsReply | Promise<OpsReply> | undefined {
  const memory = new HealthMemory();
  const healthReply = (reply: HealthReply): OpsReply => json(reply.status, reply.body);
  const stamped = (reply: HealthReply): OpsReply =>
    healthReply(memory.stamp(reply, new Date(sources.wallNow()).toISOString()));
  const chainRoute =
    (answer: (chain: ChainView, nowMs: number, request: OpsRequest) => OpsReply): Route["handle"] =>
    ({ chains, nowMs }, request, match) => {
      const wanted = decoded(match[1] ?? "");
      const chain = chains.find(({ name, aliases }) => name === wanted || aliases.includes(wanted));
      if (chain !== undefined) return answer(chain, nowMs, request);
      const names = chains.map(({ name }) => name).join(", ") || "none";
      return failure(404, `no chain ${JSON.stringify(wanted.slice(0, 64))}; running: ${names}`);
    };
  const routes: readonly Route[] = [
    { path: /^\/$/, handle: page },
    { path: /^\/livez$/, handle: (input) => stamped(livez(input)) },
    { path: /^\/startupz$/, handle: (input) => stamped(startupz(input)) },
    {
      path: /^\/readyz$/,
      handle: (input, { query }) => {
        const min = query.get("min") ?? undefined;
        const reply = readyz(input, { chain: query.get("chain") ?? undefined, min });
        // Another `min` asks another question; its answers have no common "since".
        return min === undefined ? stamped(reply) : healthReply(reply);
      },
    },
    { path: /^\/health$/, handle: (input) => stamped(health(input)) },
    {
      path: /^\/metrics$/,
      handle: async () => {
        try {
          const { contentType, text } = await sources.renderMetrics();
          return {
            status: 200,
            headers: { ...SECURITY_HEADERS, "content-type": contentType },
            body: text,
          };
        } catch (error) {
          return failure(503, error instanceof Error ? error.message : "the metrics failed");
        }
      },
    },
    {
      path: /^\/openapi\.json$/,
      handle: ({ version }) => json(200, openApiDocument(version, sources.described?.())),
    },
    {
      path: /^\/api\/v1\/chains$/,
      handle: ({ region, chains, nowMs }) => json(200, chainsReport(region, chains, nowMs)),
    },
    {
      path: /^\/api\/v1\/chains\/([^/]+)$/,
      handle: chainRoute((chain, nowMs) => json(200, chainReport(chain, nowMs))),
    },
    ...Object.entries(EVIDENCE_PATHS).map(
      ([name, answer]): Route => ({
        path: new RegExp(`^/api/v1/chains/([^/]+)/${name}$`),
        handle: chainRoute((chain, nowMs, { query, ifNoneMatch }) => {
          const evidence = sources.evidence(chain.name);
          const moment = { nowMs, wallMs: sources.wallNow() };
          const found = answer({ chain, evidence, moment, query, cluster: sources.cluster });
          if (found.ok) return versioned(json(200, found.body), ifNoneMatch);
          const { error, field } = found;
          return json(400, { error, field, success: false });
        }),
      }),
    ),
    {
      path: /^\/api\/v1\/chains\/([^/]+)\/explain$/,
      handle: (_, { query }, match) =>
        answered(explainAnswer(sources.requests, decoded(match[1] ?? ""), query)),
    },
    {
      path: /^\/api\/v1\/requests\/slow$/,
      handle: (_, { query }) => answered(slowAnswer(sources.requests, query)),
    },
    {
      path: /^\/api\/v1\/requests\/([^/]+)$/,
      handle: (_, __, match) => answered(requestAnswer(sources.requests, decoded(match[1] ?? ""))),
    },
    {
      path: /^\/api\/v1\/regions$/,
      handle: () => json(200, regionsReport(sources.cluster.view())),
    },
    { path: /^\/api\/v1\/alerts$/, handle: ({ alerts }) => json(200, { alerts }) },
  ];
  return (request) => {
    const path = request.path.length > 1 ? request.path.replace(/\/$/, "") : request.path;
    for (const route of routes) {
      const match = route.path.exec(path);
      if (match === null) continue;
      if (request.method !== "GET" && request.method !== "HEAD") {
        const reply = failure(405, `${request.method.slice(0, 16)} is not allowed here`);
        return { ...reply, headers: { ...reply.headers, allow: "GET, HEAD" } };
      }
      const reply = route.handle(sources.health(), request, match);
      // Labels of metrics are redacted as they are made; a large page is not searched again.
      return reply instanceof Promise ? reply : { ...reply, body: sources.redact(reply.body) };
    }
    return path.startsWith("/api/")
      ? failure(404, "no such API path; see /openapi.json")
      : undefined;
  };
}

function page(input: HealthInput, { host }: OpsRequest): OpsReply {
  const isPlainHost = host !== undefined && /^[\w.:[\]-]{1,255}$/.test(host);
  return {
    status: 200,
    headers: {
      ...SECURITY_HEADERS,
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": PAGE_POLICY,
    },
    body: statusPage({ ...input, origin: `http://${isPlainHost ? host : "localhost"}` }),
  };
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
