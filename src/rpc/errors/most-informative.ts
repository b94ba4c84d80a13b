/**
 * Which of several upstream errors a client is told: a final one first, then by the rank of its class,
 * how often the class was seen, and the provider's id. Equal situations give equal answers, in
 * whatever order the attempts ended.
 */
import type { ErrorClass } from "./classes.ts";
import { DECISIONS, isRelayed } from "./decisions.ts";

/** What the choice reads of an attempt. */
export interface FailedAttempt {
  readonly errorClass: ErrorClass;
  readonly provider: string;
  /** The upstream's own error, if it sent one. */
  readonly error: { readonly code: number; readonly message: string } | undefined;
}

/** The error to relay; `undefined` when none may be. */
export function mostInformative<A extends FailedAttempt>(attempts: readonly A[]): A | undefined {
  const counts = new Map<ErrorClass, number>();
  for (const { errorClass } of attempts) counts.set(errorClass, (counts.get(errorClass) ?? 0) + 1);
  const seen = ({ errorClass }: A): number => counts.get(errorClass) ?? 0;
  return attempts
    .filter(({ error, errorClass }) => error !== undefined && isRelayed(errorClass))
    .toSorted(
      (a, b) =>
        DECISIONS[a.errorClass].informative - DECISIONS[b.errorClass].informative ||
        seen(b) - seen(a) ||
        compare(a.provider, b.provider) ||
        compare(a.error?.code ?? 0, b.error?.code ?? 0) ||
        compare(a.error?.message ?? "", b.error?.message ?? "") ||
        compare(a.errorClass, b.errorClass),
    )[0];
}

/** Whether nothing that another provider says can change the answer. */
export function isFinal({ errorClass }: Pick<FailedAttempt, "errorClass">): boolean {
  return DECISIONS[errorClass].failover === "never";
}

function compare<T extends string | number>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
