/** Policies and requests as bodies and queries carry them. */
import { badInput, isRecord, type Outside, type Parsed, snakeOf } from "../fault.ts";
import { parsePolicy } from "../policy.ts";
import type { ConsumerPolicy, PairRequest, Reply } from "../protocol.ts";
import { parseRequest } from "../request.ts";

/** A request, or a bare policy that stands for one. */
export const requestOf = (input: unknown): Reply<PairRequest> =>
  replyOf(parseRequest(isRecord(input) && !("policy" in input) ? { policy: input } : input));

/**
 * A question about a provider as a request would have it: what the body says, and of the query `policy`
 * as JSON, or its fields one by one, `top` and `strategy`.
 */
export function inputOfQuery(query: URLSearchParams, body: unknown): Reply<Outside> {
  const policy = policyInput(query, body);
  if (!policy.ok) return policy;
  const top = query.get("top");
  const strategy = query.get("strategy");
  const input = {
    ...(isRecord(body) && "policy" in body ? body : {}),
    policy: policy.value,
    ...(top === null ? {} : { top: Number(top) }),
    ...(strategy === null ? {} : { strategy }),
  };
  return { ok: true, value: input };
}

/**
 * The refusal of a request with its faults where they stand in `input`: a profile may have been named as
 * the strategy. `at` stands before the paths of what `input` is a part of.
 */
export function blamed<T>(reply: Reply<T>, input: unknown, at = ""): Reply<T> {
  if (reply.ok || reply.refusal.faults === undefined) return reply;
  if (!isRecord(input) || input["profile"] !== undefined || input["strategy"] === undefined) {
    return reply;
  }
  const faults = reply.refusal.faults.map((fault) =>
    fault.path === `${at}profile` ? { ...fault, path: `${at}strategy` } : fault,
  );
  return badInput(faults);
}

/** The policy of a query or a body. */
export function policyOfQuery(query: URLSearchParams, body: unknown): Reply<ConsumerPolicy> {
  const policy = policyInput(query, body);
  return policy.ok ? replyOf(parsePolicy(policy.value)) : policy;
}

function policyInput(query: URLSearchParams, body: unknown): Reply<unknown> {
  if (isRecord(body)) return { ok: true, value: "policy" in body ? body["policy"] : body };
  if (body !== undefined) return badInput([{ path: "", message: "expected a record" }]);
  const text = query.get("policy");
  if (text !== null) {
    try {
      return { ok: true, value: JSON.parse(text) as unknown };
    } catch {
      return badInput([{ path: "policy", message: "no JSON" }]);
    }
  }
  const given = (name: string): string | undefined =>
    query.get(name) ?? query.get(snakeOf(name)) ?? undefined;
  const features = given("requiredFeatures");
  return {
    ok: true,
    value: {
      requiredLocation: given("requiredLocation"),
      requiredFeatures: features === undefined || features === "" ? [] : features.split(","),
      minStake: given("minStake"),
    },
  };
}

/** A whole number of a query from `least` to `most`; the usual one when it is not there. */
export function wholeOfQuery(
  query: URLSearchParams,
  name: string,
  usual: number,
  [least, most]: readonly [number, number],
): Reply<number> {
  const text = query.get(name);
  if (text === null) return { ok: true, value: usual };
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return { ok: true, value };
  return badInput([{ path: name, message: `not a whole number from ${least} to ${most}` }]);
}

const replyOf = <T>(parsed: Parsed<T>): Reply<T> =>
  parsed.ok ? { ok: true, value: parsed.value } : badInput(parsed.faults);
