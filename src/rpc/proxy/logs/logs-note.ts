/** Tells the explanation of a call which parts its range was asked for in. */
import type { ExplainRecord, Note } from "../../explain/record.ts";
import type { LogsPlan } from "../../logs/plan.ts";
import type { LogsSlice } from "../../logs/query.ts";

/** Parts that an explanation lists. */
const MAX_PARTS_TOLD = 64;

/** How one part ended. */
interface PartRow {
  readonly from_block: number;
  readonly to_block: number;
  readonly provider: string | null;
  /** `ok`, `failed`, `superseded` by a reorganisation, or what was cut: `split by range`. */
  readonly end: string;
}

/** The parts of a range, as they ended. */
export class LogsNote implements Note {
  next: Note | undefined = undefined;
  readonly #fromBlock: number;
  readonly #toBlock: number;
  readonly #rows: PartRow[] = [];
  #omitted = 0;
  #splits = 0;

  constructor({ fromBlock, toBlock }: LogsPlan) {
    this.#fromBlock = fromBlock;
    this.#toBlock = toBlock;
  }

  /** A part ended. */
  add({ fromBlock, toBlock }: LogsSlice, provider: string | undefined, end: string): void {
    if (end.startsWith("split")) this.#splits++;
    if (this.#rows.length >= MAX_PARTS_TOLD) this.#omitted++;
    else {
      this.#rows.push({
        from_block: fromBlock,
        to_block: toBlock,
        provider: provider ?? null,
        end,
      });
    }
  }

  describe(record: ExplainRecord): void {
    record.logs = {
      from_block: this.#fromBlock,
      to_block: this.#toBlock,
      parts: this.#rows,
      parts_omitted: this.#omitted,
      splits: this.#splits,
    };
  }
}
