/** What every queue of policies must do, in whatever way it is kept. */
import { expect, it } from "vitest";
import type { PolicyQueueLike } from "../../src/pairing/origin/policy-queue.ts";

/** A queue as the suite asks it; one in a process answers later. */
export type AnyPolicyQueue = {
  readonly [Name in keyof PolicyQueueLike<string>]: (
    ...given: Parameters<PolicyQueueLike<string>[Name]>
  ) =>
    | ReturnType<PolicyQueueLike<string>[Name]>
    | Promise<Awaited<ReturnType<PolicyQueueLike<string>[Name]>>>;
} & {
  /** Lets time pass. */
  readonly pass: (ms: number) => Promise<void>;
};

/** Declares the tests; `open` makes a queue of so many places. */
export function policyQueueSuite(
  open: (capacity: number) => AnyPolicyQueue | Promise<AnyPolicyQueue>,
): void {
  it("gives in the order that it got, each thing to one taker", async () => {
    const queue = await open(10);
    const waiting = [queue.dequeue(), queue.dequeue()];
    for (const item of ["a", "b", "c", "d"]) await queue.enqueue(item);
    expect(await Promise.all(waiting)).toEqual(["a", "b"]);
    expect([await queue.dequeue(), await queue.dequeue()]).toEqual(["c", "d"]);
    expect([await queue.size(), await queue.capacity()]).toEqual([0, 10]);
  });

  it("takes no more than it may, and says so at once", async () => {
    const queue = await open(1);
    await queue.enqueue("a");
    await expect(queue.enqueue("b")).rejects.toThrow("queue is full");
    expect(await queue.size()).toBe(1);
    expect(await queue.stats()).toMatchObject({ size: 1, capacity: 1, refused: 1 });
  });

  it("lets who can wait in when there is room, in the order that they came", async () => {
    const queue = await open(1);
    await queue.enqueue("a");
    const second = queue.enqueueWithTimeout("b", 60_000);
    expect(await queue.dequeue()).toBe("a");
    await second;
    expect(await queue.dequeue()).toBe("b");
  });

  it("lets nobody wait for room for longer than they said", async () => {
    const queue = await open(1);
    await queue.enqueue("a");
    const waiting = expect(queue.enqueueWithTimeout("b", 50)).rejects.toThrow(
      "timeout while enqueueing policy",
    );
    await queue.pass(50);
    await waiting;
    expect([await queue.dequeue(), await queue.size()]).toEqual(["a", 0]);
  });

  it("lets nobody wait for an item for longer than they said, and gives them nothing then", async () => {
    const queue = await open(1);
    const waiting = expect(queue.dequeueWithTimeout(50)).rejects.toThrow(
      "timeout while dequeuing policy",
    );
    await queue.pass(50);
    await waiting;
    await queue.enqueue("a");
    expect(await queue.dequeueWithTimeout(50)).toBe("a");
  });

  it("gives nothing to a taker that has left", async () => {
    const queue = await open(2);
    const leaving = new AbortController();
    const left = queue.dequeueWithContext(leaving.signal);
    leaving.abort();
    await expect(left).rejects.toThrow();
    await queue.enqueue("a");
    expect(await queue.dequeue()).toBe("a");
  });

  it("counts what came, what went and what is pending", async () => {
    const queue = await open(5);
    for (const item of ["a", "b", "c"]) await queue.enqueue(item);
    await queue.dequeue();
    expect(await queue.stats()).toEqual({
      size: 2,
      capacity: 5,
      enqueued: 3,
      dequeued: 1,
      pending: 2,
      closed: false,
      refused: 0,
    });
  });

  it("once closed refuses the new, gives out what is left, and lets nobody wait", async () => {
    const queue = await open(2);
    await queue.enqueue("a");
    await queue.close();
    expect(await queue.isClosed()).toBe(true);
    await expect(queue.enqueue("b")).rejects.toThrow("queue is closed");
    expect(await queue.dequeue()).toBe("a");
    await expect(queue.dequeue()).rejects.toThrow("queue is closed");
    const empty = await open(1);
    const parked = expect(empty.dequeue()).rejects.toThrow("queue is closed");
    await empty.close();
    await parked;
  });
}
