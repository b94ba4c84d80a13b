/**
 * What clients have been told to be the latest block, per chain: `eth_blockNumber` never goes back,
 * whichever provider answers it, unless most providers confirm that the chain did.
 */
import type { HeadView } from "../chain-view.ts";
import { highestPossible } from "../head/head-truth.ts";
import type { ChainView } from "../proxy/ports.ts";

interface Served {
  number: number;
  readonly falls: number;
}

/** The heights that one process has served; a chain that is gone takes its own with it. */
export class ServedHeights {
  readonly #served = new WeakMap<ChainView, Served>();

  /** The latest block that clients may be told of: the tip, or what they know already. */
  latest(chain: ChainView): number {
    const { head } = chain;
    return head === undefined ? -1 : this.#raise(chain, head, head.number);
  }

  /**
   * What a client is told when a provider answered `number`. An answer further ahead than the chain
   * can be is not believed, as long as there is somebody else to ask.
   */
  judge(chain: ChainView, number: number, nowMs: number): number {
    const { head, snapshot } = chain;
    if (head === undefined) return number;
    const isOnly = snapshot !== undefined && snapshot.endpoints.length <= 1;
    const isTooFar = !isOnly && number > highestPossible(head, head.blockTimeMs, nowMs);
    return this.#raise(chain, head, isTooFar ? head.number : number);
  }

  #raise(chain: ChainView, head: HeadView, number: number): number {
    const { falls = 0 } = head;
    let served = this.#served.get(chain);
    // Once the chain went back, what was told before may exist no more.
    if (served?.falls !== falls) {
      served = { number: head.number, falls };
      this.#served.set(chain, served);
    }
    served.number = Math.max(served.number, head.number, number);
    return served.number;
  }
}

/** Whether the tip is young enough to be the answer: a further block is hardly due. */
export const isFresh = (head: HeadView, nowMs: number): boolean =>
  nowMs - head.atMs < head.blockTimeMs;
