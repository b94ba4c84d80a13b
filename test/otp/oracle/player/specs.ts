/** Child specs from a scenario's tree: paths, start plans, attempts. */
import { child, type ChildSpec, dynamicSupervisor, supervisor } from "../../../../src/otp/index.ts";
import type { Json, NodeSpec } from "../scenario.ts";
import { reasonOf } from "../terms.ts";
import type { Story, SupervisorAttempt } from "./story.ts";
import { workerDef } from "./worker.ts";

type Item = Readonly<Record<string, Json>>;

/** Makes the specs of one run. */
export class Specs {
  private readonly story: Story;
  private readonly counts = new Map<string, number>();
  private readonly plans = new Map<string, Json>();

  constructor(story: Story) {
    this.story = story;
  }

  /** Replaces what is left of the init plan of a path. */
  setPlan(path: string, plan: Json): void {
    this.plans.set(path, plan);
  }

  /** Spec of a node below `parent`. */
  childSpec(parent: string, spec: NodeSpec): ChildSpec {
    const path = `${parent}/${spec.id}`;
    if (spec.strategy !== undefined || spec.children !== undefined)
      return this.supervisorSpec(path, spec.id, spec);
    return this.workerSpec(path, spec);
  }

  /** Spec of the supervisor at `path`. */
  supervisorSpec(path: string, id: string, spec: NodeSpec): ChildSpec {
    const flags = {
      ...(spec.intensity === undefined ? {} : { intensity: spec.intensity }),
      ...(spec.period === undefined ? {} : { period: spec.period }),
      ...(spec.auto_shutdown === undefined ? {} : { autoShutdown: spec.auto_shutdown as "never" }),
      ...policy(spec),
    };
    const isDynamic = spec.strategy === "simple_one_for_one";
    const attempt: SupervisorAttempt = { n: 0, isDynamic };
    const base: ChildSpec = isDynamic
      ? dynamicSupervisor<string>(path, {
          ...flags,
          template: (label) => this.workerSpec(`${path}/${label}`, spec.template as NodeSpec),
        })
      : supervisor(path, {
          ...flags,
          ...(spec.strategy === undefined ? {} : { strategy: spec.strategy as "one_for_one" }),
          children: (spec.children ?? []).map((inner) => this.childSpec(path, inner)),
        });
    return {
      ...base,
      id,
      start: { ...base.start, before: () => this.beforeSupervisor(path, spec, attempt) },
    };
  }

  private beforeSupervisor(path: string, spec: NodeSpec, attempt: SupervisorAttempt) {
    const { n, act } = this.next(path, spec);
    attempt.n = n;
    this.story.attempts.set(path, attempt);
    if (act === "ok") return undefined;
    const p = `${path}#${n}`;
    if (act === "ignore") {
      this.story.add({ e: "init", p, r: "ignore" });
      return { ok: false, ignored: true } as const;
    }
    const reason = (act as Item)["error"];
    this.story.add({ e: "init", p, r: ["error", reason] });
    return { ok: false, ignored: false, reason: reasonOf(reason) } as const;
  }

  private workerSpec(path: string, spec: NodeSpec): ChildSpec {
    const attempt: { n: number; act: Json } = { n: 0, act: "ok" };
    const args = { story: this.story, path, spec, attempt };
    const base = child(workerDef, args, { id: spec.id, ...policy(spec) });
    const before = () => {
      Object.assign(attempt, this.next(path, spec));
      const act = attempt.act as Item;
      if (typeof act !== "object" || act === null || !("error" in act)) return undefined;
      this.story.add({ e: "init", p: `${path}#${attempt.n}`, r: ["error", act["error"]] });
      return { ok: false, ignored: false, reason: reasonOf(act["error"]) } as const;
    };
    const extra = () => (attempt.act as Item)["extra"];
    return {
      ...base,
      ...(spec.register === undefined ? {} : { name: spec.register }),
      ...(spec.type === undefined ? {} : { type: spec.type as "worker" }),
      // Only `supervisor` makes children of that type here; their default is OTP's all the same.
      ...(spec.type === "supervisor" && spec.shutdown === undefined
        ? { shutdown: "infinity" as const }
        : {}),
      start: { ...base.start, before, extra },
    };
  }

  private next(path: string, spec: NodeSpec): { n: number; act: Json } {
    const n = (this.counts.get(path) ?? 0) + 1;
    this.counts.set(path, n);
    const plan = this.plans.get(path) ?? spec.init ?? [];
    if (!Array.isArray(plan)) return { n, act: plan };
    const [act, ...rest] = plan as Json[];
    // A plan that is used up stays so; without any, a later spec of the same path may bring one.
    if (act !== undefined) this.plans.set(path, rest);
    return { n, act: act ?? "ok" };
  }
}

function policy(spec: NodeSpec): {
  restart?: "permanent";
  shutdown?: number;
  significant?: boolean;
} {
  return {
    ...(spec.restart === undefined ? {} : { restart: spec.restart as "permanent" }),
    ...(spec.shutdown === undefined
      ? {}
      : { shutdown: (spec.shutdown === "brutal_kill" ? "kill" : spec.shutdown) as number }),
    ...(spec.significant === undefined ? {} : { significant: spec.significant }),
  };
}
