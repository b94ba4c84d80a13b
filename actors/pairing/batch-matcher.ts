/**
 * Matches chunks of a batch, in a thread of its own, on the arrays that the directory writes. Permanent;
 * a restart loses the chunk under way, which its caller then matches itself.
 */
import { defineActor, keyFor, reply } from "../../src/otp/index.ts";
import { type Chunk, ChunkMatcher } from "../../src/matching/shared/chunk.ts";

interface State {
  readonly matcher: ChunkMatcher;
  chunks: number;
  torn: number;
}

/** The matcher. */
export const batchMatcher = defineActor({
  name: "pairing/batch-matcher",
  init: (_args: undefined): State => ({ matcher: new ChunkMatcher(), chunks: 0, torn: 0 }),
  calls: {
    match: (state, chunk: Chunk) => {
      const answer = state.matcher.answer(chunk);
      state.chunks++;
      if (answer.isTorn) state.torn++;
      return reply(state, answer);
    },
  },
  formatState: ({ chunks, torn }) => ({ chunks, torn }),
});

/** Finds a matcher by the number of its thread. */
export const batchMatcherKey = keyFor(batchMatcher, "thread");
