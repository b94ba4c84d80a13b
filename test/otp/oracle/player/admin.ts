/** Admin steps: calls on a supervisor, and their results in the oracle's words. */
import type { ChildRow, ChildSpec, VirtualNode } from "../../../../src/otp/index.ts";
import type { NodeSpec, Step } from "../scenario.ts";
import type { Specs } from "./specs.ts";
import type { KnownSupervisor, Story } from "./story.ts";

/** What the oracle prints for a call to a supervisor that is gone. */
export const NOPROC = ["raised", "exit", "noproc"];

/** Errors of start_child that are about the call, not about the child's start. */
const CALL_ERRORS = new Set([
  "already_present",
  "running",
  "restarting",
  "not_found",
  "simple_one_for_one",
  "missing_id",
  "missing_start",
]);
const SPEC_ERRORS = new Set([
  "invalid_restart_type",
  "invalid_shutdown",
  "invalid_child_type",
  "invalid_significant",
  "invalid_child_spec",
  "bad_combination",
]);

/** A row of which_children as traces print it; dynamic children have their label for an id. */
interface Row {
  readonly id: string | null;
  readonly state: string;
  readonly type: string;
}

/** Runs admin steps of one run. */
export class Admin {
  private readonly node: VirtualNode;
  private readonly story: Story;
  private readonly specs: Specs;

  constructor(node: VirtualNode, story: Story, specs: Specs) {
    this.node = node;
    this.story = story;
    this.specs = specs;
  }

  async perform(step: Step): Promise<unknown> {
    const path = step.sup ?? "";
    const owner = this.story.supervisors.get(path);
    if (owner === undefined || !owner.ref.isAlive) return NOPROC;
    return this.node.until(this.ask(path, owner, step));
  }

  /** which_children: latest first; those of a dynamic supervisor sorted. */
  async which(path: string): Promise<unknown[]> {
    const owner = this.story.supervisors.get(path) as KnownSupervisor;
    const rows = await this.node.until(owner.ref.whichChildren());
    const views = rows.map((row) => this.row(row));
    return owner.isDynamic ? views.sort(byErlangOrder) : views;
  }

  private async ask(path: string, owner: KnownSupervisor, step: Step): Promise<unknown> {
    const { ref } = owner;
    const id = step.id ?? "";
    switch (step.op) {
      case "start_child": {
        const spec = step.args?.[0] ?? this.specs.childSpec(path, step.spec as NodeSpec);
        return this.started(await ref.startChild(spec), !owner.isDynamic);
      }
      case "restart_child":
        return this.started(await ref.restartChild(id), false);
      case "delete_child":
        return this.plain(await ref.deleteChild(id));
      case "terminate_child":
        return this.plain(await ref.terminateChild(this.target(step)));
      case "which_children":
        return this.which(path);
      case "count_children":
        return { ...(await ref.countChildren()) };
      case "get_childspec": {
        const result = await ref.getChildSpec(id);
        return result.ok ? specView(result.spec) : this.plain(result);
      }
      default:
        throw new Error(`unknown step ${step.op}`);
    }
  }

  private target(step: Step): string {
    if (step.target === undefined) return step.id ?? "";
    return this.story.refOf(step.target)?.id ?? step.target;
  }

  private started(
    result: { ok: boolean; pid?: string | undefined; extra?: unknown; reason?: unknown },
    isStatic: boolean,
  ): unknown {
    if (!result.ok) return this.notStarted(result.reason, isStatic);
    if (result.pid === undefined) return ["ok", "undefined"];
    const name = this.story.pids.get(result.pid) ?? "?";
    return result.extra === undefined ? ["ok", name] : ["ok", name, result.extra];
  }

  private notStarted(reason: unknown, isStatic: boolean): unknown {
    if (reason === "noproc") return NOPROC;
    const term = this.story.term(reason);
    const tag = Array.isArray(reason) ? String(reason[0]) : String(reason);
    const isOfCall = CALL_ERRORS.has(tag) || SPEC_ERRORS.has(tag) || tag === "already_started";
    return ["error", isStatic && !isOfCall ? [term, "<child>"] : term];
  }

  private plain(result: { ok: boolean; reason?: unknown }): unknown {
    if (result.ok) return "ok";
    return result.reason === "noproc" ? NOPROC : ["error", this.story.term(result.reason)];
  }

  private row(row: ChildRow): Row {
    const name = row.pid === undefined ? undefined : (this.story.pids.get(row.pid) ?? row.pid);
    const isGone = name === undefined || name === "restarting";
    const label = isGone ? null : (name.split("#")[0]?.split("/").at(-1) ?? null);
    return {
      id: (row.id as string | undefined) ?? label,
      state: name ?? "undefined",
      type: row.type,
    };
  }
}

function specView(spec: ChildSpec): unknown {
  const { restart, shutdown, type, significant } = spec;
  return { restart, shutdown: shutdown === "kill" ? "brutal_kill" : shutdown, type, significant };
}

/** Erlang sorts atoms (null, restarting, undefined) before binaries (ids and names). */
function byErlangOrder(a: Row, b: Row): number {
  const keyA = `${rank(a.id)} ${rank(a.state)}`;
  const keyB = `${rank(b.id)} ${rank(b.state)}`;
  return keyA < keyB ? -1 : Number(keyA > keyB);
}

function rank(value: string | null): string {
  const isAtom = value === null || value === "restarting" || value === "undefined";
  return `${isAtom ? 0 : 1}${value}`;
}
