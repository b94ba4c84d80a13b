/** Asks suspect endpoints once a second whether they live again; an answer readmits them. */
import type { EndpointRow } from "../../chain-view.ts";
import { ID_WIDTH } from "../../json-rpc/upstream-id.ts";
import type { ChainView, UpstreamCall, UpstreamFailure, UpstreamHandler } from "../ports.ts";

/** Time between two questions to one endpoint. */
const INTERVAL_MS = 1000;

/** The shared ids of the request path. */
interface IdSource {
  readonly ids: { next(): number };
}

/** The endpoints that the stall rule has set aside. */
export class SuspectProbes {
  readonly #engine: IdSource;
  readonly #probes = new Map<EndpointRow, Probe>();

  constructor(engine: IdSource) {
    this.#engine = engine;
  }

  /** Endpoints that are asked. */
  get size(): number {
    return this.#probes.size;
  }

  /** Starts to ask after `row`; the first question leaves at once. */
  add(chain: ChainView, row: EndpointRow, nowMs: number): void {
    if (this.#probes.has(row)) return;
    const probe = new Probe(chain, row);
    this.#probes.set(row, probe);
    probe.ask(this.#engine.ids.next(), nowMs);
  }

  /** Asks again where it is due. */
  tick(nowMs: number): void {
    if (this.#probes.size === 0) return;
    for (const [row, probe] of this.#probes) {
      if (probe.isAlive) row.suspect = false;
      if (!row.suspect) {
        probe.stop();
        this.#probes.delete(row);
      } else if (nowMs - probe.askedAtMs >= INTERVAL_MS) {
        probe.ask(this.#engine.ids.next(), nowMs);
      }
    }
  }
}

/** The question to one endpoint. */
class Probe implements UpstreamHandler {
  isAlive = false;
  askedAtMs = 0;
  readonly #chain: ChainView;
  readonly #row: EndpointRow;
  #call: UpstreamCall | undefined;

  constructor(chain: ChainView, row: EndpointRow) {
    this.#chain = chain;
    this.#row = row;
  }

  /** A new question replaces one that nobody answered. */
  ask(id: number, nowMs: number): void {
    this.stop();
    this.askedAtMs = nowMs;
    const upstream = this.#chain.upstream(this.#row);
    if (upstream === undefined) {
      // The channel is gone and a new one starts without suspicion.
      this.isAlive = true;
      return;
    }
    const token = String(id).padStart(ID_WIDTH, "0");
    const body = Buffer.from(
      `{"jsonrpc":"2.0","id":${token},"method":"eth_blockNumber","params":[]}`,
    );
    this.#call = upstream.send(body, id, this);
  }

  stop(): void {
    this.#call?.abort();
    this.#call = undefined;
  }

  onHead(): void {
    // One that drips its answers is as good as frozen: the whole of it has to come.
  }

  onData(): boolean {
    return true;
  }

  onEnd(): void {
    // Any answer shows that the process runs; what it says is for the next call to find out.
    this.isAlive = true;
  }

  onFailure(_failure: UpstreamFailure): void {
    // A refusal is the breaker's matter: it shows in the next call, which fails at once.
    this.isAlive = true;
  }
}
