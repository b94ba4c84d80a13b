/**
 * The node's one timer structure: a hierarchical wheel of 1 ms ticks, 64 slots a level.
 *
 * Start and cancel are O(1) (intrusive lists, no allocation beyond the entry). Entries fire in
 * (deadline, sequence) order and never early: a deadline belongs to the tick that ends at or after
 * it. Delays beyond the top level wait in its last slot and are re-placed, so there is no upper
 * limit such as setTimeout's 2^31 - 1 ms.
 */

const BITS = 6;
const SLOTS = 1 << BITS;
const LEVELS = 6;

/** One scheduled expiry; extend it and implement `expire`. */
export abstract class TimerEntry {
  deadlineMs = 0;
  seq = 0;
  tick = 0;
  list: TimerList | undefined = undefined;
  prev: TimerEntry | undefined = undefined;
  next: TimerEntry | undefined = undefined;

  abstract expire(nowMs: number): void;
}

class TimerList {
  first: TimerEntry | undefined = undefined;
  readonly level: Level;
  readonly index: number;

  constructor(level: Level, index: number) {
    this.level = level;
    this.index = index;
  }
}

class Level {
  readonly lists: TimerList[] = [];
  /** Occupied slots, 32 bits each. */
  low = 0;
  high = 0;

  constructor() {
    for (let index = 0; index < SLOTS; index += 1) this.lists.push(new TimerList(this, index));
  }

  mark(index: number): void {
    if (index < 32) this.low |= 1 << index;
    else this.high |= 1 << (index - 32);
  }

  unmark(index: number): void {
    if (index < 32) this.low &= ~(1 << index);
    else this.high &= ~(1 << (index - 32));
  }

  /** First occupied slot at or after `from` without wrapping, or -1. */
  firstFrom(from: number): number {
    if (from < 32) {
      const low = this.low & (-1 << from);
      if (low !== 0) return 31 - Math.clz32(low & -low);
      return this.high === 0 ? -1 : 63 - Math.clz32(this.high & -this.high);
    }
    const high = from >= SLOTS ? 0 : this.high & (-1 << (from - 32));
    return high === 0 ? -1 : 63 - Math.clz32(high & -high);
  }
}

/** Timer wheel; the owner asks for `nextTickMs` and calls `advance`. */
export class TimerWheel {
  private readonly levels: Level[] = [];
  /** Every tick up to and including this one has been fired. */
  private currentTick: number;
  private seq = 0;
  private readonly due: TimerEntry[] = [];
  size = 0;

  constructor(nowMs: number) {
    this.currentTick = Math.floor(nowMs);
    for (let level = 0; level < LEVELS; level += 1) this.levels.push(new Level());
  }

  start(entry: TimerEntry, deadlineMs: number): void {
    this.seq += 1;
    entry.seq = this.seq;
    entry.deadlineMs = deadlineMs;
    entry.tick = Math.max(Math.ceil(deadlineMs), this.currentTick + 1);
    this.place(entry);
    this.size += 1;
  }

  /** Removes a scheduled entry; false when it was not scheduled. */
  cancel(entry: TimerEntry): boolean {
    if (entry.list === undefined) return false;
    this.unlink(entry);
    this.size -= 1;
    return true;
  }

  /** Earliest tick (ms) that may have something to do, or undefined when empty. */
  nextTickMs(): number | undefined {
    if (this.size === 0) return undefined;
    for (let depth = 0; depth < LEVELS; depth += 1) {
      const unit = 64 ** depth;
      const position = Math.floor(this.currentTick / unit);
      const from = (position % SLOTS) + 1;
      const found = (this.levels[depth] as Level).firstFrom(from);
      if (found >= 0) return (position - (position % SLOTS) + found) * unit;
    }
    // Everything lies behind a wrap of the top level: look again at that boundary.
    const top = 64 ** LEVELS;
    return (Math.floor(this.currentTick / top) + 1) * top;
  }

  /** Fires everything due at or before `nowMs`, in (deadline, sequence) order. */
  advance(nowMs: number): void {
    const target = Math.floor(nowMs);
    for (;;) {
      const tick = this.nextTickMs();
      if (tick === undefined || tick > target) break;
      this.currentTick = tick;
      this.cascade(tick);
      this.fire(tick, nowMs);
    }
    if (target > this.currentTick) this.currentTick = target;
  }

  private place(entry: TimerEntry): void {
    let depth = 0;
    let unit = 1;
    // A slot of a level is usable while entry and current tick share the block of the level above.
    while (
      depth < LEVELS - 1 &&
      Math.floor(entry.tick / (unit * SLOTS)) !== Math.floor(this.currentTick / (unit * SLOTS))
    ) {
      depth += 1;
      unit *= SLOTS;
    }
    let index = Math.floor(entry.tick / unit) % SLOTS;
    const top = unit * SLOTS;
    if (
      depth === LEVELS - 1 &&
      Math.floor(entry.tick / top) !== Math.floor(this.currentTick / top)
    ) {
      index = 0; // beyond the top block: wait for the wrap, then be placed again
    }
    const level = this.levels[depth] as Level;
    const list = level.lists[index] as TimerList;
    entry.list = list;
    entry.prev = undefined;
    entry.next = list.first;
    if (list.first !== undefined) list.first.prev = entry;
    list.first = entry;
    level.mark(index);
  }

  private unlink(entry: TimerEntry): void {
    const list = entry.list as TimerList;
    if (entry.prev === undefined) list.first = entry.next;
    else entry.prev.next = entry.next;
    if (entry.next !== undefined) entry.next.prev = entry.prev;
    entry.list = undefined;
    entry.prev = undefined;
    entry.next = undefined;
    if (list.first === undefined) list.level.unmark(list.index);
  }

  /** Moves the slots of higher levels that begin at `tick` down to their exact places. */
  private cascade(tick: number): void {
    for (let depth = LEVELS - 1; depth >= 1; depth -= 1) {
      const unit = 64 ** depth;
      if (tick % unit !== 0) continue;
      const level = this.levels[depth] as Level;
      const list = level.lists[(tick / unit) % SLOTS] as TimerList;
      let entry = list.first;
      while (entry !== undefined) {
        const following: TimerEntry | undefined = entry.next;
        this.unlink(entry);
        this.place(entry);
        entry = following;
      }
    }
  }

  private fire(tick: number, nowMs: number): void {
    const list = (this.levels[0] as Level).lists[tick % SLOTS] as TimerList;
    const due = this.due;
    for (let entry = list.first; entry !== undefined; entry = entry.next) {
      if (entry.tick <= tick) due.push(entry);
    }
    if (due.length === 0) return;
    if (due.length > 1) due.sort((a, b) => a.deadlineMs - b.deadlineMs || a.seq - b.seq);
    const batch = due.splice(0);
    for (const entry of batch) {
      // An earlier entry of this batch may have cancelled a later one.
      if (!this.cancel(entry)) continue;
      entry.expire(nowMs);
    }
  }
}
