/**
 * The mind of one fake provider: bytes and time in, replies out. It owns no socket and no timer; a
 * driver (src/io/fake-provider.ts) or a simulation carries its replies out.
 */
import { answerCall, type NodeView, type RpcAnswer } from "./answers.ts";
import type { FakeChain } from "./chain.ts";
import { FaultDice, type FaultProfile, type FaultVerdict } from "./faults.ts";
import { nameSeed, noiseRatio } from "./noise.ts";
import { FakeSession } from "./session.ts";

/** What a fake provider is made from. */
export interface FakeProviderOptions {
  readonly id: string;
  readonly chain: FakeChain;
  readonly faults: FaultProfile;
  readonly seed: number;
  /** Start of the world in the clock whose readings are passed later, ms. */
  readonly startMs: number;
}

/** What the driver does with one request. */
export type FakeReply =
  | { readonly kind: "hang" }
  | { readonly kind: "reset"; readonly delayMs: number }
  | {
      readonly kind: "body";
      readonly delayMs: number;
      readonly status: number;
      readonly retryAfterSec: number | undefined;
      readonly body: string;
      /** Bytes to send before the connection breaks, when the answer is to be cut short. */
      readonly cutAtBytes: number | undefined;
      /** Time over which the body trickles out, ms; 0 sends it at once. */
      readonly dripMs: number;
    };

/** One provider of a fake chain: view of the chain, faults, WebSocket sessions. */
export class FakeProvider {
  readonly id: string;
  readonly #options: FakeProviderOptions;
  readonly #dice: FaultDice;
  readonly #seed: number;
  readonly #sessions = new Set<FakeSession>();
  #opened = 0;

  constructor(options: FakeProviderOptions) {
    this.id = options.id;
    this.#options = options;
    this.#seed = nameSeed(options.seed, options.id);
    this.#dice = new FaultDice(options.faults, this.#seed, options.startMs);
  }

  /** Height of the newest block this provider tells of. */
  head(nowMs: number): number {
    const { timeline } = this.#options.chain;
    const newest = timeline.headAt(nowMs);
    const seen = nowMs < this.#visibleMs(newest) ? newest - 1 : newest;
    return Math.max(0, seen - (this.#options.faults.lagBlocks ?? 0));
  }

  /** Whether connections are to be refused and open ones closed. */
  isRefusing(nowMs: number): boolean {
    return this.#options.faults.outage?.style === "refuse" && this.#dice.isDown(nowMs);
  }

  /** Whether the provider is frozen: sockets stay open, nothing is said, pings go unanswered. */
  isSilent(nowMs: number): boolean {
    return this.#options.faults.outage?.style === "hang" && this.#dice.isDown(nowMs);
  }

  /** Answers one HTTP body. */
  answerHttp(text: string, nowMs: number): FakeReply {
    return this.#reply(text, nowMs, (call) => this.#answer(call, nowMs));
  }

  /** Opens a WebSocket session. */
  openSession(nowMs: number): FakeSession {
    const session = new FakeSession({
      chain: this.#options.chain,
      seed: this.#seed + ++this.#opened,
      head: this.head(nowMs),
      nowMs,
      headAt: (timeMs) => this.head(timeMs),
      isSilent: (timeMs) => this.isSilent(timeMs),
      reply: (text, timeMs, subscribe) =>
        this.#reply(text, timeMs, (call) => subscribe(call) ?? this.#answer(call, timeMs)),
    });
    this.#sessions.add(session);
    return session;
  }

  /** Forgets a session whose socket is gone. */
  closeSession(session: FakeSession): void {
    this.#sessions.delete(session);
  }

  /** When the driver should collect events or look at the outage again, ms. */
  nextWakeMs(nowMs: number): number {
    const next = this.head(nowMs) + 1 + (this.#options.faults.lagBlocks ?? 0);
    let wakeMs = Math.min(this.#visibleMs(next), this.#dice.nextOutageEdgeMs(nowMs));
    for (const session of this.#sessions) wakeMs = Math.min(wakeMs, session.nextPendingMs(nowMs));
    const dropMs = this.#options.faults.wsDropAfterMs;
    if (dropMs !== undefined) {
      for (const session of this.#sessions) wakeMs = Math.min(wakeMs, session.openedMs + dropMs);
    }
    return wakeMs;
  }

  /** Whether a session's connection has reached the age at which this provider cuts it. */
  isDropDue(session: FakeSession, nowMs: number): boolean {
    const dropMs = this.#options.faults.wsDropAfterMs;
    return dropMs !== undefined && nowMs >= session.openedMs + dropMs;
  }

  #visibleMs(number: number): number {
    const { headDelayMs = 0, headJitterMs = 0 } = this.#options.faults;
    const jitter = noiseRatio(this.#seed, TAG_HEAD, number) * headJitterMs;
    return this.#options.chain.timeline.bornMs(number) + headDelayMs + jitter;
  }

  #reply(text: string, nowMs: number, answer: (call: FakeCall) => RpcAnswer): FakeReply {
    const { verdict, delayMs } = this.#dice.next(nowMs);
    if (verdict.kind === "hang") return { kind: "hang" };
    if (verdict.kind === "reset") return { kind: "reset", delayMs };
    const told =
      verdict.kind === "lie" ? (call: FakeCall) => this.#lie(call, answer(call)) : answer;
    const body = verdict.kind === "status" ? STATUS_PAGE : answerText(text, verdict, told);
    return {
      kind: "body",
      delayMs,
      status: statusOf(verdict),
      retryAfterSec: "retryAfterSec" in verdict ? verdict.retryAfterSec : undefined,
      body: verdict.kind === "garbage" ? GARBAGE : body,
      cutAtBytes: verdict.kind === "truncate" ? Math.floor(body.length / 2) : undefined,
      dripMs: verdict.kind === "drip" ? DRIP_MS : 0,
    };
  }

  /** Another value for a state read: this provider's own, so that no two liars agree. */
  #lie({ method }: FakeCall, truth: RpcAnswer): RpcAnswer {
    if (!LIED_ABOUT.has(method) || !("result" in truth)) return truth;
    return { result: `${LIE_PREFIX}${(this.#seed >>> 0).toString(16)}` };
  }

  #answer(call: FakeCall, nowMs: number): RpcAnswer {
    const { chain, faults } = this.#options;
    const view: NodeView = {
      chain,
      nowMs,
      head: this.head(nowMs),
      isArchival: faults.isArchival ?? false,
      maxLogBlocks: faults.maxLogBlocks ?? 2_000,
      chainId: faults.wrongChainId ?? chain.timeline.chainId,
    };
    return answerCall(view, call.method, call.params);
  }
}

/** One parsed call. */
export interface FakeCall {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

/** The text of the answer to a single call or a batch. */
function answerText(
  text: string,
  verdict: FaultVerdict,
  answer: (call: FakeCall) => RpcAnswer,
): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return `{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}`;
  }
  const one = (raw: unknown): unknown => {
    const call = callOf(raw);
    if (call === undefined) {
      return { jsonrpc: "2.0", id: null, error: { code: -32600, message: "invalid request" } };
    }
    return { jsonrpc: "2.0", id: call.id ?? null, ...(refusal(verdict) ?? answer(call)) };
  };
  return JSON.stringify(Array.isArray(parsed) ? parsed.map(one) : one(parsed));
}

function callOf(raw: unknown): FakeCall | undefined {
  if (typeof raw !== "object" || raw === null) return undefined;
  const { id, method, params } = raw as { id?: unknown; method?: unknown; params?: unknown };
  if (typeof method !== "string") return undefined;
  return { id, method, params: Array.isArray(params) ? (params as unknown[]) : [] };
}

function statusOf(verdict: FaultVerdict): number {
  if (verdict.kind === "status") return verdict.status;
  return verdict.kind === "limited" && verdict.style === "status" ? 429 : 200;
}

function refusal(verdict: FaultVerdict): RpcAnswer | undefined {
  if (verdict.kind === "rpcError") {
    return { error: { code: -32603, message: "internal error: temporarily unavailable" } };
  }
  if (verdict.kind !== "limited") return undefined;
  const code = verdict.style === "body32005" ? -32005 : 429;
  return { error: { code, message: "Too many requests: rate limit exceeded" } };
}

/** How every lie begins, so that a test knows one when it sees it. */
export const LIE_PREFIX = "0x11e5";
const LIED_ABOUT: ReadonlySet<string> = new Set([
  "eth_getBalance",
  "eth_getTransactionCount",
  "eth_getStorageAt",
]);
const STATUS_PAGE = "<html><body>Bad day</body></html>";
const GARBAGE = '<!doctype html>{"jsonrpc":"2.0",\u0000"id":';
/** A dripping body takes this long; longer than any sane attempt timeout would be a hang. */
const DRIP_MS = 3_000;
const TAG_HEAD = 71;
