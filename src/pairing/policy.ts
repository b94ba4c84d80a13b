/** Consumer policies: how they are read, what is wrong with them, and the demand they stand for. */
import type { Demand } from "../matching/demand.ts";
import { fieldOf, isRecord, type Outside, type Parsed, snakeOf, wholeOf } from "./fault.ts";
import type { ConsumerPolicy, Fault, PairRequest } from "./protocol.ts";

/** Longest name of a place or a feature, characters. */
export const MAX_NAME = 256;

/** Reads a policy, in camelCase or snake_case. The texts of the faults are part of the contract. */
export function parsePolicy(input: unknown, at = "policy"): Parsed<ConsumerPolicy> {
  if (input === null || input === undefined) {
    return { ok: false, faults: [{ path: at, message: "policy cannot be nil" }] };
  }
  if (!isRecord(input)) return { ok: false, faults: [{ path: at, message: "not a record" }] };
  const faults: Fault[] = [];
  const add = (field: string, message: string): void => {
    faults.push({ path: `${at}.${field}`, message });
  };
  const unknown = Object.keys(input).find((key) => !KNOWN.has(key));
  if (unknown !== undefined) add(unknown, `unknown field; known are ${NAMES}`);
  const twice = SPELT.find((name) => name in input && snakeOf(name) in input);
  if (twice !== undefined) add(snakeOf(twice), `given twice, as ${twice} as well`);
  const location = textOf(fieldOf(input, "requiredLocation"), "requiredLocation", add);
  const features = namesOf(fieldOf(input, "requiredFeatures"), "requiredFeatures", EMPTY, add);
  const minStake = wholeOf(fieldOf(input, "minStake") ?? 0);
  if (typeof minStake === "string") add("minStake", minStake);
  else if (minStake < 0n) add("minStake", "minimum stake cannot be negative");
  const { relaxed } = input;
  if (relaxed !== undefined && typeof relaxed !== "boolean") add("relaxed", "not true or false");
  const prefer = preferOf(input, add);
  if (faults.length > 0 || typeof minStake === "string") return { ok: false, faults };
  const policy = { requiredLocation: location, requiredFeatures: features, minStake };
  return {
    ok: true,
    value: {
      ...policy,
      ...(prefer === undefined ? {} : { prefer }),
      ...(relaxed === true ? { relaxed } : {}),
    },
  };
}

const EMPTY = "required features cannot contain empty strings";
const NAMES = "requiredLocation, requiredFeatures, minStake, prefer, relaxed";
/** Those with two spellings. */
const SPELT = ["requiredLocation", "requiredFeatures", "minStake"] as const;
const KNOWN = new Set([...NAMES.split(", "), ...SPELT.map(snakeOf)]);

/** Adds a fault at a field. */
export type AddFault = (field: string, message: string) => void;

/** A text that may be left out. */
export function textOf(value: unknown, field: string, add: AddFault): string {
  if (value === undefined || value === null) return "";
  if (typeof value !== "string") add(field, "not a text");
  else if (value.length > MAX_NAME) add(field, `longer than ${MAX_NAME} characters`);
  else if (!isPlain(value)) add(field, UNPRINTABLE);
  else return value.trim();
  return "";
}

/** Control characters and halves of surrogate pairs: no database, log or terminal takes them well. */
const isPlain = (text: string): boolean => !/\p{Cc}/u.test(text) && text.isWellFormed();
const UNPRINTABLE = "control characters and broken Unicode are not allowed";

/** A list of names that may be left out; none of them blank. */
export function namesOf(
  value: unknown,
  field: string,
  blank: string,
  add: AddFault,
): readonly string[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) {
    add(field, "not a list of texts");
    return [];
  }
  const wrong = value.findIndex((name) => typeof name !== "string" || name.length > MAX_NAME);
  if (wrong >= 0) add(`${field}[${wrong}]`, `not a text of at most ${MAX_NAME} characters`);
  else {
    const empty = value.findIndex((name: string) => name.trim() === "");
    const odd = value.findIndex((name: string) => !isPlain(name));
    if (empty >= 0) add(`${field}[${empty}]`, blank);
    if (odd >= 0) add(`${field}[${odd}]`, UNPRINTABLE);
  }
  return wrong >= 0 ? [] : (value as readonly string[]);
}

function preferOf(input: Outside, add: AddFault): ConsumerPolicy["prefer"] {
  const { prefer } = input;
  if (prefer === undefined || prefer === null) return undefined;
  if (!isRecord(prefer)) {
    add("prefer", "not a record");
    return undefined;
  }
  const unknown = Object.keys(prefer).find((key) => key !== "location" && key !== "features");
  if (unknown !== undefined)
    add(`prefer.${unknown}`, "unknown field; known are location, features");
  const location = textOf(prefer["location"], "prefer.location", add);
  const features = prefer["features"];
  const names = namesOf(features, "prefer.features", "preferred features cannot be empty", add);
  return {
    ...(location === "" ? {} : { location }),
    ...(features === undefined || features === null ? {} : { features: names }),
  };
}

/** What a request does not say. */
export interface PairDefaults {
  profile: string;
  top: number;
  /** Filters of the market's own, by name. */
  custom?: readonly string[];
}

/** What a request asks of the kernel. Without `prefer` the kernel scores by what is required. */
export function demandOf(request: PairRequest, defaults: PairDefaults): Demand {
  const { policy, top = defaults.top, mode, weights, profile = defaults.profile } = request;
  const { requiredLocation, requiredFeatures, minStake, prefer, relaxed } = policy;
  const soft = {
    ...(requiredLocation === "" ? {} : { location: requiredLocation }),
    ...(requiredFeatures.length === 0 ? {} : { features: requiredFeatures }),
  };
  const { custom = [] } = defaults;
  return {
    profile,
    require: { ...(relaxed === true ? {} : soft), minStake, custom },
    prefer: relaxed === true ? { ...soft, ...prefer } : (prefer ?? {}),
    pick: { k: top, ...(mode === undefined ? {} : { mode }) },
    ...(weights === undefined ? {} : { weights }),
  };
}
