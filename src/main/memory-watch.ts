/**
 * Tells the gateway once a second how scarce memory is. Between two collections most of a heap may be
 * garbage: the lowest of the last looks counts, unless so much is in use that no collection has helped.
 */
import { memoryShare } from "../io/memory-share.ts";

const LOOK_MS = 1_000;
const LOOKS = 5;
/** V8 collects before this share of a heap is garbage. */
const URGENT_SHARE = 0.95;

/** Begins to look; answers how to end that. */
export function watchMemory(gateway: { useMemory(share: number): void }): () => void {
  const shares: number[] = [];
  const timer = setInterval(() => {
    const share = memoryShare();
    if (shares.push(share) > LOOKS) shares.shift();
    gateway.useMemory(share >= URGENT_SHARE ? share : Math.min(...shares));
  }, LOOK_MS);
  return () => clearInterval(timer);
}
