/** What each route of the pairing interface does; parsing and wording stand elsewhere. */
import { parseDuration } from "../../lib/duration.ts";
import { badInput, isRecord, refusalText } from "../fault.ts";
import type { ListsPort } from "../lists/port.ts";
import { parseProvider } from "../provider.ts";
import type {
  Fault,
  LoadReport,
  PairingPort,
  PairingResult,
  PairRequest,
  Reply,
  WaitOptions,
} from "../protocol.ts";
import { failedResult } from "../result.ts";
import { isListBody, optionalRecord, readList, readRecord, type YieldTurn } from "./bodies.ts";
import type { JsonText } from "./json-text.ts";
import { pairingText } from "./pairing-text.ts";
import { blamed, policyOfQuery, requestOf, wholeOfQuery } from "./questions.ts";
import { EXPLAIN_HANDLERS } from "./explain-handlers.ts";
import { LIST_HANDLERS } from "./list-handlers.ts";
import type { PairingRoute } from "./routes.ts";
import { type wirePairing, wireProvider, wireResult } from "./wire.ts";

/** What came of making a pairing again. */
export interface Replayed {
  readonly id: string;
  readonly isEqual: boolean;
  readonly version: number;
  readonly providers: ReturnType<typeof wirePairing>["providers"];
}

/** The audit trail. */
export interface AuditPort {
  /** Keeps a pairing if it is one to be kept; answers its id then. */
  readonly note: (
    market: string,
    request: PairRequest,
    result: PairingResult,
  ) => string | undefined;
  /** Keeps a pairing of many if it is one of the sample. */
  readonly sample: (market: string, request: PairRequest, result: PairingResult) => void;
  readonly list: (market: string, limit: number) => Promise<Reply<JsonText>>;
  readonly get: (market: string, id: string) => Promise<Reply<JsonText>>;
  readonly replay: (market: string, id: string) => Promise<Reply<Replayed>>;
}

/** What the handlers work with. */
export interface RestDeps {
  readonly port: PairingPort;
  /** Undefined where no chain has lists. */
  readonly lists?: ListsPort | undefined;
  readonly audit: AuditPort;
  /** Most items of a list of providers, and of requests. */
  readonly limits: { readonly maxLoad: number; readonly maxBatch: number };
  readonly yieldTurn: YieldTurn;
}

/** A request that found its route. */
export interface Asked {
  /** The values of `{name}` in the path. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  readonly signal: AbortSignal | undefined;
}

/** What a handler answers: the data, or a refusal. */
export type Answer = Reply<unknown>;
type Handler = (deps: RestDeps, asked: Asked) => Answer | Promise<Answer>;

/** Faults of a list that are named. */
const MOST_FAULTS = 20;
/** Providers that are looked at between two looks at other work. */
const LOOK_SLICE = 1_000;
const MOST_AUDIT = 1_000;
const MOST_WAIT_MS = 60_000;

/** By route. */
export const HANDLERS: Readonly<Record<PairingRoute, Handler>> = {
  listMarkets: ({ port }) => {
    const markets = port.markets().flatMap((market) => {
      const page = port.list(market, { limit: 1 });
      return page.ok
        ? [{ market, providers: page.value.total, version: port.version(market) }]
        : [];
    });
    return { ok: true, value: { markets } };
  },
  replaceProviders: async (deps, asked) => {
    const list = await readList(asked.body, deps.limits.maxLoad, deps.yieldTurn);
    if (!list.ok) return list;
    // A list in which nothing is right must not empty the market.
    const faults = await faultsOfAll(list.value, deps.yieldTurn);
    if (faults !== undefined) return badInput(faults);
    return loaded(deps, asked, list.value, "replace");
  },
  addProviders: async (deps, asked) => {
    if (!isListBody(asked.body)) return addOne(deps, asked);
    const list = await readList(asked.body, deps.limits.maxLoad, deps.yieldTurn);
    if (!list.ok) return list;
    const faults = await faultsOfAll(list.value, deps.yieldTurn);
    return faults === undefined ? loaded(deps, asked, list.value, "add") : badInput(faults);
  },
  clearProviders: (deps, asked) => deps.port.load(marketOf(asked), [], "replace"),
  listProviders: ({ port }, asked) => {
    const offset = wholeOfQuery(asked.query, "offset", 0, [0, Number.MAX_SAFE_INTEGER]);
    const limit = wholeOfQuery(asked.query, "limit", 100, [1, 1_000]);
    if (!offset.ok) return offset;
    if (!limit.ok) return limit;
    const location = asked.query.get("location");
    const page = port.list(marketOf(asked), {
      offset: offset.value,
      limit: limit.value,
      ...(location === null ? {} : { location }),
    });
    return mapped(page, ({ providers, ...rest }) => ({
      providers: providers.map(wireProvider),
      ...rest,
    }));
  },
  getProvider: ({ port }, asked) =>
    mapped(port.get(marketOf(asked), param(asked, "address")), wireProvider),
  removeProvider: async ({ port }, asked) =>
    mapped(await port.remove(marketOf(asked), param(asked, "address")), wireProvider),
  listLocations: ({ port }, asked) => port.locations(marketOf(asked)),
  pair: ({ port, audit }, asked) => {
    const body = readRecord(asked.body);
    if (!body.ok) return body;
    const request = requestOf(body.value);
    if (!request.ok) return request;
    const market = marketOf(asked);
    const paired = (result: Reply<PairingResult>): Answer => {
      if (!result.ok) return blamed(result, body.value);
      const auditId = audit.note(market, request.value, result.value);
      return { ok: true, value: pairingText(result.value, auditId) };
    };
    const result = port.pairShared(market, request.value);
    return result instanceof Promise ? result.then(paired) : paired(result);
  },
  pairBatch: async (deps, asked) => {
    const market = marketOf(asked);
    // What is wrong is found out with the pairing, but for a profile that was named as the strategy.
    const requests = await requestsOf(deps, asked, (request, input) =>
      request.profile === undefined ? RIGHT : blamed(deps.port.check(market, request), input),
    );
    if (!requests.ok) return requests;
    const good = requests.value.flatMap((one) => (one.ok ? [one.value] : []));
    const report = await deps.port.batch(market, good);
    if (!report.ok) return report;
    for (const [index, result] of report.value.results.entries()) {
      if (result !== undefined) deps.audit.sample(market, good[index] as PairRequest, result);
    }
    const done = report.value.results.values();
    const results = requests.value.map((one) => {
      const error = one.ok ? "not answered" : refusalText(one.refusal);
      return (one.ok ? done.next().value : undefined) ?? failedResult(market, null, error);
    });
    return { ok: true, value: { results: results.map(wireResult), count: results.length } };
  },
  enqueue: async (deps, asked) => {
    const wait = waitOf(asked);
    if (!wait.ok) return wait;
    const market = marketOf(asked);
    // A worker's errors are those of the service: what is wrong with a request is said at the door.
    const requests = await requestsOf(deps, asked, (request, input) =>
      blamed(deps.port.check(market, request), input),
    );
    if (!requests.ok) return requests;
    const places = requests.value.flatMap((one, index) => (one.ok ? [index] : []));
    const good = requests.value.flatMap((one) => (one.ok ? [one.value] : []));
    const report = await deps.port.enqueue(market, good, wait.value);
    if (!report.ok) return report;
    const bad = requests.value.flatMap((one, index) =>
      one.ok ? [] : [{ index, error: refusalText(one.refusal) }],
    );
    const full = report.value.rejected.map(({ index, error }) => ({
      index: places[index] ?? index,
      error,
    }));
    const rejected = [...bad, ...full].toSorted((a, b) => a.index - b.index);
    return { ok: true, value: { accepted: report.value.accepted, rejected } };
  },
  marketStats: async ({ port }, asked) => {
    const market = marketOf(asked);
    const found = port.list(market, { limit: 1 });
    if (!found.ok) return found;
    return mapped(await port.stats(), ({ markets }) => markets[market]);
  },
  filterStats: ({ port }, asked) => {
    const policy = policyAsked(asked);
    return policy.ok ? port.filterStats(marketOf(asked), policy.value) : policy;
  },
  scoringStats: ({ port }, asked) => {
    const policy = policyAsked(asked);
    return policy.ok ? port.scoringStats(marketOf(asked), policy.value) : policy;
  },
  listScoring: ({ port }, asked) =>
    mapped(port.scoring(marketOf(asked)), (profiles) => ({ profiles })),
  setWeights: ({ port }, asked) => {
    const body = readRecord(asked.body);
    if (!body.ok) return body;
    const weights = isRecord(body.value) ? body.value["weights"] : undefined;
    if (!isRecord(weights)) {
      return badInput([{ path: "weights", message: "not a record of numbers by scorer" }]);
    }
    const faults = Object.entries(weights).flatMap(([name, weight]): Fault[] =>
      typeof weight === "number" ? [] : [{ path: `weights.${name}`, message: "not a number" }],
    );
    for (const key of Object.keys(body.value as object)) {
      if (key !== "weights") faults.push({ path: key, message: "unknown field; known is weights" });
    }
    if (faults.length > 0) return badInput(faults);
    const numbers = weights as Readonly<Record<string, number>>;
    return port.setWeights(marketOf(asked), param(asked, "profile"), numbers);
  },
  listAudit: async ({ audit }, asked) => {
    const limit = wholeOfQuery(asked.query, "limit", 100, [1, MOST_AUDIT]);
    if (!limit.ok) return limit;
    return audit.list(marketOf(asked), limit.value);
  },
  getAudit: ({ audit }, asked) => audit.get(marketOf(asked), param(asked, "id")),
  replay: ({ audit }, asked) => audit.replay(marketOf(asked), param(asked, "id")),
  ...EXPLAIN_HANDLERS,
  ...LIST_HANDLERS,
  takeResults: async ({ port }) =>
    mapped(await port.results(), (results) => ({
      results: results.map(wireResult),
      count: results.length,
    })),
  serviceStats: ({ port }) => port.stats(),
  resetStats: ({ port }) => port.resetStats(),
};

const param = ({ params }: Asked, name: string): string => params[name] ?? "";
const marketOf = (asked: Asked): string => param(asked, "market");

const mapped = <T>(reply: Reply<T>, map: (value: T) => unknown): Answer =>
  reply.ok ? { ok: true, value: map(reply.value) } : reply;

const policyAsked = (asked: Asked) => {
  const body = optionalRecord(asked.body);
  return body.ok ? policyOfQuery(asked.query, body.value) : body;
};

const loaded = async (
  { port }: RestDeps,
  asked: Asked,
  providers: readonly unknown[],
  mode: "replace" | "add",
): Promise<Answer> => {
  const market = marketOf(asked);
  const there = await port.open(market);
  return there.ok ? port.load(market, providers, mode) : there;
};

const addOne = async ({ port }: RestDeps, asked: Asked): Promise<Answer> => {
  const body = readRecord(asked.body);
  if (!body.ok) return body;
  const market = marketOf(asked);
  const there = await port.open(market);
  if (!there.ok) return there;
  const added = await port.add(market, body.value);
  if (!added.ok) return added;
  const size = port.list(market, { limit: 1 });
  const report: LoadReport = {
    accepted: 1,
    rejected: [],
    rejectedCount: 0,
    size: size.ok ? size.value.total : 0,
    version: port.version(market),
  };
  // As the market keeps it: each feature once, in the spelling that it met first.
  const kept = port.get(market, added.value.address);
  const provider = wireProvider(kept.ok ? kept.value : added.value);
  return { ok: true, value: { ...report, provider } };
};

/** What is wrong with the first items of a list in which nothing is right; undefined for any other. */
const faultsOfAll = async (
  providers: readonly unknown[],
  yieldTurn: YieldTurn,
): Promise<readonly Fault[] | undefined> => {
  if (providers.length === 0) return undefined;
  const faults: Fault[] = [];
  for (const [index, input] of providers.entries()) {
    const parsed = parseProvider(input, () => "generated");
    if (parsed.ok) return undefined;
    for (const { path, message } of faults.length < MOST_FAULTS ? parsed.faults : []) {
      faults.push({ path: `[${index}]${path === "" ? "" : `.${path}`}`, message });
    }
    // oxlint-disable-next-line no-await-in-loop -- others have their turn
    if (index % LOOK_SLICE === LOOK_SLICE - 1) await yieldTurn();
  }
  return faults;
};

/** How long what is put into the queue may wait for room; nothing waits that is not told to. */
const waitOf = ({ query, signal }: Asked): Reply<WaitOptions | undefined> => {
  const text = query.get("timeout");
  if (text === null) return { ok: true, value: undefined };
  const timeoutMs = parseDuration(text);
  return timeoutMs === undefined || timeoutMs > MOST_WAIT_MS
    ? badInput([{ path: "timeout", message: "not a time from 0 to 60s, such as 500ms or 2s" }])
    : { ok: true, value: { timeoutMs, ...(signal === undefined ? {} : { signal }) } };
};

const RIGHT: Reply<"right"> = { ok: true, value: "right" };
type Check = (request: PairRequest, input: unknown) => Reply<unknown>;

/** The requests of a list, each with what is wrong with it, also by `check` where there is one. */
const requestsOf = async (
  { limits, yieldTurn }: RestDeps,
  { body }: Asked,
  check?: Check,
): Promise<Reply<readonly Reply<PairRequest>[]>> => {
  const list = await readList(body, limits.maxBatch, yieldTurn);
  if (!list.ok) return list;
  const requests: Reply<PairRequest>[] = [];
  for (const [index, input] of list.value.entries()) {
    const request = requestOf(input);
    const checked = request.ok ? check?.(request.value, input) : undefined;
    requests.push(checked?.ok === false ? checked : request);
    // oxlint-disable-next-line no-await-in-loop -- others have their turn
    if (index % LOOK_SLICE === LOOK_SLICE - 1) await yieldTurn();
  }
  return { ok: true, value: requests };
};
