/**
 * Limits that hosts share through one store. The local buckets decide, so no call waits for the
 * store; what was admitted is told to it ten times a second in one step per caller, and it answers
 * how far all hosts together are ahead of the limit. Until that is made up for the caller waits on
 * every host. Over time all hosts together admit the rate; for a moment they may admit what each does
 * in one interval, and more than 10 s of it are forgiven. Without the store each host keeps the whole
 * limit by itself.
 */
import type { Caller } from "./caller.ts";
import type { CallerBook } from "./caller-book.ts";

/** Runs one small program inside the store, as one step; `src/io/redis/link.ts` satisfies it. */
export interface SharedScripts {
  readonly isUp: boolean;
  /** `done` gets the integers that the script returned, or undefined for late, lost and refused. */
  run(
    script: string,
    keys: readonly string[],
    args: readonly (string | number)[],
    done: (numbers: readonly number[] | undefined) => void,
  ): void;
}

/** Time between two reports of one host, ms. */
const SYNC_MS = 100;
/** Callers that one report names at most; the others come next time. */
const MAX_PER_SYNC = 100;
/** A store that counts further ahead than this is not believed, ms. */
const MAX_AHEAD_MS = 10_000;

/**
 * KEYS[1] holds when the bucket is full again, in microseconds of the store's clock (as in
 * `lib/rate-bucket.ts`). ARGV: what was used, a full bucket, the most it may be ahead, all in
 * microseconds. Returns how long callers must wait, in microseconds. What is no such number is none.
 */
export const ADVANCE_SCRIPT = `
local t = redis.call('TIME')
local now = t[1] * 1000000 + t[2]
local kept = redis.pcall('GET', KEYS[1])
if type(kept) == 'table' then redis.call('DEL', KEYS[1]) kept = nil end
local full = tonumber(kept or nil)
local span, most = tonumber(ARGV[2]), tonumber(ARGV[3])
if not full or full ~= full or full < now or full > now + span + most then full = now end
full = math.min(full + tonumber(ARGV[1]), now + span + most)
local ahead = full - now
redis.call('SET', KEYS[1], string.format('%.0f', full), 'PX', math.ceil(ahead / 1000) + 1000)
return { math.max(0, math.ceil(ahead - span)) }
`;

/** KEYS[1] counts units of one period. ARGV: units, lifetime in ms. Returns the sum of all hosts. */
export const COUNT_SCRIPT = `
local sum = redis.pcall('INCRBY', KEYS[1], ARGV[1])
if type(sum) == 'table' then
  redis.call('SET', KEYS[1], ARGV[1])
  sum = tonumber(ARGV[1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return { sum }
`;

const US_PER_MS = 1_000;
/** How long a period's count is kept: well beyond its end. */
const LIFETIME_MS = { day: 2 * 86_400_000, month: 40 * 86_400_000 } as const;

/** Tells the store, and hears from it. */
export class SharedLimits {
  readonly #scripts: SharedScripts | undefined;
  #dueAtMs = 0;
  #from = 0;

  constructor(scripts: SharedScripts | undefined) {
    this.#scripts = scripts;
  }

  /** Sends what was used since the last time. */
  tick(book: CallerBook, nowMs: number): void {
    if (this.#scripts === undefined || nowMs < this.#dueAtMs) return;
    this.#dueAtMs = nowMs + SYNC_MS;
    const busy = book.all.filter(({ unsharedCalls }) => unsharedCalls > 0);
    // The next report begins where this one ends, so that nobody is left out for good.
    const from = busy.length > MAX_PER_SYNC ? this.#from % busy.length : 0;
    const turn = [...busy.slice(from), ...busy.slice(0, from)].slice(0, MAX_PER_SYNC);
    this.#from = from + turn.length;
    for (const caller of turn) this.#share(this.#scripts, caller, nowMs);
  }

  #share(scripts: SharedScripts, caller: Caller, nowMs: number): void {
    const { unsharedCalls, unsharedUnits, config } = caller;
    caller.unsharedCalls = 0;
    caller.unsharedUnits = 0;
    // Nobody listens: what was used meanwhile stays this host's own affair.
    if (!scripts.isUp) return;
    const { rate, units } = config;
    if (rate !== undefined) advance(scripts, caller, "calls", unsharedCalls, rate, nowMs);
    if (units.perSecond !== undefined) {
      const limit = { rps: units.perSecond, burst: units.perSecond };
      advance(scripts, caller, "units", unsharedUnits, limit, nowMs);
    }
    for (const quota of [caller.day, caller.month]) {
      if (quota === undefined || unsharedUnits === 0) continue;
      const { period, limit } = quota;
      const key = `quota:${caller.id}:${period}`;
      const args = [Math.ceil(unsharedUnits), LIFETIME_MS[limit.per]];
      scripts.run(COUNT_SCRIPT, [key], args, (numbers) => {
        const total = numbers?.[0];
        if (total !== undefined && quota.period === period) quota.learn(total);
      });
    }
  }
}

function advance(
  scripts: SharedScripts,
  caller: Caller,
  what: "calls" | "units",
  used: number,
  { rps, burst }: { readonly rps: number; readonly burst: number },
  nowMs: number,
): void {
  if (used === 0) return;
  const intervalUs = (1_000 * US_PER_MS) / rps;
  const args = [used * intervalUs, burst * intervalUs, MAX_AHEAD_MS * US_PER_MS].map(Math.round);
  scripts.run(ADVANCE_SCRIPT, [`limit:${caller.id}:${what}`], args, (numbers) => {
    const waitUs = numbers?.[0] ?? 0;
    if (waitUs > 0) {
      caller.sharedUntilMs = Math.max(caller.sharedUntilMs, nowMs + waitUs / US_PER_MS);
    }
  });
}
