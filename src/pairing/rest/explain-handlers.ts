/** What the routes do that explain a pairing: why not this provider, what if it were asked otherwise. */
import { badInput, isRecord } from "../fault.ts";
import { CHANGE_FIELD, changedRequest } from "../what-if/change.ts";
import { optionalRecord, readRecord } from "./bodies.ts";
import type { Answer, Asked, RestDeps } from "./handlers.ts";
import { blamed, inputOfQuery, requestOf } from "./questions.ts";
import { wireWhatIf, wireWhy } from "./wire.ts";

type ExplainHandler = (deps: RestDeps, asked: Asked) => Answer;

/** By route. */
export const EXPLAIN_HANDLERS = {
  whyNot: ({ port }, asked) => {
    const body = optionalRecord(asked.body);
    if (!body.ok) return body;
    const { named, rest } = apart(body.value);
    const input = inputOfQuery(asked.query, rest);
    if (!input.ok) return input;
    const request = requestOf(input.value);
    if (!request.ok) return request;
    const address = asked.query.get("address") ?? named;
    if (typeof address !== "string" || address.trim() === "") {
      return badInput([{ path: "address", message: "a provider's address is needed" }]);
    }
    const why = port.why(marketOf(asked), request.value, address.trim());
    return why.ok ? { ok: true, value: wireWhy(why.value) } : blamed(why, input.value);
  },
  whatIf: ({ port }, asked) => {
    const body = readRecord(asked.body);
    if (!body.ok) return body;
    const { [CHANGE_FIELD]: change, ...asking } = isRecord(body.value) ? body.value : {};
    const request = requestOf(isRecord(body.value) ? asking : body.value);
    if (!request.ok) return request;
    const changed = changedRequest(request.value, change);
    if (!changed.ok) return badInput(changed.faults);
    const report = port.whatIf(marketOf(asked), request.value, changed.value);
    if (report.ok) return { ok: true, value: wireWhatIf(report.value) };
    return blamed(blamed(report, asking), change, `${CHANGE_FIELD}.`);
  },
} as const satisfies Readonly<Record<string, ExplainHandler>>;

/** The provider that a body names, and what else it says. */
const apart = (body: unknown): { readonly named?: unknown; readonly rest: unknown } => {
  if (!isRecord(body)) return { rest: body };
  const { address: named, ...rest } = body;
  return { named, rest: Object.keys(rest).length === 0 ? undefined : rest };
};

const marketOf = ({ params }: Asked): string => params["market"] ?? "";
