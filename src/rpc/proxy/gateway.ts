/** The request path as one object: what the listeners call and what the clock drives. */
import type { GateConfig } from "../clients/client-gate.ts";
import type { EndpointRow } from "../chain-view.ts";
import { Engine } from "./engine.ts";
import { Explainer } from "./explainer.ts";
import { HttpFront } from "./front/http-front.ts";
import type { ChainView, GatewayDeps } from "./ports.ts";
import { patience, StallRule } from "./attempt/stall-rule.ts";
import { SuspectProbes } from "./attempt/suspect-probes.ts";
import { WsFront } from "./front/ws-front.ts";

/** The gateway of one program. */
export class Gateway {
  readonly engine: Engine;
  readonly http: HttpFront;
  readonly ws: WsFront;
  readonly explainer: Explainer;
  readonly #stall = new StallRule();
  readonly #probes: SuspectProbes;

  constructor(deps: GatewayDeps) {
    this.engine = new Engine(deps);
    this.http = new HttpFront(this.engine);
    this.ws = new WsFront(this.engine);
    this.explainer = new Explainer(this.engine);
    this.#probes = new SuspectProbes(this.engine);
  }

  /** Calls that wait for a provider now. */
  get inFlight(): number {
    return this.engine.inFlight;
  }

  /** Who may call, and how much, from now on; clients of keys that are gone are closed. */
  configure(config: GateConfig): void {
    this.engine.gate.configure(config);
    this.ws.closeRevoked();
  }

  /** So large a share of memory is in use; call it about once a second. */
  useMemory(share: number): void {
    const { memory, deps } = this.engine;
    const from = memory.relief;
    if (memory.look(share)) deps.emit("rpc.memory.relief", { from, to: memory.relief, share });
    const { cache } = deps;
    if (cache === undefined) return;
    cache.isShut = memory.gaveUp("cache");
    if (cache.isShut) cache.drop();
  }

  /** Nothing is under way that `tick` could end; what is left for it can wait. */
  get isResting(): boolean {
    const { wheel, inFlight, gate } = this.engine;
    return wheel.size === 0 && inFlight === 0 && this.#probes.size === 0 && gate.isIdle;
  }

  /** `wake` is called when its rest is over. */
  onWake(wake: () => void): void {
    this.engine.wheel.onFirst = wake;
  }

  /**
   * Runs deadlines out and looks for frozen providers; call it every 5 ms (`TICK_MS`), and now and then
   * while it rests.
   */
  tick(): void {
    const { engine } = this;
    const nowMs = engine.now();
    engine.wheel.advance(nowMs);
    this.#probes.tick(nowMs);
    engine.gate.tick(nowMs);
    if (engine.inFlight === 0) return;
    this.#stall.tick(
      (visit) => {
        engine.attempts.each((attempt) => {
          if (attempt.owner.isCheap && !attempt.isStreaming) visit(attempt.row);
        });
      },
      (row) => this.#patienceMs(row),
      (row) => this.#suspect(row, nowMs),
    );
  }

  /** How long this endpoint may be silent, as its attempts in flight know it from evidence. */
  #patienceMs(row: EndpointRow): number {
    let patienceMs = 0;
    this.engine.attempts.each((attempt) => {
      if (attempt.row !== row) return;
      patienceMs = Math.max(patienceMs, patience(attempt.usualMs, attempt.medianMs));
    });
    return patienceMs;
  }

  #suspect(row: EndpointRow, nowMs: number): void {
    const { engine } = this;
    let chain: ChainView | undefined;
    row.suspect = true;
    engine.attempts.each((attempt) => {
      if (attempt.row !== row) return;
      chain = attempt.owner.chainView;
      attempt.owner.onStalled(attempt);
    });
    if (chain !== undefined) this.#probes.add(chain, row, nowMs);
  }
}
