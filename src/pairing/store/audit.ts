/**
 * Which pairings are kept for the audit trail, and how one is made again: a request, the version of the
 * market, the seed and the weights at that time give the same result, byte for byte.
 */
import type { PairingMarket } from "../market.ts";
import type { PairingResult, PairRequest, Reply, ScoringView } from "../protocol.ts";
import { parseRequest } from "../request.ts";
import { lasting, wirePolicy } from "../rest/wire.ts";
import type { StoredRanking } from "./pairing-store.ts";
import type { RankingWrite } from "./writes.ts";

/** What the trail is made with. */
export interface AuditOptions {
  /** One pairing in so many is kept besides those answered with an explanation; 0 keeps only these. */
  readonly oneIn: number;
  readonly newId: () => string;
  readonly wallNow: () => number;
  /** What a request of a market does not say, and the profiles as they are now. */
  readonly market: (name: string) => Pick<PairingMarket, "plans" | "scoring"> | undefined;
  readonly keep: (write: RankingWrite) => void;
}

/** Chooses and words what is kept. */
export class AuditTrail {
  readonly #options: AuditOptions;
  #seen = 0;

  constructor(options: AuditOptions) {
    this.#options = options;
  }

  /** Keeps a pairing if it is one to be kept; answers its id then. */
  note(market: string, request: PairRequest, result: PairingResult): string | undefined {
    const isSampled = this.#isNext();
    if (request.explain === true) return this.#keep("explain", market, request, result);
    return isSampled ? this.#keep("sample", market, request, result) : undefined;
  }

  /** Keeps a pairing of many if it is one of the sample, whether it was explained or not. */
  sample(market: string, request: PairRequest, result: PairingResult): void {
    if (result.error === null && this.#isNext()) this.#keep("sample", market, request, result);
  }

  #isNext(): boolean {
    const { oneIn } = this.#options;
    return oneIn > 0 && ++this.#seen % oneIn === 0;
  }

  #keep(
    reason: RankingWrite["reason"],
    market: string,
    request: PairRequest,
    result: PairingResult,
  ): string | undefined {
    const { newId, wallNow, keep } = this.#options;
    const found = this.#options.market(market);
    if (found === undefined) return undefined;
    const whole = { ...found.plans.defaults, ...request };
    const scoring = found.scoring().find(({ name }) => name === whole.profile);
    const id = newId();
    keep({
      kind: "ranking",
      id,
      market,
      atMs: wallNow(),
      reason,
      version: result.version,
      request: JSON.stringify({ ...whole, policy: wirePolicy(request.policy) }),
      seed: String(request.seed ?? 0),
      scoring: JSON.stringify(scoring ?? null),
      result: JSON.stringify(lasting(result)),
    });
    return id;
  }
}

/** What making a pairing again found. */
export interface Again {
  readonly isEqual: boolean;
  readonly result: PairingResult;
}

/**
 * Makes a stored pairing again on a market that holds what it held at that version. What it needs is
 * made first, so many steps of 20 ns at a time: a market of a million would hold the loop for long.
 */
export async function pairAgain(
  stored: StoredRanking,
  market: PairingMarket,
  yieldTurn: () => Promise<void>,
): Promise<Reply<Again>> {
  const request = parseRequest(JSON.parse(stored.request));
  if (!request.ok) return unplayable("its request is not understood any more");
  const scoring = JSON.parse(stored.scoring) as ScoringView | null;
  if (scoring !== null) {
    const set = market.setWeights(scoring.name, scoring.scorers);
    if (!set.ok) return unplayable(set.refusal.message);
  }
  market.begin(request.value);
  // oxlint-disable-next-line no-await-in-loop -- that is what steps are for
  while (market.store.index.derived.advance(MAKE_STEPS)) await yieldTurn();
  const result = market.pair(request.value);
  if (!result.ok) return unplayable(result.refusal.message);
  const isEqual = JSON.stringify(lasting(result.value)) === stored.result;
  return { ok: true, value: { isEqual, result: result.value } };
}

/** Steps between two looks at other work: some milliseconds. */
const MAKE_STEPS = 20_000;

const unplayable = (why: string): Reply<never> => ({
  ok: false,
  refusal: { code: "PAIRING_NOT_REPLAYABLE", message: `it cannot be made again: ${why}` },
});
