/** Arguments of admin commands: a few kinds, checked strictly, unknown ones refused with a guess. */
import { parseDuration } from "../../lib/duration.ts";
import { didYouMean } from "../../../config/reading/suggest.ts";
import { AdminError } from "./protocol.ts";

/** One argument of a command. */
export interface ArgumentSpec {
  readonly kind: "text" | "whole" | "flag" | "duration" | "choice" | "json";
  readonly meaning: string;
  readonly isRequired?: boolean;
  readonly choices?: readonly string[];
  readonly min?: number;
  readonly max?: number;
  /** Another name under which the argument is taken. */
  readonly alias?: string;
}

/** The arguments of a command by name. */
export type ArgumentSpecs = Readonly<Record<string, ArgumentSpec>>;

/** Checked arguments; durations are milliseconds, `json` values the text of any JSON. */
export type Arguments = Readonly<Record<string, string | number | boolean | undefined>>;

const MAX_TEXT = 1_024;

/** Checks `given` against `specs`; throws `OPS_BAD_ARGS`. */
export function checkArguments(
  specs: ArgumentSpecs,
  given: Readonly<Record<string, unknown>>,
): Arguments {
  const checked: Record<string, string | number | boolean | undefined> = {};
  const names = new Map<string, string>();
  for (const [name, { alias }] of Object.entries(specs)) {
    names.set(name, name);
    if (alias !== undefined) names.set(alias, name);
  }
  for (const [key, value] of Object.entries(given)) {
    const name = names.get(key);
    const spec = name === undefined ? undefined : specs[name];
    if (name === undefined || spec === undefined) {
      throw new AdminError(
        "OPS_BAD_ARGS",
        `unknown argument "${key}"${didYouMean(key, names.keys())}`,
      );
    }
    if (checked[name] !== undefined) {
      throw new AdminError("OPS_BAD_ARGS", `argument "${name}" is given twice`);
    }
    const isGiven = value !== undefined && (value !== null || spec.kind === "json");
    if (isGiven) checked[name] = checkOne(name, spec, value);
  }
  for (const [name, spec] of Object.entries(specs)) {
    if (spec.isRequired === true && checked[name] === undefined) {
      throw new AdminError("OPS_BAD_ARGS", `argument "${name}" is required: ${spec.meaning}`);
    }
  }
  return checked;
}

function checkOne(name: string, spec: ArgumentSpec, value: unknown): string | number | boolean {
  const refuse = (expected: string): AdminError =>
    new AdminError("OPS_BAD_ARGS", `argument "${name}": expected ${expected}`);
  switch (spec.kind) {
    case "text":
      if (typeof value === "string" && value !== "" && value.length <= MAX_TEXT) return value;
      throw refuse(`a text of at most ${MAX_TEXT} characters`);
    case "flag":
      if (typeof value === "boolean") return value;
      throw refuse("true or false");
    case "choice": {
      const choices = spec.choices ?? [];
      if (typeof value === "string" && choices.includes(value)) return value;
      const hint = typeof value === "string" ? didYouMean(value, choices) : "";
      throw refuse(`one of ${choices.join(", ")}${hint}`);
    }
    case "json":
      return JSON.stringify(value);
    case "duration": {
      const durationMs = parseDuration(value);
      if (durationMs !== undefined && isWithin(spec, durationMs)) return durationMs;
      throw refuse(`a duration in milliseconds or such as 2s${range(spec)}`);
    }
    default:
      if (typeof value === "number" && Number.isSafeInteger(value) && isWithin(spec, value)) {
        return value;
      }
      throw refuse(`a whole number${range(spec)}`);
  }
}

const isWithin = (
  { min = 0, max = Number.MAX_SAFE_INTEGER }: ArgumentSpec,
  value: number,
): boolean => value >= min && value <= max;

function range({ min, max }: ArgumentSpec): string {
  if (min === undefined && max === undefined) return "";
  return ` from ${min ?? 0} to ${max ?? "any"}`;
}
