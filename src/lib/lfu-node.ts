/** The linked entries of `LfuBytes`: one node stands in three lists and is taken out of each in O(1). */

/** One entry of an LFU cache, linked into the lists it is found by. */
export class LfuNode<Value> {
  readonly key: string;
  readonly value: Value;
  readonly bytes: number;
  readonly group: string | undefined;
  readonly expiresAtMs: number;
  level = 0;
  epoch = 0;
  previous: LfuNode<Value> = this;
  next: LfuNode<Value> = this;
  slotPrevious: LfuNode<Value> = this;
  slotNext: LfuNode<Value> = this;
  groupPrevious: LfuNode<Value> | undefined = undefined;
  groupNext: LfuNode<Value> | undefined = undefined;

  constructor(
    key: string,
    value: Value,
    bytes: number,
    group: string | undefined,
    expiresAtMs: number,
  ) {
    this.key = key;
    this.value = value;
    this.bytes = bytes;
    this.group = group;
    this.expiresAtMs = expiresAtMs;
  }
}

/** As many empty lists; a list is a ring through its head, which holds nothing. */
export function lists<Value>(count: number): LfuNode<Value>[] {
  return Array.from(
    { length: count },
    () => new LfuNode<Value>("", undefined as Value, 0, undefined, Infinity),
  );
}

/** Takes `node` out of its list. */
export function unlink<Value>(node: LfuNode<Value>): void {
  node.previous.next = node.next;
  node.next.previous = node.previous;
}

/** Puts `node` behind the last of `head`. */
export function append<Value>(head: LfuNode<Value>, node: LfuNode<Value>): void {
  const last = head.previous;
  last.next = node;
  node.previous = last;
  node.next = head;
  head.previous = node;
}

/** Moves all of `from` behind the last of `head`. */
export function join<Value>(head: LfuNode<Value>, from: LfuNode<Value>): void {
  if (from.next === from) return;
  const last = head.previous;
  last.next = from.next;
  from.next.previous = last;
  from.previous.next = head;
  head.previous = from.previous;
}
