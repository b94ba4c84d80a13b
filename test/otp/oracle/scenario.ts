/** Shapes of scenarios and traces (otp.md 7.2, 7.3) and how reasons translate. */
import { type Reason } from "../../../src/otp/index.ts";

export type Json =
  | string
  | number
  | boolean
  | null
  | readonly Json[]
  | { readonly [key: string]: Json };
export type Plan = Json;

/** A node of the scenario's tree; absent fields are the defaults of OTP. */
export interface NodeSpec {
  readonly id: string;
  readonly strategy?: string;
  readonly intensity?: number;
  readonly period?: number;
  readonly auto_shutdown?: string;
  readonly children?: readonly NodeSpec[];
  readonly template?: NodeSpec;
  readonly restart?: string;
  readonly shutdown?: number | string;
  readonly significant?: boolean;
  readonly type?: string;
  readonly init?: Plan;
  readonly trap_exit?: boolean;
  readonly on_terminate?: Json;
  readonly state?: Json;
}

/** One step; which fields matter depends on `op`. */
export interface Step {
  readonly op: string;
  readonly target?: string;
  readonly sup?: string;
  readonly id?: string;
  readonly reason?: Json;
  readonly args?: readonly string[];
  readonly spec?: NodeSpec;
  readonly plan?: Plan;
  readonly ms?: number;
  readonly do?: Json;
  readonly timeout?: number;
  readonly cmd?: string;
  readonly value?: Json;
  readonly to?: string;
  readonly ops?: readonly Step[];
  readonly settle?: boolean;
}

export interface Scenario {
  readonly name?: string;
  readonly align_ms?: number;
  readonly tree: NodeSpec;
  readonly steps: readonly Step[];
  readonly compare?: string;
}

export type TraceEvent = Readonly<Record<string, unknown>>;

export interface Trace {
  readonly name: string;
  readonly events: readonly TraceEvent[];
  readonly final: readonly unknown[];
}

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
