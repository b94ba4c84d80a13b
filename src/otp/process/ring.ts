/**
 * A growing FIFO over a power-of-two array: push and shift are O(1) and allocate only to grow.
 */

/** FIFO queue. */
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

  shift(): T | undefined {
    const slots = this.slots;
    if (slots === undefined || this.size === 0) return undefined;
    const item = slots[this.head];
    slots[this.head] = undefined;
    this.head = (this.head + 1) & (slots.length - 1);
    this.size -= 1;
    // A burst must not pin its peak memory for ever.
    if (this.size === 0 && slots.length > 1024) {
      this.slots = undefined;
      this.head = 0;
    }
    return item;
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
