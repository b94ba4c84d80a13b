/** The writers of the simulation: each transaction is another one, some are sent twice, some left. */
import { seededRandom } from "../../../src/lib/random.ts";
import type { SimWorld } from "../world/world.ts";
import type { SimRequest } from "./reader.ts";

/** One transaction and the requests that sent it. */
export interface SimWrite {
  readonly raw: string;
  readonly requests: readonly SimRequest[];
}

const EVERY_MS = 350;
/** Share of transactions that are sent again within seconds, as nervous wallets do. */
const AGAIN_SHARE = 0.2;
const AGAIN_MS = 3_000;
const LEAVE_SHARE = 0.15;
const BYTES = 40;

/** All writers. */
export class Writers {
  readonly writes: SimWrite[] = [];
  readonly #world: SimWorld;
  readonly #chance: () => number;
  #isRunning = false;

  constructor(world: SimWorld) {
    this.#world = world;
    this.#chance = seededRandom(world.plan.seed ^ 0x3417e);
  }

  start(): void {
    const { plan, agenda } = this.#world;
    this.#isRunning = true;
    for (const { name } of plan.chains) {
      const next = (): void => {
        if (!this.#isRunning) return;
        this.#write(name);
        agenda.after(EVERY_MS * (0.5 + this.#chance()), next);
      };
      agenda.after(EVERY_MS * this.#chance(), next);
    }
  }

  stop(): void {
    this.#isRunning = false;
  }

  #write(chain: string): void {
    const raw = `0x02${Array.from({ length: BYTES }, () => this.#byte()).join("")}`;
    const requests = [this.#send(chain, raw)];
    this.writes.push({ raw, requests });
    if (this.#chance() >= AGAIN_SHARE) return;
    this.#world.agenda.after(this.#chance() * AGAIN_MS, () => {
      if (this.#isRunning) requests.push(this.#send(chain, raw));
    });
  }

  #send(chain: string, raw: string): SimRequest {
    const { load, agenda, tally } = this.#world;
    const call = { method: "eth_sendRawTransaction", params: [raw] };
    const box = load.ask(chain, [call], ({ isOk, detail }) => {
      tally.count(isOk ? "write.sent" : `write.${reasonOf(detail)}`);
    });
    const request = load.requests.at(-1) as SimRequest;
    if (this.#chance() < LEAVE_SHARE) {
      agenda.after(1 + this.#chance() * 20, () => load.leave(request, box));
    }
    return request;
  }

  #byte(): string {
    return Math.floor(this.#chance() * 256)
      .toString(16)
      .padStart(2, "0");
  }
}

const reasonOf = (detail = ""): string => /"reason":"(\w+)"/u.exec(detail)?.[1] ?? "refused";
