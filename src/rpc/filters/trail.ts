/**
 * The last blocks that a filter stood at or told of, so that a replaced one is noticed: as many as a
 * reorganisation may take back.
 */
import type { Mark } from "./mark.ts";

/** Blocks that are remembered; what is older counts as final. */
const MAX_MARKS = 128;

/** An immutable list of marks, ascending by height. */
export class Trail {
  readonly marks: readonly Mark[];

  constructor(marks: readonly Mark[]) {
    this.marks = marks.slice(-MAX_MARKS);
  }

  /** Where the filter stands. */
  get tip(): Mark {
    return this.marks.at(-1) as Mark;
  }

  /** The oldest block that is remembered: only what is above it is the filter's business. */
  get base(): Mark {
    return this.marks[0] as Mark;
  }

  has(hash: string): boolean {
    return this.marks.some((mark) => mark.hash === hash);
  }

  /** Up to the height `anchor` as it was, then `blocks`. */
  after(anchor: number, blocks: readonly Mark[]): Trail {
    return new Trail([...this.marks.filter(({ number }) => number <= anchor), ...blocks]);
  }
}
