/**
 * A growing FIFO over a power-of-two array: push and shift are O(1) and allocate only to grow.
 */

/** FIFO queue; `removeFirst` is linear in what it looks at. */
export class Ring<T> {
  private slots: (T | undefined)[] | undefined = undefined;
  private head = 0;
  size = 0;

  push(item: T): void {
    let slots = this.slots;
    if (slots === undefined) {
      slots = [undefined, undefined, undefined, undefined];
      this.slots = slots;
    } else if (this.size === slots.length) {
      slots = this.grow(slots);
    }
    slots[(this.head + this.size) & (slots.length - 1)] = item;
    this.size += 1;
  }

  unshift(item: T): void {
    this.push(item);
    const slots = this.slots as (T | undefined)[];
    slots[(this.head + this.size - 1) & (slots.length - 1)] = undefined;
    this.head = (this.head - 1) & (slots.length - 1);
    slots[this.head] = item;
  }

  shift(): T | undefined {
    const slots = this.slots;
    if (slots === undefined || this.size === 0) return undefined;
    const item = slots[this.head];
    slots[this.head] = undefined;
    this.head = (this.head + 1) & (slots.length - 1);
    this.size -= 1;
    // A burst must not pin its peak memory for ever.
    if (this.size === 0 && slots.length > 1024) this.clear();
    return item;
  }

  clear(): void {
    this.slots = undefined;
    this.head = 0;
    this.size = 0;
  }

  /** Takes the oldest item that matches out of the queue; costs as much as it looks at. */
  removeFirst(matches: (item: T) => boolean): T | undefined {
    const slots = this.slots;
    if (slots === undefined) return undefined;
    const mask = slots.length - 1;
    for (let i = 0; i < this.size; i += 1) {
      const found = slots[(this.head + i) & mask] as T;
      if (!matches(found)) continue;
      // Those before it move up by one, so that the order stays and only the head moves.
      for (let k = i; k > 0; k -= 1) {
        slots[(this.head + k) & mask] = slots[(this.head + k - 1) & mask];
      }
      this.shift();
      return found;
    }
    return undefined;
  }

  *[Symbol.iterator](): Generator<T, void, undefined> {
    const slots = this.slots;
    if (slots === undefined) return;
    const { head, size } = this;
    for (let i = 0; i < size; i += 1) yield slots[(head + i) & (slots.length - 1)] as T;
  }

  private grow(old: (T | undefined)[]): (T | undefined)[] {
    const grown: (T | undefined)[] = [];
    for (let i = 0; i < this.size; i += 1) grown.push(old[(this.head + i) & (old.length - 1)]);
    while (grown.length < old.length * 2) grown.push(undefined);
    this.slots = grown;
    this.head = 0;
    return grown;
  }
}
