/** Keys of a token bucket, the same wherever one may be set. */
import { z } from "zod";
import * as field from "./fields.ts";

const MAX_PER_SEC = 10_000_000;

/** A `rate` with `rps` and `burst`; a change takes effect at once. */
export const rateGroup = (description: string, burst: string) =>
  field.group(description, {
    rps: field
      .describe(
        z.number().min(0.001).max(MAX_PER_SEC),
        "Calls per second in the long run.",
        `a number from 0.001 to ${MAX_PER_SEC}`,
        { reload: "hot" },
      )
      .unwrap(),
    burst: field.whole(burst, { min: 1, max: MAX_PER_SEC }, { reload: "hot" }),
  });
