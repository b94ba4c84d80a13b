/**
 * A change of a request, as what-if asks for it: other weights, a lower minimum, another profile. What it
 * does not name stays as it was asked for.
 */
import { fieldOf, isRecord, type Outside, type Parsed } from "../fault.ts";
import type { ConsumerPolicy, PairRequest } from "../protocol.ts";
import { parseRequest } from "../request.ts";

/** The field of a body that holds the change; faults of it are named below it. */
export const CHANGE_FIELD = "whatIf";

/** The request with a change, or all that is wrong with the change. */
export function changedRequest(before: PairRequest, change: unknown): Parsed<PairRequest> {
  if (!isRecord(change)) {
    return wrong("", 'expected what is to differ, such as {"weights": {"stake": 0.6}}');
  }
  if (Object.keys(change).length === 0) return wrong("", "nothing is to differ");
  if (change["explain"] !== undefined) return wrong("explain", "not part of a change");
  const { policy: given = {}, ...options } = change;
  const parsed = parseRequest({ ...options, policy: given });
  if (!parsed.ok) {
    const faults = parsed.faults.map(({ path, message }) => ({ path: below(path), message }));
    return { ok: false, faults };
  }
  const { policy, weights, ...rest } = parsed.value;
  // Weights are of a profile: those that were asked for say nothing of another one.
  const known = rest.profile === undefined || rest.profile === before.profile ? before.weights : {};
  const { weights: _, ...kept } = before;
  const all = { ...known, ...weights };
  return {
    ok: true,
    value: {
      ...kept,
      ...rest,
      policy: changedPolicy(before.policy, policy, given as Outside),
      ...(Object.keys(all).length === 0 ? {} : { weights: all }),
    },
  };
}

/** The path of a fault within the change. */
export const below = (path: string): string =>
  path === "" ? CHANGE_FIELD : `${CHANGE_FIELD}.${path}`;

const wrong = (path: string, message: string): Parsed<never> => ({
  ok: false,
  faults: [{ path: below(path), message }],
});

/** Field by field from the change, where that has it. */
function changedPolicy(
  before: ConsumerPolicy,
  after: ConsumerPolicy,
  given: Outside,
): ConsumerPolicy {
  const from = (field: keyof ConsumerPolicy): ConsumerPolicy =>
    fieldOf(given, field) === undefined ? before : after;
  const { prefer } = from("prefer");
  const { relaxed } = from("relaxed");
  return {
    requiredLocation: from("requiredLocation").requiredLocation,
    requiredFeatures: from("requiredFeatures").requiredFeatures,
    minStake: from("minStake").minStake,
    ...(prefer === undefined ? {} : { prefer }),
    ...(relaxed === true ? { relaxed } : {}),
  };
}
