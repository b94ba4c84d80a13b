/** The queue of the founding system and the queue process keep one contract. */
import { afterEach, describe } from "vitest";
import { PolicyQueue } from "../../src/pairing/origin/policy-queue.ts";
import { handClock } from "./hand-clock.ts";
import { policyQueueSuite } from "../suites/policy-queue.ts";
import { ProcessQueue } from "./process-queue.ts";

describe("the queue of policies as an object", () => {
  policyQueueSuite((capacity) => {
    const clock = handClock();
    const queue = new PolicyQueue<string>(clock.after, capacity);
    return {
      enqueue: (item) => queue.enqueue(item),
      enqueueWithTimeout: (item, ms) => queue.enqueueWithTimeout(item, ms),
      dequeue: () => queue.dequeue(),
      dequeueWithTimeout: (ms) => queue.dequeueWithTimeout(ms),
      dequeueWithContext: (signal) => queue.dequeueWithContext(signal),
      close: () => queue.close(),
      size: () => queue.size(),
      capacity: () => queue.capacity(),
      isClosed: () => queue.isClosed(),
      stats: () => queue.stats(),
      pass: async (ms) => clock.advance(ms),
    };
  });
});

describe("the queue of policies as a process", () => {
  const open: ProcessQueue[] = [];
  afterEach(async () => {
    for (const queue of open.splice(0)) await queue.stop();
  });
  policyQueueSuite(async (capacity) => {
    const queue = await ProcessQueue.start(capacity);
    open.push(queue);
    return queue;
  });
});
