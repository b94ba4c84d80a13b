/** JSON of `GET /api/v1/requests/…` and `GET /api/v1/chains/:chain/explain`. */
import { MAX_ENTRIES } from "./commands.ts";
import type { RequestsPort } from "./port.ts";

/** A body with its status. */
export interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

const failure = (status: number, error: string): ApiAnswer => ({
  status,
  body: { error, success: false },
});

/** How a request was served. */
export const requestAnswer = (requests: RequestsPort, id: string): ApiAnswer => {
  const record = requests.request(id);
  if (record !== undefined) return { status: 200, body: record };
  return failure(404, `no request ${JSON.stringify(id.slice(0, 64))} among the last ones`);
};

const TRANSPORTS = ["http", "ws", "any"] as const;

/** Who would serve a method now; nothing is sent. */
export const explainAnswer = (
  requests: RequestsPort,
  chain: string,
  query: URLSearchParams,
): ApiAnswer => {
  const given = (name: string): string | undefined => query.get(name) ?? undefined;
  const method = given("method");
  if (method === undefined) return failure(400, "?method= is missing");
  const wanted = given("transport");
  const transport = TRANSPORTS.find((one) => one === wanted);
  if (wanted !== undefined && transport === undefined) {
    return failure(400, "transport must be http, ws or any");
  }
  const answer = requests.method({
    chain,
    method,
    params: given("params"),
    strategy: given("strategy"),
    provider: given("provider"),
    transport,
    consumer: given("consumer"),
  });
  if (answer.ok) return { status: 200, body: answer.record };
  return failure(answer.isUnknown ? 404 : 400, answer.message);
};

const DEFAULT_ENTRIES = 50;

/** The last slow and failed requests. */
export const slowAnswer = (requests: RequestsPort, query: URLSearchParams): ApiAnswer => {
  const since = wholeOf(query.get("since"), 0, Number.MAX_SAFE_INTEGER);
  const limit = wholeOf(query.get("limit"), DEFAULT_ENTRIES, MAX_ENTRIES);
  if (since === undefined || limit === undefined) {
    return failure(400, `since and limit must be whole numbers, limit at most ${MAX_ENTRIES}`);
  }
  return { status: 200, body: requests.slow({ since, limit }) };
};

const wholeOf = (text: string | null, usual: number, max: number): number | undefined => {
  if (text === null) return usual;
  const value = Number(text);
  return /^\d{1,16}$/.test(text) && value <= max ? value : undefined;
};
