/** Shapes of scenarios and traces (otp.md 7.2, 7.3). */

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
  /** Name that the worker holds while it lives. */
  readonly register?: string;
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
  readonly name?: string;
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
