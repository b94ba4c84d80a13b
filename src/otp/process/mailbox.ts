/**
 * The mailbox of a process: a growing FIFO of messages over one power-of-two array.
 *
 * A message is an envelope, or a cast as a pair of its type (made once per definition) and its
 * argument: a burst of casts allocates nothing. Who looks for a certain message (`removeFirst`,
 * iteration) sees envelopes throughout.
 */
import { CastType, type Envelope } from "./message.ts";

/** Arrays of this length are kept when they run empty, for a while. */
const SMALL = 1024;
/** Times a large array may run empty before its memory is given back: bursts come in series. */
const MAX_EMPTIES = 16;

/** Mailbox; push and take are O(1), `removeFirst` is linear in what it looks at. */
export class Mailbox {
  /** Pairs of (envelope or type, argument). */
  private slots: unknown[] | undefined = undefined;
  /** Index of the first pair's first slot. */
  private head = 0;
  private empties = 0;
  size = 0;

  push(message: Envelope | CastType, arg: unknown): void {
    let slots = this.slots;
    if (slots === undefined) {
      slots = [undefined, undefined, undefined, undefined];
      this.slots = slots;
    } else if (this.size * 2 === slots.length) {
      slots = this.grow(slots);
    }
    const at = (this.head + this.size * 2) & (slots.length - 1);
    slots[at] = message;
    slots[at + 1] = arg;
    this.size += 1;
  }

  unshift(envelope: Envelope): void {
    this.push(envelope, undefined);
    const slots = this.slots as unknown[];
    const mask = slots.length - 1;
    slots[(this.head + (this.size - 1) * 2) & mask] = undefined;
    this.head = (this.head - 2) & mask;
    slots[this.head] = envelope;
    slots[this.head + 1] = undefined;
  }

  /** The first message, which stays; `drop` takes it away and returns its argument. */
  first(): Envelope | CastType | undefined {
    if (this.size === 0) return undefined;
    return (this.slots as unknown[])[this.head] as Envelope | CastType;
  }

  /** Removes the first message and returns the argument of a cast. */
  drop(): unknown {
    const slots = this.slots as unknown[];
    const { head } = this;
    const arg = slots[head + 1];
    slots[head] = undefined;
    slots[head + 1] = undefined;
    this.head = (head + 2) & (slots.length - 1);
    this.size -= 1;
    if (this.size === 0 && slots.length > SMALL) this.emptied();
    return arg;
  }

  clear(): void {
    this.slots = undefined;
    this.head = 0;
    this.size = 0;
    this.empties = 0;
  }

  /** Takes the oldest message that matches out of the queue; costs as much as it looks at. */
  removeFirst(matches: (envelope: Envelope) => boolean): Envelope | undefined {
    const slots = this.slots;
    if (slots === undefined) return undefined;
    const mask = slots.length - 1;
    for (let i = 0; i < this.size; i += 1) {
      const found = this.at(i);
      if (!matches(found)) continue;
      // Those before it move up by one, so that the order stays and only the head moves.
      for (let k = i; k > 0; k -= 1) {
        const to = (this.head + k * 2) & mask;
        const from = (to - 2) & mask;
        slots[to] = slots[from];
        slots[to + 1] = slots[from + 1];
      }
      this.drop();
      return found;
    }
    return undefined;
  }

  *[Symbol.iterator](): Generator<Envelope, void, undefined> {
    for (let i = 0; i < this.size; i += 1) yield this.at(i);
  }

  private at(index: number): Envelope {
    const slots = this.slots as unknown[];
    const at = (this.head + index * 2) & (slots.length - 1);
    const message = slots[at] as Envelope | CastType;
    return message instanceof CastType ? message.envelope(slots[at + 1]) : message;
  }

  private emptied(): void {
    this.empties += 1;
    if (this.empties >= MAX_EMPTIES) this.clear();
  }

  private grow(old: unknown[]): unknown[] {
    const grown: unknown[] = [];
    const mask = old.length - 1;
    for (let i = 0; i < old.length; i += 1) grown.push(old[(this.head + i) & mask]);
    while (grown.length < old.length * 2) grown.push(undefined);
    this.slots = grown;
    this.head = 0;
    this.empties = 0;
    return grown;
  }
}
