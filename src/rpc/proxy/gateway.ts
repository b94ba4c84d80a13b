/** The request path as one object: what the listeners call and what the clock drives. */
import type { EndpointRow } from "../chain-view.ts";
import { Engine } from "./engine.ts";
import { HttpFront } from "./http-front.ts";
import type { GatewayDeps } from "./ports.ts";
import { StallRule } from "./stall-rule.ts";

/** The gateway of one program. */
export class Gateway {
  readonly engine: Engine;
  readonly http: HttpFront;
  readonly #stall = new StallRule();

  constructor(deps: GatewayDeps) {
    this.engine = new Engine(deps);
    this.http = new HttpFront(this.engine);
  }

  /** Calls that wait for a provider now. */
  get inFlight(): number {
    return this.engine.inFlight;
  }

  /** Runs deadlines out and looks for frozen providers; call it every 5 ms (`TICK_MS`). */
  tick(): void {
    const { engine } = this;
    engine.wheel.advance(engine.now());
    if (engine.inFlight === 0) return;
    this.#stall.tick(
      (visit) => {
        engine.eachAttempt((attempt) => {
          if (attempt.owner.isCheap && !attempt.isStreaming) visit(attempt.row);
        });
      },
      () => 0,
      (row) => this.#suspect(row),
    );
  }

  #suspect(row: EndpointRow): void {
    const { engine } = this;
    row.suspect = true;
    engine.eachAttempt((attempt) => {
      if (attempt.row === row) attempt.owner.onStalled(attempt);
    });
  }
}
