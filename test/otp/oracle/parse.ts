/** Reads scenario lines (otp.md 7.2) and says what is wrong with those that are none. */
import type { Json, NodeSpec, Scenario, Step } from "./scenario.ts";

/** A line that is no scenario; the message names the place inside it. */
export class ScenarioError extends Error {
  override readonly name = "ScenarioError";
}

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown, at: string) => void;

/** Fields that each step needs, and what they must be. Others are passed over, as Erlang does. */
const STEPS: Readonly<Record<string, Readonly<Record<string, Check>>>> = {
  stop: { target: text },
  throw: { target: text },
  exit: { target: text },
  start_child: { sup: text },
  restart_child: { sup: text, id: text },
  delete_child: { sup: text, id: text },
  terminate_child: { sup: text },
  which_children: { sup: text },
  count_children: { sup: text },
  get_childspec: { sup: text, id: text },
  set_init: { target: text, plan: plan },
  advance: { ms: count },
  call: { target: text, do: request },
  mailbox: {},
  sys: { target: text, cmd: oneOf("suspend", "resume", "get_state", "replace_state") },
  batch: { sup: text, ops: steps },
  upgrade: { sup: text, spec: node },
  whereis: { name: text },
  link: { target: text, to: text },
  monitor: { target: text, to: text },
  trap_exit: { target: text, value: flag },
};
const REQUESTS = ["reply", "defer", "reply_after", "set", "stop", "throw"];
const PLAN_ITEMS = ["stop", "throw", "error", "extra", "sleep"];

/** The scenario of one line; throws ScenarioError. */
export function parseScenario(line: string): Scenario {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw new ScenarioError(`no JSON: ${(error as Error).message}`, { cause: error });
  }
  const fields = record(value, "scenario");
  node(fields["tree"], "tree");
  steps(fields["steps"], "steps");
  if (fields["align_ms"] !== undefined && fields["align_ms"] !== null) {
    count(fields["align_ms"], "align_ms");
  }
  return value as Scenario;
}

function node(value: unknown, at: string): void {
  const spec = record(value, at) as Fields & NodeSpec;
  text(spec.id, `${at}.id`);
  const isDynamic = spec.strategy === "simple_one_for_one";
  if (isDynamic) node(spec.template, `${at}.template`);
  if (spec.children !== undefined) list(spec.children, `${at}.children`, node);
  if (spec.init !== undefined) plan(spec.init, `${at}.init`);
}

function steps(value: unknown, at: string): void {
  list(value, at, step);
}

function step(value: unknown, at: string): void {
  const fields = record(value, at) as Fields & Step;
  const needed = typeof fields.op === "string" ? STEPS[fields.op] : undefined;
  if (needed === undefined) throw wrong(`${at}.op`, "a known step", fields.op);
  for (const [name, check] of Object.entries(needed)) check(fields[name], `${at}.${name}`);
  if (fields.op === "start_child") {
    if (fields.args !== undefined) list(fields.args, `${at}.args`, text);
    else node(fields.spec, `${at}.spec`);
  }
  if (fields.op === "terminate_child" && fields.target === undefined) text(fields.id, `${at}.id`);
}

function plan(value: unknown, at: string): void {
  if (Array.isArray(value)) list(value, at, planItem);
  else planItem(value, at);
}

function planItem(value: unknown, at: string): void {
  if (value === "ok" || value === "ignore") return;
  const fields = record(value, at);
  if (!PLAN_ITEMS.some((name) => name in fields)) throw wrong(at, "a start of a known kind", value);
  if ("sleep" in fields) count(fields["sleep"], `${at}.sleep`);
}

function request(value: unknown, at: string): void {
  if (value === "get" || value === "noreply") return;
  const fields = record(value, at);
  if (!REQUESTS.some((name) => name in fields)) throw wrong(at, "a known request", value);
}

function record(value: unknown, at: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw wrong(at, "an object", value);
}

function list(value: unknown, at: string, each: Check): void {
  if (!Array.isArray(value)) throw wrong(at, "a list", value);
  for (const [i, item] of (value as Json[]).entries()) each(item, `${at}[${i}]`);
}

function text(value: unknown, at: string): void {
  if (typeof value !== "string") throw wrong(at, "a string", value);
}

function flag(value: unknown, at: string): void {
  if (typeof value !== "boolean") throw wrong(at, "true or false", value);
}

function count(value: unknown, at: string): void {
  if (typeof value !== "number" || !(value >= 0)) throw wrong(at, "a number of ms", value);
}

function oneOf(...names: readonly string[]): Check {
  return (value, at) => {
    if (!names.includes(value as string)) throw wrong(at, names.join(" | "), value);
  };
}

function wrong(at: string, wanted: string, value: unknown): ScenarioError {
  const shown = JSON.stringify(value) ?? "nothing";
  return new ScenarioError(`${at}: expected ${wanted}, got ${shown.slice(0, 80)}`);
}
