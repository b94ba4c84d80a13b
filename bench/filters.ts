/**
 * How many logs a second are matched against 1,000 distinct filters, by the index and by testing each?
 *
 * Logs as a busy chain has them: most of them are transfers, of tokens whose popularity falls off
 * quickly. Filters as clients have them: of one token, of one event, of what one account sends or gets,
 * of lists. A second set is the worst case of an index by address: all filters are on one token.
 */
import { matchesLog, parseFilter } from "../src/rpc/subscription/delivery/filter.ts";
import { FilterIndex, type Filtered } from "../src/rpc/subscription/delivery/filter-index.ts";
import { costOf, interleave } from "./support/interleave.ts";
import { report } from "./support/report.ts";

const FILTERS = 1_000;
const LOGS = 20_000;
const LOGS_PER_SEC = 500_000;
const ACCOUNTS = 50_000;
const TOKENS = 2_000;
const EVENTS = 40;

let seed = 42;
/** Uniform in [0, 1), the same in each run (a linear congruential generator). */
const random = (): number => {
  seed = (seed * 1_664_525 + 1_013_904_223) >>> 0;
  return seed / 2 ** 32;
};
const below = (n: number): number => Math.floor(random() * n);
/** Small numbers are much more frequent than large ones. */
const popular = (n: number): number => Math.floor(n ** random()) - 1;
const hex = (n: number, digits: number): string => `0x${n.toString(16).padStart(digits, "0")}`;
const token = (n: number): string => hex(0xa0_00_00 + n, 40);
const event = (n: number): string => hex(0xe0_00_00 + n, 64);
const account = (n: number): string => hex(0xc0_00_00_00 + n, 64);

/** A fresh copy, as a log is cut out of a frame: its hash code is not known yet. */
const fresh = (text: string): string => Buffer.from(text, "latin1").toString("latin1");

const filterOf = (given: unknown): Filtered => {
  const parsed = parseFilter(given);
  if (!parsed.ok) throw new Error(parsed.message);
  return { filter: parsed.filter };
};

const mixed = (i: number): Filtered => {
  const who = account(below(ACCOUNTS));
  switch (i % 5) {
    case 0:
      return filterOf({ address: token(i) });
    case 1:
      return filterOf({ address: token(below(TOKENS)), topics: [event(0), null, who] });
    case 2:
      return filterOf({ topics: [event(0), who] });
    case 3:
      return filterOf({ topics: [event(below(EVENTS)), null, [who, account(i)]] });
    default:
      return filterOf({ address: [token(i), token(i + 1), token(i + 2)], topics: [event(1)] });
  }
};

const ofOneToken = (i: number): Filtered =>
  filterOf({ address: token(0), topics: [event(0), null, account(i)] });

const measure = (name: string, make: (i: number) => Filtered): void => {
  const filters = Array.from({ length: FILTERS }, (_, i) => make(i));
  const index = new FilterIndex<Filtered>();
  for (const one of filters) index.add(one);
  const logs = Array.from({ length: LOGS }, () => ({
    address: token(popular(TOKENS)),
    topics: [event(popular(EVENTS)), account(popular(ACCOUNTS)), account(popular(ACCOUNTS))],
  }));
  const found: Filtered[] = [];
  let at = 0;
  const next = () => {
    const { address, topics } = logs[at++ % LOGS] as (typeof logs)[number];
    return { address: fresh(address), topics: topics.map(fresh) };
  };
  let matched = 0;
  const costs = interleave(
    [
      {
        name: "index",
        run: (count) => {
          for (let i = 0; i < count; i++) {
            const log = next();
            index.match(log.address, log.topics, found);
            matched += found.length;
            found.length = 0;
          }
          return matched;
        },
      },
      {
        name: "each",
        run: (count) => {
          let sum = 0;
          // A hundredth of the logs is enough to know.
          for (let i = 0; i < count / 100; i++) {
            const log = next();
            for (const { filter } of filters) {
              if (filter !== undefined && matchesLog(filter, log.address, log.topics)) sum++;
            }
          }
          return sum;
        },
      },
    ],
    LOGS,
  );
  const perSec = 1e9 / costOf(costs, "index");
  const naive = 1e9 / (costOf(costs, "each") * 100);
  report({
    bench: "filters",
    case: `${name}: logs matched against ${FILTERS} filters`,
    value: perSec,
    baseline: naive,
    ratio: perSec / naive,
    unit: "1/s",
    bar: `>= ${LOGS_PER_SEC}/s on one core`,
    ok: perSec >= LOGS_PER_SEC,
  });
};

measure("mixed", mixed);
measure("all on one token", ofOneToken);
