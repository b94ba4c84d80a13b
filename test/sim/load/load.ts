/** The readers of the simulation: a steady load per chain, spikes, and the promise made to each. */
import { seededRandom } from "../../../src/lib/random.ts";
import { LIE_PREFIX } from "../../../src/rpc/fake/provider.ts";
import { methodInfo } from "../../../src/rpc/json-rpc/methods.ts";
import type { Link } from "../world/link.ts";
import type { SimWorld } from "../world/world.ts";
import { keptFault } from "./kept.ts";
import { faultOf, ReplyBox, requestOf, type SimCall, type SimRequest } from "./reader.ts";

/** Methods that change nothing, in the proportions of a wallet. */
const READS: readonly SimCall[] = [
  { method: "eth_gasPrice", params: [] },
  { method: "eth_blockNumber", params: [] },
  { method: "eth_getBalance", params: [`0x${"11".repeat(20)}`, "latest"] },
  { method: "eth_getBlockByNumber", params: ["latest", false] },
  { method: "eth_chainId", params: [] },
];
/** Read where a quorum guards it: nobody promises an answer, but a lie must never be one. */
const GUARDED: SimCall = {
  method: "eth_getTransactionCount",
  params: [`0x${"11".repeat(20)}`, "latest"],
};
const GUARDED_SHARE = 0.3;
const WRITE: SimCall = { method: "eth_sendRawTransaction", params: ["0xdeadbeef"] };
const WRITE_SHARE = 0.02;
const MAX_BATCH = 6;
/**
 * After this time without a fault a provider is one that a caller may count on: a breaker that was
 * reopened four times rests for 16 times its second, and 5 % more, before it is tried.
 */
const SETTLED_MS = 20_000;
/** A provider that has just turned bad, or is always a little so, costs an attempt; there are three. */
const FRESH_MS = 10_000;
const MAX_UNRELIABLE = 2;
/** Chains whose records were lost start as they did at first: their providers are asked who they are. */
const RESTART_MS = 4_000;

/** All readers. */
export class Load {
  readonly requests: SimRequest[] = [];
  readonly #world: SimWorld;
  readonly #chance: () => number;
  /** Of its own: a read under a quorum leaves all other draws alone. */
  readonly #guardedChance: () => number;
  readonly #open = new Set<SimRequest>();
  #isRunning = false;

  constructor(world: SimWorld) {
    this.#world = world;
    this.#chance = seededRandom(world.plan.seed ^ 0x10ad);
    this.#guardedChance = seededRandom(world.plan.seed ^ 0x90a2d);
  }

  /** Requests that are neither answered nor given up. */
  get open(): ReadonlySet<SimRequest> {
    return this.#open;
  }

  /** Starts the steady load on every chain. */
  start(): void {
    const { plan, agenda } = this.#world;
    this.#isRunning = true;
    for (const chain of [...plan.chains.map(({ name }) => name), "late"]) {
      const everyMs = chain === "late" ? 500 : plan.load.everyMs;
      const hasQuorum = plan.chains.find(({ name }) => name === chain)?.hasQuorum === true;
      const next = (): void => {
        if (!this.#isRunning) return;
        this.#askOne(chain);
        if (hasQuorum && this.#guardedChance() < GUARDED_SHARE) this.#askGuarded(chain);
        agenda.after(everyMs * (0.5 + this.#chance()), next);
      };
      agenda.after(everyMs * this.#chance(), next);
    }
  }

  stop(): void {
    this.#isRunning = false;
  }

  /** Many requests at once. */
  spike(chain: string, count: number): void {
    for (let n = 0; n < count; n += 1) {
      this.ask(chain, [READS[n % READS.length] as SimCall], (request) => {
        if (request.isOk) this.#world.tally.count("spike.answered");
      });
    }
  }

  /** One request; `done` hears of its first answer. */
  ask(
    chain: string,
    calls: readonly SimCall[],
    done: (request: SimRequest) => void = () => {},
  ): ReplyBox {
    const world = this.#world;
    const askedAtMs = world.node.nowMs();
    const methods = calls.map(({ method }) => method);
    const request: SimRequest = {
      n: this.requests.length + 1,
      chain,
      methods,
      askedAtMs,
      deadlineMs: askedAtMs + Math.max(...calls.map(({ method }) => methodInfo(method).totalMs)),
      hasLeft: false,
      answers: 0,
      answeredAtMs: undefined,
      isOk: false,
      detail: undefined,
      isPromised: false,
      isLie: false,
      keptFault: undefined,
    };
    this.requests.push(request);
    this.#open.add(request);
    const box: ReplyBox = new ReplyBox((text) => {
      request.answers += 1;
      if (request.answers > 1) return;
      this.#open.delete(request);
      request.answeredAtMs = world.node.nowMs();
      request.detail = faultOf(text, calls.length);
      request.isOk = request.detail === undefined;
      request.isLie = methods.includes(GUARDED.method) && text?.includes(LIE_PREFIX) === true;
      request.isPromised = this.#isPromised(request);
      const [only] = calls;
      if (box.served === "HIT" && calls.length === 1 && only !== undefined) {
        world.tally.count("cache.hit");
        request.keptFault = keptFault(world.chain(chain), only, text);
      }
      world.trace.line(request.answeredAtMs, `answer ${request.n} ${chain}`, {
        methods: request.methods,
        text: text?.slice(0, 200),
      });
      done(request);
    });
    world.gateway.http.handle(requestOf(chain, calls), box);
    return box;
  }

  /** A client hangs up, unless it has its answer. */
  leave(request: SimRequest, box: ReplyBox): void {
    if (!box.isOpen) return;
    request.hasLeft = true;
    this.#open.delete(request);
    box.leave();
  }

  /** Whether a chain has a provider, since `sinceMs` and long before, that a caller may count on. */
  hasGood(chain: string, sinceMs: number): boolean {
    const { links, config } = this.#world;
    return links.some(
      (link) => link.chain === chain && !config.absent.has(link.name) && isGood(link, sinceMs),
    );
  }

  #askGuarded(chain: string): void {
    this.ask(chain, [GUARDED], ({ isOk }) => {
      if (isOk) this.#world.tally.count("guarded.answered");
    });
  }

  #askOne(chain: string): void {
    const { load } = this.#world.plan;
    const chance = this.#chance;
    const size = chance() < load.batchShare ? 2 + Math.floor(chance() * (MAX_BATCH - 1)) : 1;
    const calls = Array.from({ length: size }, () => {
      if (chance() < WRITE_SHARE) return WRITE;
      return this.#numbered(chain, READS[Math.floor(chance() * READS.length)] as SimCall);
    });
    const leaves = chance() < load.leaveShare;
    const box = this.ask(chain, calls, (request) => {
      if (chain === "late" && request.isOk) this.#world.tally.count("late.answered");
    });
    const request = this.requests.at(-1) as SimRequest;
    if (!leaves) return;
    this.#world.agenda.after(1 + chance() * 20, () => this.leave(request, box));
  }

  /** Two of three readers of a block ask for one of the last by its number. */
  #numbered(chain: string, call: SimCall): SimCall {
    const tip = this.#world.chain(chain)?.head?.number;
    const turn = this.requests.length % 3;
    if (call.method !== "eth_getBlockByNumber" || turn === 0 || tip === undefined) return call;
    return { ...call, params: [`0x${Math.max(0, tip - turn).toString(16)}`, false] };
  }

  /** Whether a settled provider was within reach all the time, and the others did not all fail at once. */
  #isPromised({ chain, methods, askedAtMs }: SimRequest): boolean {
    if (methods.includes(WRITE.method) || methods.includes(GUARDED.method)) return false;
    const { links, config, record } = this.#world;
    // Judged at its answer: what was lost before it was asked, or while it waited.
    if (record.losses.some((atMs) => atMs + RESTART_MS > askedAtMs)) return false;
    let fresh = 0;
    let flaky = 0;
    for (const link of links) {
      if (link.chain !== chain || config.absent.has(link.name)) continue;
      if (link.turnedBadMs > askedAtMs - FRESH_MS) fresh += 1;
      else if (!link.isSteady) flaky += 1;
    }
    return this.hasGood(chain, askedAtMs) && (fresh === 0 || fresh + flaky <= MAX_UNRELIABLE);
  }
}

const isGood = (link: Link, sinceMs: number): boolean =>
  link.isSteady && !link.isBad && link.turnedGoodMs < sinceMs - SETTLED_MS;
