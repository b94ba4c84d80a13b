/** How much of the memory that this host process may have is in use. */
import { totalmem } from "node:os";
import { getHeapStatistics } from "node:v8";

/**
 * 0..1 and more: of the heap's limit, or, with what lies outside the heap, of the container's or the
 * machine's memory, whichever is closer to its end.
 */
export const memoryShare = (): number => {
  const heap = getHeapStatistics();
  const limitBytes = Math.min(totalmem(), process.constrainedMemory() || Infinity);
  return Math.max(
    heap.used_heap_size / heap.heap_size_limit,
    (heap.total_heap_size + heap.external_memory) / limitBytes,
  );
};
