/** The shape of one classification rule: data, so that vendors' quirks stay out of the code. */
import type { ErrorClass } from "./classes.ts";

/** One rule: every condition that is present must hold; the first rule that matches decides. */
export interface ErrorRule {
  /** JSON-RPC error code. */
  readonly code?: number | undefined;
  /** HTTP status of the response that carried the error. */
  readonly status?: number | undefined;
  /** A fragment of the message, compared case-folded. */
  readonly messageContains?: string | undefined;
  /** Only for these methods: exact names, or a prefix that ends in `*`. */
  readonly methods?: readonly string[] | undefined;
  readonly class: ErrorClass;
}
