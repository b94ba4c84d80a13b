/** What the routes of consumers' policies and lists do. */
import { badInput } from "../fault.ts";
import type { PairingList } from "../lists/list.ts";
import { consumerFault, parseWish } from "../lists/policy-book.ts";
import type { ListsPort } from "../lists/port.ts";
import type { Reply } from "../protocol.ts";
import { readRecord } from "./bodies.ts";
import type { Answer, Asked, RestDeps } from "./handlers.ts";
import { blamed, wholeOfQuery } from "./questions.ts";
import { wireList, wirePolicy } from "./wire.ts";

type ListHandler = (deps: RestDeps, asked: Asked) => Answer | Promise<Answer>;

/** By route. */
export const LIST_HANDLERS = {
  getLists: (deps, asked) => {
    const found = consumerOf(deps, asked);
    if (!found.ok) return found;
    const { lists, consumer } = found.value;
    const epoch = wholeOfQuery(asked.query, "epoch", NO_EPOCH, ANY_EPOCH);
    if (!epoch.ok) return epoch;
    const at = epoch.value === NO_EPOCH ? undefined : epoch.value;
    return listsShown(lists.lists(consumer, chainOf(asked), at));
  },
  getPolicies: (deps, asked) => {
    const found = consumerOf(deps, asked);
    if (!found.ok) return found;
    const { lists, consumer } = found.value;
    const wishes = lists.policies(consumer);
    if (!wishes.ok) return wishes;
    const policies = [...wishes.value].map(([market, { policy, ...rest }]) => ({
      market,
      policy: wirePolicy(policy),
      ...rest,
    }));
    return { ok: true, value: { consumer, policies } };
  },
  setPolicy: async (deps, asked) => {
    const found = consumerOf(deps, asked);
    if (!found.ok) return found;
    const body = readRecord(asked.body);
    if (!body.ok) return body;
    const wish = parseWish(body.value);
    if (!wish.ok) return badInput(wish.faults);
    const { lists, consumer } = found.value;
    const set = await lists.setPolicy(consumer, chainOf(asked), wish.value);
    return listsShown(blamed(set, body.value));
  },
  removePolicy: async (deps, asked) => {
    const found = consumerOf(deps, asked);
    if (!found.ok) return found;
    const { lists, consumer } = found.value;
    const removed = await lists.removePolicy(consumer, chainOf(asked));
    if (!removed.ok) return removed;
    return removed.value > 0
      ? { ok: true, value: { removed: removed.value } }
      : refused("PAIRING_UNKNOWN_CONSUMER", `consumer ${consumer} has no policy here`);
  },
} as const satisfies Readonly<Record<string, ListHandler>>;

/** No epoch is below it. */
const NO_EPOCH = -1;
const ANY_EPOCH = [0, Number.MAX_SAFE_INTEGER] as const;

const chainOf = ({ query }: Asked): string | undefined => query.get("chain") ?? undefined;

const consumerOf = (
  { lists }: RestDeps,
  { params }: Asked,
): Reply<{ readonly lists: ListsPort; readonly consumer: string }> => {
  if (lists === undefined) {
    return refused("PAIRING_UNKNOWN_LIST", "no chain has lists: pairing.lists.chains is empty");
  }
  const consumer = params["consumer"] ?? "";
  const fault = consumerFault(consumer);
  return fault === undefined ? { ok: true, value: { lists, consumer } } : badInput([fault]);
};

const listsShown = (reply: Reply<readonly PairingList[]>): Answer =>
  reply.ok ? { ok: true, value: { lists: reply.value.map(wireList) } } : reply;

const refused = (
  code: "PAIRING_UNKNOWN_LIST" | "PAIRING_UNKNOWN_CONSUMER",
  message: string,
): Reply<never> => ({ ok: false, refusal: { code, message } });
