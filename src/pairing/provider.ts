/** Providers from outside: how they are read, what is wrong with them, and their generated names. */
import { MAX_FEATURES } from "../matching/provider.ts";
import { fnv64Hex } from "../lib/fnv64.ts";
import { fieldOf, isRecord, type Parsed, wholeOf } from "./fault.ts";
import { MAX_NAME, namesOf, textOf } from "./policy.ts";
import type { Fault, ProviderRecord } from "./protocol.ts";

const NAMES = "address, stake, location, features";
const KNOWN = new Set(NAMES.split(", "));
const BLANK = "provider features cannot contain empty strings";

/** Reads a provider. An empty address is given by `nameOf`, when there is one; else it is a fault. */
export function parseProvider(input: unknown, nameOf?: () => string): Parsed<ProviderRecord> {
  if (input === null || input === undefined) {
    return { ok: false, faults: [{ path: "", message: "provider cannot be nil" }] };
  }
  if (!isRecord(input)) return { ok: false, faults: [{ path: "", message: "not a record" }] };
  const faults: Fault[] = [];
  const add = (path: string, message: string): void => {
    faults.push({ path, message });
  };
  for (const key of Object.keys(input)) {
    if (!KNOWN.has(key)) add(key, `unknown field; known are ${NAMES}`);
  }
  const named = textOf(fieldOf(input, "address"), "address", add);
  if (named === "" && nameOf === undefined) add("address", "provider address cannot be empty");
  const given = fieldOf(input, "stake");
  const stake = given === undefined ? "missing; a whole number is needed" : wholeOf(given);
  if (typeof stake === "string") add("stake", stake);
  else if (stake < 0n) add("stake", "provider stake cannot be negative");
  const location = textOf(fieldOf(input, "location"), "location", add);
  if (location === "" && faults.every(({ path }) => path !== "location")) {
    add("location", "provider location cannot be empty");
  }
  const features = namesOf(fieldOf(input, "features"), "features", BLANK, add);
  if (features.length > MAX_FEATURES) {
    add("features", `${features.length} entries, at most ${MAX_FEATURES}`);
  }
  if (faults.length > 0 || typeof stake === "string") return { ok: false, faults };
  const address = named === "" && nameOf !== undefined ? nameOf() : named;
  return { ok: true, value: { address, stake, location, features } };
}

/** A name for a provider that came without one: from a number that never repeats, and chance. */
export const generatedAddress = (count: number, random: number): string =>
  `provider_${count}_${fnv64Hex(`${count}:${random}`)}`.slice(0, MAX_NAME);

/** One line of all that is wrong, for reports of many. */
export const faultText = (faults: readonly Fault[]): string =>
  faults.map(({ path, message }) => (path === "" ? message : `${path}: ${message}`)).join("; ");
