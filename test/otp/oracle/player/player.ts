/** Plays a scenario on this runtime in virtual time and writes the trace that Erlang would. */
import {
  createVirtualNode,
  ExitError,
  type ProcessRef,
  type SupervisorSpec,
  type VirtualNode,
} from "../../../../src/otp/index.ts";
import type { NodeSpec, Scenario, Step, Trace } from "../scenario.ts";
import { reasonOf } from "../terms.ts";
import { Admin, NOPROC } from "./admin.ts";
import { Specs } from "./specs.ts";
import { Story } from "./story.ts";
import { type Do, workerDef, type Worker, type WorkerState } from "./worker.ts";

const CALL_TIMEOUT_MS = 5000;
/** What the oracle sleeps after a step that shall not settle. */
const UNSETTLED_MS = 5;
/** What it sleeps before a batch's supervisor goes on. */
const BATCH_MS = 2;
/** How Erlang refuses a name that nobody ever had: the path itself is no process. */
const NO_SUCH_NAME = ["function_clause", "*"];
const UNKNOWN = ["raised", "exit", NO_SUCH_NAME];

/** One run of one scenario. */
export class Player {
  private readonly scenario: Scenario;
  private readonly node: VirtualNode;
  private readonly story: Story;
  private readonly specs: Specs;
  private readonly admin: Admin;

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    this.node = createVirtualNode({
      startMs: 1_000_000 + (scenario.align_ms ?? 0),
      profile: "otp",
    });
    this.story = new Story(this.node);
    this.specs = new Specs(this.story);
    this.admin = new Admin(this.node, this.story, this.specs);
  }

  async run(): Promise<Trace> {
    const { story } = this;
    story.add({ e: "started_root", result: await this.start() });
    await this.node.settle();
    for (const [i, step] of this.scenario.steps.entries()) await this.step(i, step);
    const final = [];
    for (const [p, { ref }] of [...story.supervisors].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (ref.isAlive) final.push({ p, children: await this.admin.which(p) });
    }
    return { name: this.scenario.name ?? "?", events: [...story.events], final };
  }

  private async start(): Promise<unknown> {
    const { tree } = this.scenario;
    try {
      const spec = this.specs.supervisorSpec(tree.id, tree.id, tree);
      await this.node.start(spec as SupervisorSpec<unknown>);
      return "ok";
    } catch (error) {
      if (!(error instanceof ExitError)) throw error;
      return error.reason === "ignore" ? "ignore" : ["error", this.story.term(error.reason)];
    }
  }

  private async step(i: number, step: Step): Promise<void> {
    const event: Record<string, unknown> = { e: "step", i, op: step.op };
    for (const key of ["id", "reason", "sup", "target"] as const)
      if (step[key] !== undefined) event[key] = step[key];
    this.story.add(event);
    const value = await this.perform(step).catch((error: unknown) => {
      if (!(error instanceof ExitError)) throw error;
      return ["raised", "exit", this.story.term(error.reason)];
    });
    if (step.settle === false) await this.node.pass(UNSETTLED_MS);
    else await this.node.settle();
    if (value !== undefined) this.story.add({ e: "result", i, value });
  }

  private async perform(step: Step): Promise<unknown> {
    const worker = this.story.workers.get(step.target ?? "");
    switch (step.op) {
      case "stop":
        worker?.cast.stop(reasonOf(step.reason));
        return this.gone(worker);
      case "throw":
        worker?.cast.raise(step.reason ?? "boom");
        return this.gone(worker);
      case "exit":
        return this.exit(step);
      case "set_init":
        this.specs.setPlan(step.target ?? "", step.plan ?? []);
        return undefined;
      case "advance":
        return this.node.pass(step.ms ?? 0);
      case "call":
        return this.call(step, worker);
      case "mailbox":
        // Here nobody but the callee can answer a call, and the caller hears of it once.
        return [];
      case "sys":
        return this.sys(step);
      case "batch":
        return this.batch(step);
      case "whereis": {
        const ref = this.node.whereis({ name: step.name ?? "", facets: workerDef.facets });
        return ref === undefined ? "undefined" : this.story.term(ref.id);
      }
      case "upgrade":
        return this.upgrade(step);
      case "link":
        worker?.cast.link(this.refOf(step.to));
        return this.ping(worker);
      case "monitor":
        worker?.cast.monitor({ name: step.to ?? "?", ref: this.refOf(step.to) });
        return this.ping(worker);
      case "trap_exit":
        worker?.cast.trap(step.value === true);
        return this.ping(worker);
      default:
        return this.admin.perform(step);
    }
  }

  private async gone(worker: Worker | undefined): Promise<void> {
    if (worker !== undefined) await this.node.until(this.story.death(worker));
  }

  /** The step has reached the worker when it answers; one that is dead, or dies of it, cannot. */
  private async ping(worker: Worker | undefined): Promise<unknown> {
    if (worker === undefined) return NOPROC;
    const result = await this.node.until(worker.try.do("get"));
    return result.ok ? undefined : ["raised", "exit", this.story.term(result.reason)];
  }

  private async exit(step: Step): Promise<void> {
    const reason = reasonOf(step.reason);
    const target = step.target ?? "";
    const ref = this.story.refOf(target);
    if (ref === undefined) return;
    const isRoot = target === this.scenario.tree.id;
    if (!isRoot || reason === "kill") this.node.inspector.exit(ref.id, reason);
    // The parent of a root is who started its node.
    else void this.node.stop(Number.POSITIVE_INFINITY, reason);
  }

  private async call(step: Step, target: Worker | undefined): Promise<unknown> {
    if (target === undefined) return { exit: NO_SUCH_NAME };
    const timeoutMs = step.timeout ?? CALL_TIMEOUT_MS;
    const result = await this.node.until(target.try.do(step.do as Do, { timeoutMs }));
    return result.ok ? { reply: result.value } : { exit: this.story.term(result.reason) };
  }

  private async sys(step: Step): Promise<unknown> {
    const target = step.target ?? "";
    const ref = this.story.refOf(target);
    if (ref === undefined) return this.story.isKnown(target) ? NOPROC : UNKNOWN;
    const { inspector } = this.node;
    const { id } = ref;
    switch (step.cmd) {
      case "suspend":
        return this.node.until(inspector.suspend(id));
      case "resume":
        return this.node.until(inspector.resume(id));
      case "get_state":
        return ((await this.node.until(inspector.getState(id))) as WorkerState).v;
      default: {
        const replace = (state: unknown): unknown => ({ ...(state as WorkerState), v: step.value });
        return ((await this.node.until(inspector.replaceState(id, replace))) as WorkerState).v;
      }
    }
  }

  private async upgrade(step: Step): Promise<unknown> {
    const path = step.sup ?? "";
    const ref = this.story.supervisors.get(path)?.ref;
    if (ref === undefined || !ref.isAlive) return NOPROC;
    const { id } = this.scenario.tree;
    const spec = this.specs.supervisorSpec(path, id, step.spec as NodeSpec);
    const work = this.node.inspector.upgrade(ref.id, spec as SupervisorSpec<unknown>);
    return this.node.until(
      work.then(
        () => "ok",
        (error: unknown) => this.refusal(error),
      ),
    );
  }

  private refusal(error: unknown): unknown {
    if (!(error instanceof ExitError)) throw error;
    const { reason } = error;
    if (!Array.isArray(reason) || reason[0] !== "upgrade_failed") throw error;
    return ["error", ["error", this.story.term(reason[1])]];
  }

  private async batch(step: Step): Promise<unknown> {
    const ref = this.story.supervisors.get(step.sup ?? "")?.ref;
    if (ref === undefined || !ref.isAlive) return NOPROC;
    await this.node.until(this.node.inspector.suspend(ref.id));
    const failure = await this.whileSuspended(step.ops ?? []);
    await this.node.pass(BATCH_MS);
    await this.node.until(this.node.inspector.resume(ref.id));
    return failure;
  }

  /** Stops at an operation that raises; a batch inside comes to rest before the next one. */
  private async whileSuspended(ops: readonly Step[]): Promise<unknown> {
    for (const inner of ops) {
      const value = await this.perform(inner);
      if (Array.isArray(value) && value[0] === "raised") return value;
      if (inner.op === "batch") await this.node.settle();
    }
    return undefined;
  }

  private refOf(path: string | undefined): ProcessRef {
    return (
      this.story.refOf(path ?? "") ??
      (this.node.via({ name: "nobody", facets: workerDef.facets }) as ProcessRef)
    );
  }
}
