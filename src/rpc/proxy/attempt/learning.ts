/** What an attempt's end shows of the provider's capabilities, written into the chain's book. */
import type { CapabilityBook } from "../../capabilities/capability-book.ts";
import { DECISIONS } from "../../errors/decisions.ts";
import type { ChainView, GatewayDeps } from "../ports.ts";
import type { Attempt } from "./attempt.ts";

/** The shared parts that learning needs. */
interface Books {
  readonly deps: Pick<GatewayDeps, "emit">;
  readonly redact: (text: string) => string;
}

/** Learns from a refusal, and unlearns from a success; costs one look while nothing is known. */
export function learn(books: Books, chain: ChainView, attempt: Attempt, nowMs: number): void {
  const { memory } = DECISIONS[attempt.errorClass];
  if (memory === "fingerprint") noteUnmatched(books, chain, attempt);
  const book = chain.capabilities;
  if (book === undefined) return;
  if (memory === "capability") learnRefusal(books.deps, book, attempt, nowMs);
  else if (!book.isEmpty && wasServed(attempt)) {
    const { provider, method, owner } = attempt;
    if (book.watches(provider, method)) book.served(provider, method, owner.blocksAsked());
  }
}

function noteUnmatched(
  { redact }: Books,
  { unmatched }: ChainView,
  { error, provider, method }: Attempt,
): void {
  if (error === undefined) return;
  unmatched?.note(error.code, redact(error.message), provider, method);
}

function wasServed({ errorClass }: Attempt): boolean {
  return errorClass === "ok" || errorClass === "revert";
}

function learnRefusal(
  { emit }: Pick<GatewayDeps, "emit">,
  book: CapabilityBook,
  { provider, method, error, owner, row }: Attempt,
  nowMs: number,
): void {
  if (error === undefined) return;
  const { code, message, data } = error;
  const asked = owner.blocksAsked();
  const lesson = book.learn({ provider, method, code, message, data, asked }, nowMs);
  if (lesson === undefined) return;
  emit("provider.capability_learned", {
    chain: row.chain,
    provider,
    kind: lesson.kind,
    limit: lesson.limit,
    ttlMs: lesson.untilMs - nowMs,
    ...(lesson.method === undefined ? {} : { method: lesson.method }),
  });
}
