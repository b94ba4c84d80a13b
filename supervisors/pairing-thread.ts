/** Threads of their own for large batches: where they hang, and what runs inside. */
import { batchMatcher, batchMatcherKey } from "../actors/pairing/batch-matcher.ts";
import { child, supervisor, type SupervisorSpec } from "../src/otp/index.ts";

const HEAP_MB = 256;

/** Name of their supervisor. */
export const threadsName = "pairing/threads";

/** one_for_one: empty until the first large batch; what a thread loses is matched elsewhere. */
export const matchingThreads = (): SupervisorSpec =>
  supervisor(threadsName, {
    register: threadsName,
    strategy: "one_for_one",
    intensity: 10,
    period: 10,
    children: [],
  });

/** One of them. A spare would cost memory for nothing. */
export const matchingThread = (thread: number): SupervisorSpec =>
  supervisor(`thread-${thread}`, {
    isolate: "worker",
    from: { module: new URL(import.meta.url), args: thread },
    spare: false,
    heapMb: HEAP_MB,
  });

/** one_for_one: there is one child. Called inside the thread. */
export const subtree = (thread: number): SupervisorSpec =>
  supervisor(`matching-${thread}`, {
    strategy: "one_for_one",
    intensity: 10,
    period: 10,
    children: [child(batchMatcher, undefined, { register: batchMatcherKey(String(thread)) })],
  });
