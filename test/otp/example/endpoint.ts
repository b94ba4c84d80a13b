/** A new breaker must not be taught by an old tracker. */
import { child, type Ctx, supervisor } from "../../../src/otp/index.ts";
import { breaker, breakerKey } from "./breaker.ts";
import { head, type HeadArgs, headKey } from "./head.ts";

export const endpoint = (at: HeadArgs) =>
  supervisor(`rpc/endpoint/${at.chain}/${at.url}`, {
    strategy: "rest_for_one",
    intensity: 5,
    period: 30,
    children: [
      child(
        breaker,
        { threshold: 5, cooldownMs: 10_000 },
        { register: breakerKey(at.chain, at.url) },
      ),
      child(head, at, {
        register: headKey(at.chain, at.url),
        shutdown: 2_000,
        backoff: { minMs: 250, maxMs: 30_000 },
      }),
    ],
  });

/** Never rejects. */
export const above = (ctx: Ctx, at: HeadArgs, floor: number) =>
  ctx.whereis(headKey(at.chain, at.url))?.try.above(floor, { timeoutMs: 50 });
