/** A pairing request from outside: a policy and the options beside it. */
import { MAX_PICKS } from "../matching/demand.ts";
import { isRecord, type Outside, type Parsed } from "./fault.ts";
import { type AddFault, parsePolicy } from "./policy.ts";
import type { Fault, PairMode, PairRequest } from "./protocol.ts";

/** Longest seed, characters. */
const MAX_SEED = 128;
const OPTIONS = "policy, top, strategy, mode, profile, weights, seed, explain";
const KNOWN = new Set([...OPTIONS.split(", "), "topN", "top_n"]);
const MODES: Readonly<Record<string, PairMode>> = {
  top: "top",
  weighted: "weighted",
  roundRobin: "roundRobin",
  "round-robin": "roundRobin",
};

/**
 * Reads a request. `strategy` is a mode (`top`, `weighted`, `round-robin`) or the name of a profile;
 * `mode` and `profile` say it apart.
 */
export function parseRequest(input: unknown): Parsed<PairRequest> {
  if (!isRecord(input)) {
    return { ok: false, faults: [{ path: "", message: "expected a record with a policy" }] };
  }
  const faults: Fault[] = [];
  const add: AddFault = (path, message) => {
    faults.push({ path, message });
  };
  for (const key of Object.keys(input)) {
    if (!KNOWN.has(key)) add(key, `unknown field; known are ${OPTIONS}`);
  }
  const policy = parsePolicy(input["policy"]);
  if (!policy.ok) faults.push(...policy.faults);
  const options = optionsOf(input, add);
  if (faults.length > 0 || !policy.ok) return { ok: false, faults };
  return { ok: true, value: { policy: policy.value, ...options } };
}

function optionsOf(input: Outside, add: AddFault): Omit<PairRequest, "policy"> {
  const given = ["top", "topN", "top_n"].filter((name) => name in input);
  if (given.length > 1) add("top", `given twice, as ${given.join(" and ")}`);
  const top = input["top"] ?? input["topN"] ?? input["top_n"];
  if (top !== undefined && !isCount(top)) add("top", `not a whole number from 1 to ${MAX_PICKS}`);
  const strategy = wordOf(input["strategy"], "strategy", add);
  const mode =
    wordOf(input["mode"], "mode", add) ?? (strategy === undefined ? undefined : strategy);
  const isMode = mode !== undefined && Object.hasOwn(MODES, mode);
  if (input["mode"] !== undefined && !isMode) add("mode", "one of top, weighted, roundRobin");
  const profile =
    wordOf(input["profile"], "profile", add) ??
    (strategy !== undefined && !Object.hasOwn(MODES, strategy) ? strategy : undefined);
  const weights = weightsOf(input["weights"], add);
  const seed = input["seed"];
  if (seed !== undefined && !isSeed(seed)) {
    add("seed", `not a whole number or a text of at most ${MAX_SEED} characters`);
  }
  const explain = input["explain"];
  if (explain !== undefined && typeof explain !== "boolean") add("explain", "not true or false");
  return {
    ...(isCount(top) ? { top } : {}),
    ...(isMode ? { mode: MODES[mode] as PairMode } : {}),
    ...(profile === undefined ? {} : { profile }),
    ...(weights === undefined ? {} : { weights }),
    ...(isSeed(seed) ? { seed } : {}),
    ...(explain === true ? { explain } : {}),
  };
}

const isCount = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 1 && value <= MAX_PICKS;

const isSeed = (value: unknown): value is number | string =>
  typeof value === "string" ? value.length <= MAX_SEED : Number.isSafeInteger(value);

function wordOf(value: unknown, field: string, add: AddFault): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === "string" && value.trim() !== "") return value.trim();
  add(field, "not a name");
  return undefined;
}

/** Numbers by scorer; whether they may be weights, and of whom, is the kernel's to say. */
function weightsOf(value: unknown, add: AddFault): Readonly<Record<string, number>> | undefined {
  if (value === undefined) return undefined;
  if (!isRecord(value)) {
    add("weights", "not a record of numbers by scorer");
    return undefined;
  }
  for (const [name, weight] of Object.entries(value)) {
    if (typeof weight !== "number") add(`weights.${name}`, "not a number");
  }
  return value as Readonly<Record<string, number>>;
}
