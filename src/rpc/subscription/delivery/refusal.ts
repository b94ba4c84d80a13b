/** What a client may not subscribe to, in the words of a reply. */
import type { SubscribeReply } from "../../proxy/ports.ts";
import { parseFilter, type LogFilter } from "./filter.ts";
import type { StreamKind } from "./streams.ts";

/** A reply that says no. */
export type Refusal = Extract<SubscribeReply, { readonly ok: false }>;

/** Bad params, in our error table. */
export const INVALID_PARAMS = -32602;
/** Rate or quota of the client. */
const CLIENT_LIMIT = -32005;

/** The filter of a subscription, which only logs have, or why it cannot be served. */
export const requestedFilter = (
  kind: StreamKind,
  filter: unknown,
): { readonly ok: true; readonly filter: LogFilter | undefined } | Refusal => {
  if (kind === "newPendingTransactions" && filter === true) {
    return invalid("newPendingTransactions: only hashes are served, not full transactions");
  }
  if (kind !== "logs") return { ok: true, filter: undefined };
  const parsed = parseFilter(filter);
  return parsed.ok ? parsed : invalid(`invalid argument 1: ${parsed.message}`);
};

/** A connection has as many subscriptions as it may have. */
export const tooMany = (maxSubscriptions: number): Refusal => {
  const message = `a connection holds at most ${maxSubscriptions} subscriptions`;
  return refused(CLIENT_LIMIT, "too_many_subscriptions", message);
};

/** A reply that says no; `reason` is for programs. */
export const refused = (code: number, reason: string, message: string): Refusal => ({
  ok: false,
  code,
  message,
  data: { reason },
});

const invalid = (message: string): Refusal => refused(INVALID_PARAMS, "invalid_params", message);
