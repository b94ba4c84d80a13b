/**
 * At most one holder of something in the whole cluster, as far as anybody acts on it: a lease with a
 * fencing token (Kleppmann, "How to do distributed locking", 2016).
 *
 * A lease alone cannot keep two holders apart: one may be frozen while its lease runs out, and the
 * server may come back empty. Whoever acts on a holder's word therefore keeps a `Fence`: it takes a
 * token only when it is higher than all before it, or the same by the same holder.
 *
 * Only `actors/cluster/singleton.ts` takes leases, which nothing runs under yet.
 */

/** What a holder shows with everything that it orders. */
export interface Token {
  readonly number: number;
  readonly holder: string;
}

/**
 * KEYS: the lease, the counter. ARGV: the holder's number, the lease in ms, the highest token that the
 * caller has seen, which saves a counter that was lost. Returns {token, 1} to the holder, else {token, 0}.
 * A holder is named by an integer, for scripts return nothing else.
 */
export const ACQUIRE_SCRIPT = `
local held = redis.call("GET", KEYS[1])
if held then
  local holder, token = string.match(held, "^(%d+):(%d+)$")
  if holder == ARGV[1] then
    redis.call("PEXPIRE", KEYS[1], ARGV[2])
    return {tonumber(token), 1}
  end
  if holder then return {tonumber(token), 0} end
end
local token = math.max(tonumber(redis.call("GET", KEYS[2]) or "0") or 0, tonumber(ARGV[3])) + 1
redis.call("SET", KEYS[2], string.format("%d", token))
redis.call("SET", KEYS[1], string.format("%s:%d", ARGV[1], token), "PX", ARGV[2])
return {token, 1}
`;

/** KEYS, ARGV[1]: as above; ARGV[2]: the token. Ends a lease that is still this holder's. */
export const RELEASE_SCRIPT = `
if redis.call("GET", KEYS[1]) == string.format("%s:%s", ARGV[1], ARGV[2]) then
  return {redis.call("DEL", KEYS[1])}
end
return {0}
`;

/** What came of asking for a lease. */
export interface LeaseAnswer {
  /** The holder's token, whoever that is. */
  readonly number: number;
  readonly isOurs: boolean;
}

/** Where leases are kept. */
export interface LeaseStore {
  /** Names this host as a holder; drawn at each start. */
  readonly holder: string;
  /** Takes or renews a lease; undefined when no answer came in time. `seen` is the highest known token. */
  acquire(
    name: string,
    leaseMs: number,
    seen: number,
    done: (answer: LeaseAnswer | undefined) => void,
  ): void;
  /** Ends a lease at once, if it is still ours. */
  release(name: string, token: number): void;
}

/** What runs scripts in the store that regions share. */
export interface LeaseScripts {
  run(
    script: string,
    keys: readonly string[],
    args: readonly (string | number)[],
    done: (numbers: readonly number[] | undefined) => void,
  ): void;
}

/** Holders are numbered, for scripts return integers; so many are drawn from. */
const HOLDERS = 2 ** 48;

/** Leases in Redis. Whoever waits for an answer waits no longer than `redis.timeout`. */
export const leasesIn = (scripts: LeaseScripts, random: () => number): LeaseStore => {
  const holder = String(Math.floor(random() * HOLDERS));
  return {
    holder,
    acquire: (name, leaseMs, seen, done) => {
      const args = [holder, Math.ceil(leaseMs), seen];
      scripts.run(ACQUIRE_SCRIPT, keysOf(name), args, (numbers) => {
        const [number, isOurs] = numbers ?? [];
        done(number === undefined ? undefined : { number, isOurs: isOurs === 1 });
      });
    },
    release: (name, token) => {
      scripts.run(RELEASE_SCRIPT, keysOf(name), [holder, token], () => undefined);
    },
  };
};

/** Both lie at the same node of a Redis Cluster: the part in braces decides. */
const keysOf = (name: string): readonly string[] => [
  `singleton:{${name}}:lease`,
  `singleton:{${name}}:token`,
];

/** Accepts the orders of one holder at a time. */
export class Fence {
  #highest: Token | undefined;

  /** The highest token that was accepted. */
  get highest(): number {
    return this.#highest?.number ?? 0;
  }

  /** Whether an order under this token may be carried out. */
  accepts(token: Token): boolean {
    const known = this.#highest;
    if (known !== undefined) {
      if (token.number < known.number) return false;
      if (token.number === known.number) return token.holder === known.holder;
    }
    this.#highest = token;
    return true;
  }
}

/** How long a holder may act by its own clock: from before it asked, less a margin for its drift. */
export const holdsUntilMs = (askedAtMs: number, leaseMs: number): number =>
  askedAtMs + leaseMs * (1 - DRIFT_SHARE);

/** Clocks of two machines may run apart by so much. */
const DRIFT_SHARE = 0.1;
