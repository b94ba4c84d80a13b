/**
 * Pairings of the audit trail as JSON text. What was asked and answered is kept as text and goes out as
 * it is: a thousand explained ones have ten megabytes, which to read and to write again takes 100 ms.
 */
import type { StoredRanking } from "../../pairing/store/pairing-store.ts";
import { JsonText } from "../../pairing/rest/json-text.ts";

/** One pairing. */
export const auditText = (stored: StoredRanking): JsonText => new JsonText(textOf(stored));

/** The newest of a market. */
export const auditListText = (stored: readonly StoredRanking[]): JsonText =>
  new JsonText(`{"rankings":[${stored.map(textOf).join(",")}]}`);

const textOf = ({ atMs, request, scoring, result, ...rest }: StoredRanking): string => {
  const { id, market, reason, version, seed } = rest;
  const head = JSON.stringify({
    id,
    market,
    at: new Date(atMs).toISOString(),
    reason,
    version,
    seed,
  });
  return `${head.slice(0, -1)},"request":${request},"scoring":${scoring},"result":${result}}`;
};
