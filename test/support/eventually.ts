/** Waiting for a state of a foreign process that can only be asked. */

/** Asks until the answer is neither undefined nor false; the last failure is part of the message. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined | false> | T | undefined | false,
  timeoutMs = 10_000,
  everyMs = 20,
): Promise<T> {
  const untilMs = performance.now() + timeoutMs;
  let last: unknown;
  while (performance.now() < untilMs) {
    try {
      const answer = await ask();
      if (answer !== undefined && answer !== false) return answer;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => {
      setTimeout(resolve, everyMs);
    });
  }
  throw new Error(`not within ${timeoutMs} ms: ${what}`, { cause: last });
}
