/** A gateway over scripted upstreams and a hand-driven clock. */
import { CapabilityBook } from "../../../src/rpc/capabilities/capability-book.ts";
import type { AttemptOutcome, EndpointRow, HeadView } from "../../../src/rpc/chain-view.ts";
import type { WriteConfig } from "../../../config/schema.ts";
import type { ErrorRule } from "../../../src/rpc/errors/rules.ts";
import { UnmatchedErrors } from "../../../src/rpc/errors/unmatched.ts";
import { Gateway } from "../../../src/rpc/proxy/gateway.ts";
import type {
  ChainView,
  ClientSink,
  GatewayDeps,
  GatewayLimits,
  HttpReply,
  HubPort,
  InboundRequest,
  RequestRecord,
  Upstream,
  UpstreamCall,
  UpstreamFailure,
  UpstreamHandler,
} from "../../../src/rpc/proxy/ports.ts";
import type { EndpointView, RoutingSnapshot } from "../../../src/rpc/selection/snapshot.ts";
import { rowOf } from "../rows.ts";

/** How a scripted provider answers one call. */
export type Script = (call: ScriptedCall) => void;

export class ScriptedCall implements UpstreamCall {
  isAborted = false;
  isPaused = false;
  readonly body: Buffer;
  readonly id: number;
  readonly handler: UpstreamHandler;

  constructor(body: Buffer, id: number, handler: UpstreamHandler) {
    this.body = body;
    this.id = id;
    this.handler = handler;
  }

  get request(): { id: number; method: string; params?: unknown } {
    return JSON.parse(this.body.toString());
  }

  abort(): void {
    this.isAborted = true;
  }

  resume(): void {
    this.isPaused = false;
  }

  /** Answers with a whole body in one chunk; `N` in the text stands for our id. */
  answer(text: string, status = 200, retryAfter?: string): void {
    this.chunks([text], status, retryAfter);
  }

  chunks(texts: readonly string[], status = 200, retryAfter?: string, sizeBytes = -1): void {
    if (this.isAborted) return;
    this.handler.onHead({ status, sizeBytes, retryAfter });
    for (const text of texts) {
      this.handler.onData(Buffer.from(text.replaceAll("$ID", String(this.id))));
    }
    this.handler.onEnd();
  }

  result(json: string): void {
    this.answer(`{"jsonrpc":"2.0","id":$ID,"result":${json}}`);
  }

  error(code: number, message: string, data?: unknown, status = 200): void {
    this.answer(
      `{"jsonrpc":"2.0","id":$ID,"error":${JSON.stringify({ code, message, data })}}`,
      status,
    );
  }

  fail(kind: UpstreamFailure["kind"], reusedSocket = false, detail: string = kind): void {
    if (!this.isAborted) this.handler.onFailure({ kind, reusedSocket, detail });
  }
}

export class ScriptedUpstream implements Upstream {
  readonly transport: "http" | "ws";
  readonly calls: ScriptedCall[] = [];
  script: Script;

  constructor(script: Script, transport: "http" | "ws" = "http") {
    this.script = script;
    this.transport = transport;
  }

  send(body: Buffer, id: number, handler: UpstreamHandler): UpstreamCall {
    const call = new ScriptedCall(body, id, handler);
    this.calls.push(call);
    this.script(call);
    return call;
  }
}

export const noCalls = { get: () => undefined };

const noRaces = {
  raceScore: 0,
  paceScore: undefined,
  wins: 0,
  races: 0,
  winRate: 0,
  missRate: 0,
  avgMarginMs: 0,
};

function viewOf(row: EndpointRow, wsRow: EndpointRow): EndpointView {
  return {
    provider: row.provider,
    vendor: undefined,
    region: undefined,
    tags: [],
    transports: { http: row, ws: wsRow },
    priority: row.index,
    role: "primary",
    weight: 1,
    type: "public",
    cost: { pricePerMillionUnits: 0, defaultUnits: 1, unitsByMethod: {} },
    archival: true,
    unsupported: new Set(),
    head: 100,
    lag: 0,
    calls: noCalls,
    race: noRaces,
  } as unknown as EndpointView;
}

export class FakeReply implements HttpReply {
  status = 0;
  headers: Record<string, string> = {};
  body = Buffer.alloc(0);
  isOpen = true;
  isEnded = false;
  isDestroyed = false;
  isFull = false;
  extraHeaders: readonly string[] | undefined = undefined;
  onDrain: (() => void) | undefined = undefined;
  onGone: (() => void) | undefined = undefined;

  #head(status: number, own: readonly string[]): void {
    const headers = [...own, ...(this.extraHeaders ?? [])];
    this.status = status;
    for (let index = 0; index < headers.length; index += 2) {
      this.headers[(headers[index] as string).toLowerCase()] = headers[index + 1] as string;
    }
  }

  #add(piece: string | Buffer): void {
    const bytes = typeof piece === "string" ? Buffer.from(piece, "latin1") : piece;
    this.body = Buffer.concat([this.body, bytes]);
  }

  send(status: number, headers: readonly string[], body: string | Buffer): void {
    this.#head(status, headers);
    this.#add(body);
    this.end();
  }

  sendPieces(
    status: number,
    headers: readonly string[],
    _sizeBytes: number,
    pieces: readonly (string | Buffer)[],
  ): void {
    this.#head(status, headers);
    for (const piece of pieces) this.#add(piece);
    this.end();
  }

  begin(status: number, headers: readonly string[]): void {
    this.#head(status, headers);
  }

  write(chunk: Buffer): boolean {
    this.#add(chunk);
    return !this.isFull;
  }

  end(): void {
    this.isEnded = true;
    this.isOpen = false;
  }

  destroy(): void {
    this.isDestroyed = true;
    this.isOpen = false;
  }

  get text(): string {
    return this.body.toString("utf8");
  }

  get json(): any {
    return JSON.parse(this.text);
  }
}

export interface World {
  readonly chain: ChainView;
  readonly gateway: Gateway;
  readonly rows: EndpointRow[];
  readonly upstreams: ScriptedUpstream[];
  readonly wsRows: EndpointRow[];
  readonly live: Map<EndpointRow, Upstream>;
  readonly reports: AttemptOutcome[];
  readonly records: RequestRecord[];
  readonly events: { name: string; fields: Readonly<Record<string, unknown>> }[];
  /** Providers in the order in which they were caught. */
  readonly misbehaved: string[];
  readonly recorded: { provider: string; errorClass: string; durationMs: number }[];
  nowMs: number;
  advance(ms: number): void;
  post(body: string | Buffer, url?: string, headers?: readonly string[]): FakeReply;
  isDraining: boolean;
  rules: ErrorRule[];
  /** What the head tracker has published; nothing by default. */
  head: HeadView | undefined;
  /** The head that subscribers were sent last. */
  announced: number | undefined;
  /** Heights that answers have shown. */
  readonly heard: { provider: string; number: number }[];
}

export interface WorldOptions {
  readonly providers?: readonly string[];
  readonly script?: Script;
  readonly limits?: Partial<GatewayLimits>;
  readonly hub?: HubPort;
  /** The injected chance; 0.5 by default. */
  readonly random?: () => number;
  /** Providers that may get copies of reads; none by default. */
  readonly probed?: readonly string[];
  /** Providers that keep old state; all by default. */
  readonly archival?: readonly string[];
  /** The served tip; 100 by default. */
  readonly tip?: number;
  /** Evidence of calls, the same for all providers; none by default. */
  readonly calls?: EndpointView["calls"];
  /** Who sells which provider; nobody by default. */
  readonly vendors?: Readonly<Record<string, string>>;
  /** How transactions are sent; as by default when not given. */
  readonly writes?: Partial<WriteConfig>;
  /** Tags by provider. */
  readonly tags?: Readonly<Record<string, readonly string[]>>;
  /** Methods that are relayed although denied by default. */
  readonly allow?: readonly string[];
  readonly consistency?: ChainView["consistency"];
  /** Methods that are not served. */
  readonly deny?: readonly string[];
  /** More of the chain, and of single providers in its snapshot. */
  readonly chain?: Partial<ChainView>;
  readonly views?: Readonly<Record<string, Partial<EndpointView>>>;
  /** The id of every request; `req1`, `req2` and so on by default. */
  readonly requestId?: string;
  /** More of what the gateway is built from. */
  readonly deps?: Partial<GatewayDeps>;
}

export const idleHub: HubPort = {
  subscribe: () => Promise.resolve({ ok: true as const, id: `0x${"0".repeat(32)}` }),
  resume: () => Promise.resolve({ ok: false, code: -1, message: "" }),
  unsubscribe: () => Promise.resolve(false),
  drop: (_sink: ClientSink) => undefined,
};

export function world(options: WorldOptions = {}): World {
  const names = options.providers ?? ["a", "b", "c"];
  const rows = names.map((name, index) => rowOf(name, index));
  const wsRows = names.map((name, index) => rowOf(name, index, { transport: "ws" }));
  const script = options.script ?? ((call) => call.result('"0x1"'));
  const upstreams = rows.map(() => new ScriptedUpstream(script));
  const live = new Map<EndpointRow, Upstream>(
    rows.map((row, index) => [row, upstreams[index] as Upstream]),
  );
  const snapshot = {
    chain: "ethereum",
    version: 1,
    builtAtMs: 0,
    tip: options.tip ?? 100,
    blockTimeMs: 12_000,
    rules: {
      strategy: "priority",
      maxLagBlocks: 3,
      archivalThreshold: 128,
      minHealthy: 1,
      formula: "pace",
      weights: { race: 0.4, reliability: 0.3, latency: 0.2, freshness: 0.1 },
      stickyHysteresis: 0.3,
      stickyMinIntervalMs: 30_000,
      costBias: 0.3,
    },
    endpoints: rows.map((row, index) => ({
      ...viewOf(row, wsRows[index] as EndpointRow),
      tags: options.tags?.[row.provider] ?? [],
      archival: options.archival?.includes(row.provider) !== false,
      calls: options.calls ?? noCalls,
      vendor: options.vendors?.[row.provider],
      mayProbe: options.probed?.includes(row.provider) === true,
      ...options.views?.[row.provider],
    })),
    cache: new Map(),
    memory: { sticky: new Map(), rotations: new Map() },
  } as unknown as RoutingSnapshot;
  const onTrial = (key: "canary" | "shadow") =>
    snapshot.endpoints.filter((view) => view[key] !== undefined);
  if (onTrial("canary").length > 0) Object.assign(snapshot, { canaries: onTrial("canary") });
  if (onTrial("shadow").length > 0) Object.assign(snapshot, { shadows: onTrial("shadow") });
  const state: World = {
    chain: undefined as unknown as ChainView,
    rows,
    wsRows,
    upstreams,
    live,
    reports: [],
    records: [],
    events: [],
    recorded: [],
    misbehaved: [],
    rules: [],
    head: undefined,
    announced: undefined,
    heard: [],
    nowMs: 1000,
    isDraining: false,
    advance(ms) {
      const target = state.nowMs + ms;
      while (state.nowMs < target) {
        state.nowMs = Math.min(target, state.nowMs + 5);
        state.gateway.tick();
      }
    },
    post(body, url = "/rpc/ethereum", headers = ["Content-Type", "application/json"]) {
      const reply = new FakeReply();
      const request: InboundRequest = {
        method: "POST",
        url,
        host: "localhost:8080",
        isSecure: false,
        rawHeaders: headers,
        body: Buffer.isBuffer(body) ? body : Buffer.from(body),
        bodyFault: undefined,
      };
      state.gateway.http.handle(request, reply);
      return reply;
    },
    gateway: undefined as unknown as Gateway,
  };
  const chain: ChainView = {
    name: "ethereum",
    aliases: ["eth"],
    chainId: 1,
    strategy: "priority",
    snapshot,
    get head() {
      return state.head;
    },
    get announced() {
      return state.announced;
    },
    consistency: options.consistency,
    heard: (provider, number) => void state.heard.push({ provider, number }),
    failoverEnabled: true,
    hedge: { enabled: true, budget: 0.05 },
    allows: (method) => options.allow?.includes(method) === true,
    denies: (method) => options.deny?.includes(method) === true,
    writes: { mode: "broadcast", providers: 2, ...options.writes },
    hub: options.hub ?? idleHub,
    capabilities: new CapabilityBook(),
    unmatched: new UnmatchedErrors(),
    evidence: {
      recordCall: (provider, _transport, _method, errorClass, durationMs) =>
        state.recorded.push({ provider, errorClass, durationMs }),
      recordCensored: (provider, _transport, _method, durationMs) =>
        state.recorded.push({ provider, errorClass: "censored", durationMs }),
      recordMisbehaviour: (provider) => state.misbehaved.push(provider),
    },
    errorRules: () => state.rules,
    upstream: (row) => live.get(row),
    report: (outcome) => state.reports.push(outcome),
  };
  (state as { chain: ChainView }).chain = chain;
  // Getters stay getters.
  Object.defineProperties(chain, Object.getOwnPropertyDescriptors(options.chain ?? {}));
  let ids = 0;
  let filterIds = 0;
  (state as { gateway: Gateway }).gateway = new Gateway({
    chains: {
      find: (key) => (["ethereum", "eth", "1", "0x1"].includes(key) ? chain : undefined),
      names: () => ["ethereum"],
    },
    now: () => state.nowMs,
    random: options.random ?? (() => 0.5),
    randomHex: () => String(++filterIds).padStart(32, "0"),
    nextRequestId: () => options.requestId ?? `req${++ids}`,
    emit: (name, fields) => state.events.push({ name, fields }),
    observer: {
      request: (record) => state.records.push(record),
      attempt: () => undefined,
    },
    redact: (text) => text.replaceAll("s3cr3t", "***"),
    isDraining: () => state.isDraining,
    clientVersion: "Paceline/test",
    ...options.deps,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  return state;
}
