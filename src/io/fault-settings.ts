/** What a fault proxy is told to do, and the decisions and rewritings that follow from it. */

/** Settings of a fault proxy; the defaults are a perfect wire. */
export interface FaultSettings {
  /** Added to every answer and event, ms. */
  readonly latencyMs: number;
  /** Up to this much more, uniform, ms. */
  readonly jitterMs: number;
  /** Connections are reset on accept, open ones are cut. */
  readonly down: boolean;
  /** Everything is accepted, nothing is answered, not even a ping. */
  readonly hang: boolean;
  /** Each request is answered with a connection reset. */
  readonly reset: boolean;
  /** Each request is answered with this HTTP status (over WebSocket: with an error). */
  readonly status: number | undefined;
  readonly retryAfterSec: number | undefined;
  /** Each request is answered with HTTP 200 and this JSON-RPC error. */
  readonly rpcError: { readonly code: number; readonly message: string } | undefined;
  /** Each request is answered with bytes that are no JSON. */
  readonly garbage: boolean;
  /** Answers break off in the middle. */
  readonly truncate: boolean;
  /** Share of the requests that the faults above strike, 0..1. */
  readonly ratio: number;
  /** Methods that they strike; undefined means all. */
  readonly methods: readonly string[] | undefined;
  /** Chain id that is told instead of the node's. */
  readonly wrongChainId: number | undefined;
  /** Height beyond which this provider knows of no block. */
  readonly staleHead: number | undefined;
  /** Subscription events are swallowed while calls are answered. */
  readonly muteEvents: boolean;
}

/** A fault that strikes one request. */
export type RequestFault = "hang" | "reset" | "status" | "garbage" | "rpcError" | "truncate";

/** One call as far as a proxy looks into it. */
export interface SeenCall {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
}

const PERFECT: FaultSettings = {
  latencyMs: 0,
  jitterMs: 0,
  down: false,
  hang: false,
  reset: false,
  status: undefined,
  retryAfterSec: undefined,
  rpcError: undefined,
  garbage: false,
  truncate: false,
  ratio: 1,
  methods: undefined,
  wrongChainId: undefined,
  staleHead: undefined,
  muteEvents: false,
};

/** The live settings of one proxy with its seeded chance and its call counts. */
export class FaultState {
  settings: FaultSettings = PERFECT;
  wsCalls = 0;
  readonly calls = new Map<string, number>();
  #random: number;

  constructor(seed: number) {
    this.#random = seed >>> 0;
  }

  /** Changes some settings and leaves the others. */
  set(change: Partial<FaultSettings>): void {
    this.settings = { ...this.settings, ...change };
  }

  /** Back to perfect. */
  heal(): void {
    this.settings = PERFECT;
  }

  /** The delay of the next answer or event, ms. */
  delayMs(): number {
    const { latencyMs, jitterMs } = this.settings;
    return jitterMs === 0 ? latencyMs : latencyMs + this.#chance() * jitterMs;
  }

  /** Counts a request, decides its fault and gives the bytes that go to the node. */
  receive(body: Buffer): { body: Buffer; fault: RequestFault | undefined } {
    const calls = callsOf(parse(body));
    for (const { method } of calls) {
      if (typeof method === "string") this.#count(method);
    }
    const fault = this.#fault(calls);
    const height = this.settings.staleHead;
    if (height === undefined || fault !== undefined) return { body, fault };
    const parsed = parse(body);
    const pinned = Array.isArray(parsed)
      ? parsed.map((call: SeenCall) => pinCall(call, height))
      : pinCall(parsed as SeenCall, height);
    return { body: Buffer.from(JSON.stringify(pinned)), fault };
  }

  /** The answer as the client is to see it; unchanged bytes unless a setting says otherwise. */
  rewriteAnswer(request: Buffer, answer: Buffer): Buffer {
    const { wrongChainId, staleHead } = this.settings;
    if (wrongChainId === undefined && staleHead === undefined) return answer;
    const methods = new Map(callsOf(parse(request)).map((call) => [call.id, String(call.method)]));
    const parsed = parse(answer);
    const one = (item: unknown): unknown => {
      if (typeof item !== "object" || item === null || !("result" in item)) return item;
      const { id, result } = item as { id?: unknown; result: unknown };
      return { ...item, result: this.#rewriteResult(methods.get(id), result) };
    };
    return Buffer.from(JSON.stringify(Array.isArray(parsed) ? parsed.map(one) : one(parsed)));
  }

  /** Whether a subscription event is to be swallowed. */
  swallows(event: Buffer): boolean {
    const { muteEvents, staleHead } = this.settings;
    if (muteEvents) return true;
    if (staleHead === undefined) return false;
    const { params } = parse(event) as {
      params?: { result?: { number?: string; blockNumber?: string } };
    };
    const height = params?.result?.number ?? params?.result?.blockNumber;
    return height !== undefined && Number(height) > staleHead;
  }

  /** The body of an answer that refuses every call of a request. */
  refusal(request: Buffer): string {
    const refuse = ({ id }: SeenCall): unknown => ({
      jsonrpc: "2.0",
      id: id ?? null,
      error: this.settings.rpcError ?? { code: -32005, message: "refused on demand" },
    });
    const parsed = parse(request);
    return JSON.stringify(
      Array.isArray(parsed)
        ? parsed.map((call: SeenCall) => refuse(call))
        : refuse(parsed as SeenCall),
    );
  }

  #fault(calls: readonly SeenCall[]): RequestFault | undefined {
    const { settings } = this;
    if (settings.hang) return "hang";
    const kind = struck(settings);
    if (kind === undefined) return undefined;
    const { methods, ratio } = settings;
    if (methods !== undefined && !calls.some(({ method }) => methods.includes(String(method)))) {
      return undefined;
    }
    return ratio >= 1 || this.#chance() < ratio ? kind : undefined;
  }

  #rewriteResult(method: string | undefined, result: unknown): unknown {
    const { wrongChainId, staleHead } = this.settings;
    if (wrongChainId !== undefined) {
      if (method === "eth_chainId") return `0x${wrongChainId.toString(16)}`;
      if (method === "net_version") return String(wrongChainId);
    }
    if (staleHead === undefined) return result;
    if (method === "eth_blockNumber") return `0x${staleHead.toString(16)}`;
    const height = heightIn(result);
    if (height !== undefined && height > staleHead) return null;
    if (method !== "eth_getLogs" || !Array.isArray(result)) return result;
    return result.filter((log) => (heightIn(log) ?? 0) <= staleHead);
  }

  #count(method: string): void {
    if (this.calls.size >= METHOD_LIMIT && !this.calls.has(method)) return;
    this.calls.set(method, (this.calls.get(method) ?? 0) + 1);
  }

  /** mulberry32, a 32-bit generator of 6 lines. */
  #chance(): number {
    this.#random = (this.#random + 0x6d2b79f5) >>> 0;
    let t = this.#random;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  }
}

/** JSON or undefined; what is no JSON is the node's business. */
function parse(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString());
  } catch {
    return undefined;
  }
}

function callsOf(parsed: unknown): readonly SeenCall[] {
  const list = Array.isArray(parsed) ? (parsed as unknown[]) : [parsed];
  return list.filter((item): item is SeenCall => typeof item === "object" && item !== null);
}

function struck(settings: FaultSettings): RequestFault | undefined {
  if (settings.reset) return "reset";
  if (settings.status !== undefined) return "status";
  if (settings.rpcError !== undefined) return "rpcError";
  if (settings.garbage) return "garbage";
  return settings.truncate ? "truncate" : undefined;
}

/** The call with every tag that means the newest block replaced by a height. */
function pinCall(call: SeenCall, height: number): SeenCall {
  const position = TAG_POSITIONS.get(String(call.method));
  if (position === undefined || !Array.isArray(call.params)) return call;
  const params = [...(call.params as unknown[])];
  const tag = params[position];
  if (call.method === "eth_getLogs") {
    const filter = tag as { toBlock?: unknown; blockHash?: unknown };
    if (filter.blockHash === undefined && isNewest(filter.toBlock)) {
      params[position] = { ...filter, toBlock: `0x${height.toString(16)}` };
    }
  } else if (isNewest(tag)) {
    params[position] = `0x${height.toString(16)}`;
  }
  return { ...call, params };
}

function isNewest(tag: unknown): boolean {
  return tag === undefined || tag === null || tag === "latest" || tag === "pending";
}

function heightIn(result: unknown): number | undefined {
  if (typeof result !== "object" || result === null) return undefined;
  const { number, blockNumber } = result as { number?: unknown; blockNumber?: unknown };
  const height = number ?? blockNumber;
  return typeof height === "string" ? Number(height) : undefined;
}

const TAG_POSITIONS = new Map([
  ["eth_getBlockByNumber", 0],
  ["eth_getBlockReceipts", 0],
  ["eth_getLogs", 0],
  ["eth_getBalance", 1],
  ["eth_getCode", 1],
  ["eth_getTransactionCount", 1],
  ["eth_call", 1],
  ["eth_getStorageAt", 2],
]);
/** Methods counted; a client that invents names must not grow the map. */
const METHOD_LIMIT = 256;
