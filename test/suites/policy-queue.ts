/** What every queue of policies must do, in whatever way it is kept. */
import { expect, it } from "vitest";
import type { PolicyQueueLike } from "../../src/pairing/origin/policy-queue.ts";

/** Declares the tests; `open` makes a queue of so many places. */
export function policyQueueSuite(open: (capacity: number) => PolicyQueueLike<string>): void {
  it("gives in the order that it got, each thing to one taker", async () => {
    const queue = open(10);
    const waiting = [queue.dequeue(), queue.dequeue()];
    for (const item of ["a", "b", "c", "d"]) await queue.enqueue(item);
    expect(await Promise.all(waiting)).toEqual(["a", "b"]);
    expect([await queue.dequeue(), await queue.dequeue()]).toEqual(["c", "d"]);
    expect([queue.size(), queue.capacity()]).toEqual([0, 10]);
  });

  it("takes no more than it may, and says so at once", async () => {
    const queue = open(1);
    await queue.enqueue("a");
    await expect(queue.enqueue("b")).rejects.toThrow("queue is full");
    expect(queue.size()).toBe(1);
  });

  it("lets who can wait in when there is room", async () => {
    const queue = open(1);
    await queue.enqueue("a");
    const second = queue.enqueueWithTimeout("b", 60_000);
    expect(await queue.dequeue()).toBe("a");
    await second;
    expect(await queue.dequeue()).toBe("b");
  });

  it("gives nothing to a taker that has left", async () => {
    const queue = open(2);
    const leaving = new AbortController();
    const left = queue.dequeueWithContext(leaving.signal);
    leaving.abort();
    await expect(left).rejects.toThrow();
    await queue.enqueue("a");
    expect(await queue.dequeue()).toBe("a");
  });

  it("once closed refuses the new, gives out what is left, and lets nobody wait", async () => {
    const queue = open(2);
    await queue.enqueue("a");
    queue.close();
    expect(queue.isClosed()).toBe(true);
    await expect(queue.enqueue("b")).rejects.toThrow("queue is closed");
    expect(await queue.dequeue()).toBe("a");
    await expect(queue.dequeue()).rejects.toThrow("queue is closed");
    const empty = open(1);
    const parked = empty.dequeue();
    empty.close();
    await expect(parked).rejects.toThrow("queue is closed");
  });
}
