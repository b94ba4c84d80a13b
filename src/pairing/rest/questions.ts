/** Policies and requests as bodies and queries carry them. */
import { isRecord, type Parsed } from "../fault.ts";
import { badInput } from "../fault.ts";
import { parsePolicy } from "../policy.ts";
import type { ConsumerPolicy, PairRequest, Reply } from "../protocol.ts";
import { parseRequest } from "../request.ts";

/** A request, or a bare policy that stands for one. */
export const requestOf = (input: unknown): Reply<PairRequest> =>
  replyOf(parseRequest(isRecord(input) && !("policy" in input) ? { policy: input } : input));

/** The request of a query: `policy` as JSON, or its fields one by one, and `top` and `strategy`. */
export function requestOfQuery(query: URLSearchParams, body: unknown): Reply<PairRequest> {
  const policy = policyInput(query, body);
  if (!policy.ok) return policy;
  const top = query.get("top");
  const strategy = query.get("strategy");
  return requestOf({
    policy: policy.value,
    ...(top === null ? {} : { top: Number(top) }),
    ...(strategy === null ? {} : { strategy }),
  });
}

/** The policy of a query or a body. */
export function policyOfQuery(query: URLSearchParams, body: unknown): Reply<ConsumerPolicy> {
  const policy = policyInput(query, body);
  return policy.ok ? replyOf(parsePolicy(policy.value)) : policy;
}

function policyInput(query: URLSearchParams, body: unknown): Reply<unknown> {
  if (isRecord(body)) return { ok: true, value: "policy" in body ? body["policy"] : body };
  const text = query.get("policy");
  if (text !== null) {
    try {
      return { ok: true, value: JSON.parse(text) as unknown };
    } catch {
      return badInput([{ path: "policy", message: "no JSON" }]);
    }
  }
  const given = (name: string): string | undefined =>
    query.get(name) ??
    query.get(name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)) ??
    undefined;
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

/** A whole number of a query from 0 to `most`; the usual one when it is not there. */
export function wholeOfQuery(
  query: URLSearchParams,
  name: string,
  usual: number,
  most: number,
): Reply<number> {
  const text = query.get(name);
  if (text === null) return { ok: true, value: usual };
  if (/^\d{1,15}$/.test(text) && Number(text) <= most) return { ok: true, value: Number(text) };
  return badInput([{ path: name, message: `not a whole number from 0 to ${most}` }]);
}

const replyOf = <T>(parsed: Parsed<T>): Reply<T> =>
  parsed.ok ? { ok: true, value: parsed.value } : badInput(parsed.faults);
