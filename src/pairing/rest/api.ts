/** The pairing interface: finds the route of a request, and words what its handler answers. */
import { PAIRING_ERRORS, type PairingErrorCode } from "../errors.ts";
import { refusalText } from "../fault.ts";
import type { Refusal } from "../protocol.ts";
import { type Answer, HANDLERS, type RestDeps } from "./handlers.ts";
import { JsonText } from "./json-text.ts";
import { PAIRING_ROUTES, type PairingRoute, type RouteSpec } from "./routes.ts";

/** A request for the interface. */
export interface ApiRequest {
  readonly method: string;
  /** Without the query, still percent-encoded. */
  readonly path: string;
  /** Without its question mark. */
  readonly query: string;
  readonly body: Buffer;
  /** Aborted when the client is gone; only asked for where an answer may wait. */
  readonly signal?: AbortSignal | undefined;
}

/** What is sent back, as JSON. */
export interface ApiReply {
  readonly status: number;
  readonly body: unknown;
  /** Methods of the path, where another one was asked for. */
  readonly allow?: string;
}

/** A request that found its route. */
export interface Routed {
  readonly ok: true;
  readonly route: PairingRoute;
  readonly access: RouteSpec["access"];
  readonly params: Readonly<Record<string, string>>;
}

/** The answer that says why something was refused. */
export const refusalReply = (why: Refusal): ApiReply => {
  const { code, faults } = why;
  const error = refusalText(why);
  return {
    status: PAIRING_ERRORS[code].status,
    body: { error, success: false, code, ...(faults === undefined ? {} : { faults }) },
  };
};

/** A refusal without faults as an answer. */
export const refusal = (code: PairingErrorCode, message: string): ApiReply =>
  refusalReply({ code, message });

/** The text of an answer. */
export const replyText = ({ body }: ApiReply): string =>
  body instanceof JsonText ? body.text : JSON.stringify(body);

/** Whether a path is one of the interface's own. */
export const isPairingPath = (path: string): boolean =>
  path.startsWith("/api/v1/markets") || path.startsWith("/api/v1/pairing/");

interface Pattern {
  readonly name: PairingRoute;
  readonly spec: RouteSpec;
  readonly segments: readonly string[];
}

const PATTERNS: readonly Pattern[] = (
  Object.entries(PAIRING_ROUTES) as [PairingRoute, RouteSpec][]
).map(([name, spec]) => ({ name, spec, segments: spec.path.slice(1).split("/") }));

/** Patterns by the number of their segments. */
const BY_LENGTH = Map.groupBy(PATTERNS, ({ segments }) => segments.length);

/** The route of a request, or the answer that says why there is none. */
export function routeOf(
  method: string,
  path: string,
): Routed | (ApiReply & { readonly ok: false }) {
  const segments = path.split("/");
  if (segments.at(-1) === "") segments.pop();
  const asked = method === "HEAD" ? "GET" : method;
  const found = BY_LENGTH.get(segments.length - 1) ?? [];
  for (const { name, spec, segments: pattern } of found) {
    if (spec.method !== asked || !isLike(pattern, segments)) continue;
    const params = paramsOf(pattern, segments);
    if (params !== undefined) return { ok: true, route: name, access: spec.access, params };
  }
  const others = found.filter(({ segments: pattern }) => isLike(pattern, segments));
  if (others.length === 0) {
    return { ok: false, ...refusal("PAIRING_NO_PATH", "no such API path; see /openapi.json") };
  }
  const allow = others.map(({ spec }) => spec.method).join(", ");
  const message = `${method.slice(0, 16)} is not allowed here; allowed: ${allow}`;
  return { ok: false, ...refusal("PAIRING_BAD_METHOD", message), allow };
}

/** Whether the fixed segments are those of the path, which begins with an empty one. */
function isLike(pattern: readonly string[], segments: readonly string[]): boolean {
  for (let i = pattern.length - 1; i >= 0; i--) {
    const expected = pattern[i] as string;
    if (!expected.startsWith("{") && expected !== segments[i + 1]) return false;
  }
  return true;
}

const NO_QUERY = new URLSearchParams();

/** The interface over a service. */
export class PairingApi {
  readonly #deps: RestDeps;

  constructor(deps: RestDeps) {
    this.#deps = deps;
  }

  /** Markets that lists of consumers are drawn from; without lists, any. */
  get listMarkets(): readonly (string | undefined)[] {
    return this.#deps.lists?.markets ?? [undefined];
  }

  /** Answers a request that found its route. */
  answer(
    { route, params }: Routed,
    { query, body, signal }: Pick<ApiRequest, "query" | "body" | "signal">,
  ): ApiReply | Promise<ApiReply> {
    // Hardly any has a query, and hardly any handler looks at it.
    const asked = {
      params,
      body,
      query: query === "" ? NO_QUERY : new URLSearchParams(query),
      signal,
    };
    const answer = HANDLERS[route](this.#deps, asked);
    return answer instanceof Promise
      ? answer.then((late) => replyOf(route, late))
      : replyOf(route, answer);
  }

  /** Answers a request of anybody whose rights are known already. */
  handle(request: ApiRequest): ApiReply | Promise<ApiReply> {
    const routed = routeOf(request.method, request.path);
    const reply = routed.ok ? this.answer(routed, request) : routed;
    return reply instanceof Promise ? reply.then(readable) : readable(reply);
  }
}

/** Its body as a value, where it is text. */
const readable = (reply: ApiReply): ApiReply =>
  reply.body instanceof JsonText ? { ...reply, body: reply.body.toJSON() } : reply;

function replyOf(route: PairingRoute, answer: Answer): ApiReply {
  if (!answer.ok) return refusalReply(answer.refusal);
  const { value } = answer;
  const { status } = PAIRING_ROUTES[route];
  return value instanceof JsonText
    ? { status, body: new JsonText(`{"success":true,"data":${value.text}}`) }
    : { status, body: { success: true, data: value } };
}

function paramsOf(
  pattern: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const params: Record<string, string> = {};
  for (const [i, expected] of pattern.entries()) {
    if (!expected.startsWith("{")) continue;
    const value = decoded(segments[i + 1] as string);
    if (value === "") return undefined;
    params[expected.slice(1, -1)] = value;
  }
  return params;
}

const decoded = (segment: string): string => {
  if (!segment.includes("%")) return segment;
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
};
