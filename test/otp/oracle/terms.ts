/** How reasons of scenarios translate to exit reasons, and exit reasons to what traces print. */
import type { Reason } from "../../../src/otp/index.ts";
import type { Json } from "./scenario.ts";

/** Marks what a scenario throws: Erlang's {Reason, Stack}. */
export class Raised extends Error {
  readonly term: Json;

  constructor(term: Json) {
    super(`raised ${JSON.stringify(term)}`);
    this.term = term;
  }
}

/** Scenario reason to exit reason. */
export function reasonOf(json: Json | undefined): Reason {
  if (Array.isArray(json) && json.length === 2 && json[0] === "shutdown")
    return { shutdown: json[1] };
  return (json ?? "boom") as Reason;
}

/** Exit reason to what the oracle prints. */
export function termOf(reason: unknown, nameOf: (pid: string) => string): unknown {
  if (typeof reason === "string") return reason.startsWith("#") ? nameOf(reason) : reason;
  if (Array.isArray(reason)) return reason.map((part) => termOf(part, nameOf));
  if (typeof reason !== "object" || reason === null) return reason;
  if ("shutdown" in reason) return ["shutdown", termOf(reason.shutdown, nameOf)];
  if ("error" in reason) {
    const { error } = reason;
    return error instanceof Raised ? [error.term, "*"] : [String(error), "*"];
  }
  return reason;
}
