/** Plays a scenario on this runtime in virtual time and writes the trace that Erlang would. */
import {
  type CallResult,
  type ChildRow,
  type ChildSpec,
  child,
  createVirtualNode,
  type Ctx,
  defineActor,
  dynamicSupervisor,
  ExitError,
  type From,
  ignore,
  type Info,
  later,
  type ProcessRef,
  exit,
  type Ref,
  type Reason,
  refuse,
  reply,
  stop,
  supervisor,
  type SupervisorRef,
  type SupervisorSpec,
  type VirtualNode,
} from "../../../src/otp/index.ts";
import {
  type Json,
  type NodeSpec,
  Raised,
  reasonOf,
  type Scenario,
  type Step,
  termOf,
  type Trace,
  type TraceEvent,
} from "./scenario.ts";

interface WorkerArgs {
  readonly player: Player;
  readonly path: string;
  readonly spec: NodeSpec;
  readonly attempt: { n: number; act: Json };
}

interface WorkerState {
  readonly args: WorkerArgs;
  readonly pn: string;
  readonly v: Json;
  readonly monitors: ReadonlyMap<unknown, string>;
}

type Do = Readonly<Record<string, Json>> | "get" | "noreply";

function start(args: WorkerArgs, ctx: Ctx): unknown {
  const { player, path, spec, attempt } = args;
  const pn = `${path}#${attempt.n}`;
  player.pids.set(ctx.self.id, pn);
  const { act } = attempt;
  const up = (): WorkerState => {
    player.up(path, ctx.self, pn);
    return { args, pn, v: spec.state ?? 0, monitors: new Map() };
  };
  const failed = (kind: string, reason: Json): void =>
    player.add({ e: "init", p: pn, r: [kind, reason] });
  if (typeof act === "string") {
    if (act !== "ignore") return up();
    player.add({ e: "init", p: pn, r: "ignore" });
    return ignore;
  }
  const plan = act as Readonly<Record<string, Json>>;
  if ("throw" in plan) {
    failed("throw", plan["throw"]);
    throw new Raised(plan["throw"]);
  }
  if ("sleep" in plan) {
    return ctx.sleep(plan["sleep"] as number).then(() => {
      if (!("stop" in plan)) return up();
      failed("stop", plan["stop"]);
      return refuse(reasonOf(plan["stop"])) as never;
    });
  }
  if ("stop" in plan) {
    failed("stop", plan["stop"]);
    return refuse(reasonOf(plan["stop"]));
  }
  return up();
}

function perform(state: WorkerState, what: Do, ctx: Ctx, from: From<unknown>) {
  if (what === "get") return reply(state, state.v);
  if (what === "noreply") return later(state);
  if ("stop" in what) {
    const step = stop(state, reasonOf(what["stop"]));
    return "reply" in what ? reply(step, what["reply"]) : later(step);
  }
  if ("reply" in what) return reply(state, what["reply"]);
  if ("reply_after" in what) {
    return ctx.sleep(what["reply_after"] as number).then(() => reply(state, what["value"]));
  }
  if ("defer" in what) {
    ctx.after(what["defer"] as number, `defer-${from.caller}`, {
      from,
      value: what["value"],
    });
    return later(state);
  }
  if ("throw" in what) throw new Raised(what["throw"]);
  return reply({ ...state, v: what["set"] as Json }, "ok");
}

const define = (isTrapping: boolean) =>
  defineActor({
    name: "oracle/worker",
    trapExit: isTrapping,
    init: (args: WorkerArgs, ctx): WorkerState => start(args, ctx) as WorkerState,
    calls: {
      do: (state, what: Do, ctx, from: From<unknown>) =>
        perform(state, what, ctx, from) as ReturnType<typeof reply<WorkerState, unknown>>,
    },
    casts: {
      stop: (state, reason: Reason) => stop(state, reason),
      raise: (_state, term: Json) => {
        throw new Raised(term);
      },
      link: (state, other: ProcessRef, ctx) => {
        ctx.link(other);
        return state;
      },
      monitor: (state, other: { name: string; ref: ProcessRef }, ctx) => {
        const monitor = ctx.monitor(other.ref);
        return { ...state, monitors: new Map([...state.monitors, [monitor, other.name]]) };
      },
      trap: (state, isOn: boolean, ctx) => {
        ctx.trapExit(isOn);
        return state;
      },
    },
    on: (state, info) => {
      hear(state, info);
      return state;
    },
    terminate: (state, reason, ctx) => {
      const { player, spec } = state.args;
      player.add({ e: "terminate", p: state.pn, reason: player.term(reason) });
      const end = spec.on_terminate as Readonly<Record<string, Json>> | "ok" | undefined;
      if (end === undefined || end === "ok") return undefined;
      if ("sleep" in end) return ctx.sleep(end["sleep"] as number);
      return exit(reasonOf(end["exit"]));
    },
    formatState: () => "worker",
  });

function hear(state: WorkerState, info: Info): void {
  const { player } = state.args;
  if (info.type === "exit") {
    const from = player.pids.get(info.from) ?? "?";
    player.add({ e: "info", p: state.pn, msg: ["EXIT", from, player.term(info.reason)] });
  }
  if (info.type === "down") {
    const name = state.monitors.get(info.monitor) ?? "?";
    player.add({ e: "info", p: state.pn, msg: ["DOWN", name, player.term(info.reason)] });
  }
  if (info.type === "timer") {
    const { from, value } = info.payload as { from: From<unknown>; value: Json };
    from.reply(value);
  }
}

const trapping = define(true);
const dying = define(false);

/** One run of one scenario. */
export class Player {
  readonly pids = new Map<string, string>();
  readonly node: VirtualNode;
  private readonly scenario: Scenario;
  private readonly events: TraceEvent[] = [];
  private readonly counts = new Map<string, number>();
  private readonly plans = new Map<string, Json>();
  private readonly workers = new Map<string, Ref<typeof trapping>>();
  private readonly supervisors = new Map<
    string,
    { ref: SupervisorRef<unknown>; isDynamic: boolean }
  >();
  private readonly isUp = new Set<string>();

  constructor(scenario: Scenario) {
    this.scenario = scenario;
    this.node = createVirtualNode({
      startMs: 1_000_000 + (scenario.align_ms ?? 0),
      profile: "otp",
    });
    const names = ["otp.init", "otp.exit", "otp.report"];
    this.node.telemetry.attach("player", names, (event) =>
      this.watch(event.name, event.fields, event.process ?? "?"),
    );
  }

  async run(): Promise<Trace> {
    const { tree, steps } = this.scenario;
    const id = tree.id;
    let result: unknown = "ok";
    try {
      await this.node.start(this.supervisorSpec(id, tree) as SupervisorSpec<unknown>);
    } catch (error) {
      if (!(error instanceof ExitError)) throw error;
      result = ["error", this.term(error.reason)];
    }
    this.add({ e: "started_root", result });
    await this.node.settle();
    for (const [i, step] of steps.entries()) await this.step(i, step);
    const final = [];
    for (const [p, { ref }] of [...this.supervisors].sort(([a], [b]) => (a < b ? -1 : 1))) {
      if (ref.isAlive) final.push({ p, children: await this.which(p) });
    }
    const events = [...this.events];
    this.node.telemetry.detach("player");
    return { name: this.scenario.name ?? "?", events, final };
  }

  add(event: TraceEvent): void {
    this.events.push(event);
  }

  term(reason: unknown): unknown {
    return termOf(reason, (pid) => this.pids.get(pid) ?? pid);
  }

  up(path: string, ref: ProcessRef, pn: string): void {
    this.isUp.add(ref.id);
    this.workers.set(path, ref as Ref<typeof trapping>);
    this.add({ e: "init", p: pn, r: "ok" });
  }

  private async step(i: number, step: Step): Promise<void> {
    const event: Record<string, unknown> = { e: "step", i, op: step.op };
    for (const key of ["id", "reason", "sup", "target"] as const)
      if (step[key] !== undefined) event[key] = step[key];
    this.add(event);
    const value = await this.perform(step).catch((error: unknown) => {
      if (!(error instanceof ExitError)) throw error;
      return ["raised", "exit", this.term(error.reason)];
    });
    if (step.settle !== false) await this.node.settle();
    if (value !== undefined) this.add({ e: "result", i, value });
  }

  private async perform(step: Step): Promise<unknown> {
    const worker = this.workers.get(step.target ?? "");
    switch (step.op) {
      case "stop":
        worker?.cast.stop(reasonOf(step.reason));
        return this.node.settle();
      case "throw":
        worker?.cast.raise(step.reason ?? "boom");
        return this.node.settle();
      case "exit":
        return this.exit(step);
      case "set_init":
        this.plans.set(step.target ?? "", step.plan ?? []);
        return undefined;
      case "advance":
        return this.node.advance(step.ms ?? 0);
      case "call":
        return this.call(step);
      case "mailbox":
        return [];
      case "sys":
        return this.sys(step);
      case "batch":
        return this.batch(step);
      case "link":
        worker?.cast.link(this.anyRef(step.to));
        return this.ping(worker);
      case "monitor":
        worker?.cast.monitor({ name: step.to ?? "?", ref: this.anyRef(step.to) });
        return this.ping(worker);
      case "trap_exit":
        worker?.cast.trap(step.value === true);
        return this.ping(worker);
      default:
        return this.admin(step);
    }
  }

  /** The step has reached the worker when it answers; one that is dead, or dies of it, cannot. */
  private async ping(worker: Ref<typeof trapping> | undefined): Promise<unknown> {
    if (worker === undefined) return ["raised", "exit", "noproc"];
    const result = await this.node.drive(worker.try.do("get"));
    return result.ok ? undefined : ["raised", "exit", this.term(result.reason)];
  }

  private async exit(step: Step): Promise<void> {
    const reason = reasonOf(step.reason);
    const target = step.target ?? "";
    const ref = this.workers.get(target) ?? this.supervisors.get(target)?.ref;
    if (ref === undefined) return;
    if (target === this.scenario.tree.id && reason !== "kill") {
      await this.node.stop(Number.POSITIVE_INFINITY, reason);
    } else this.node.inspector.exit(ref.id, reason);
    await this.node.settle();
  }

  private async call(step: Step): Promise<unknown> {
    const target = this.workers.get(step.target ?? "");
    if (target === undefined) return { exit: "noproc" };
    const done: CallResult<unknown>[] = [];
    const call = target.try.do(step.do as Do, { timeoutMs: step.timeout ?? 5000 });
    void call.then((result) => done.push(result));
    await this.node.settle();
    // The caller waits: time moves until its answer or deadline comes.
    while (done.length === 0) await this.node.advance(1);
    const result = done[0] as CallResult<unknown>;
    return result.ok ? { reply: result.value } : { exit: this.term(result.reason) };
  }

  private async sys(step: Step): Promise<unknown> {
    const target =
      this.workers.get(step.target ?? "")?.id ??
      this.supervisors.get(step.target ?? "")?.ref.id ??
      "#0";
    const { inspector } = this.node;
    switch (step.cmd) {
      case "suspend":
        return inspector.suspend(target);
      case "resume":
        return inspector.resume(target);
      case "get_state":
        return ((await inspector.getState(target)) as WorkerState).v;
      default: {
        const replace = (state: unknown): unknown => ({ ...(state as WorkerState), v: step.value });
        return ((await inspector.replaceState(target, replace)) as WorkerState).v;
      }
    }
  }

  private async batch(step: Step): Promise<unknown> {
    const ref = this.supervisors.get(step.sup ?? "")?.ref;
    if (ref === undefined || !ref.isAlive) return ["raised", "exit", "noproc"];
    await this.node.inspector.suspend(ref.id);
    for (const inner of step.ops ?? []) await this.perform(inner);
    await this.node.inspector.resume(ref.id);
    return undefined;
  }

  private anyRef(path: string | undefined): ProcessRef {
    const ref = this.workers.get(path ?? "") ?? this.supervisors.get(path ?? "")?.ref;
    return ref ?? (this.node.via({ name: "nobody", facets: this.nobody }) as ProcessRef);
  }

  private get nobody(): never {
    return trapping.facets as never;
  }

  private async admin(step: Step): Promise<unknown> {
    const path = step.sup ?? "";
    const owner = this.supervisors.get(path);
    if (owner === undefined || !owner.ref.isAlive) return ["raised", "exit", "noproc"];
    const { ref } = owner;
    const drive = <T>(work: Promise<T>): Promise<T> => this.node.drive(work);
    switch (step.op) {
      case "start_child": {
        const spec = step.args?.[0] ?? this.childSpec(path, step.spec as NodeSpec);
        return this.started(await drive(ref.startChild(spec)), !owner.isDynamic);
      }
      case "restart_child":
        return this.started(await drive(ref.restartChild(step.id ?? "")), false);
      case "delete_child":
        return this.plain(await drive(ref.deleteChild(step.id ?? "")));
      case "terminate_child": {
        const target =
          step.target === undefined
            ? (step.id ?? "")
            : (this.workers.get(step.target)?.id ?? step.target);
        return this.plain(await drive(ref.terminateChild(target)));
      }
      case "which_children":
        return this.which(path);
      case "count_children": {
        const counts = await drive(ref.countChildren());
        return { ...counts };
      }
      case "get_childspec": {
        const result = await drive(ref.getChildSpec(step.id ?? ""));
        if (!result.ok) return this.plain(result);
        const { restart, shutdown, type, significant } = result.spec;
        return {
          restart,
          shutdown: shutdown === "kill" ? "brutal_kill" : shutdown,
          type,
          significant,
        };
      }
      default:
        throw new Error(`unknown step ${step.op}`);
    }
  }

  private started(
    result: { ok: boolean; pid?: string | undefined; extra?: unknown; reason?: unknown },
    isStatic: boolean,
  ): unknown {
    if (!result.ok) {
      const { reason } = result;
      if (Array.isArray(reason) && reason[0] === "already_started")
        return ["error", ["already_started", this.term(reason[1])]];
      if (reason === "noproc") return ["raised", "exit", "noproc"];
      const isAdmin = typeof reason === "string" && ADMIN_ERRORS.has(reason);
      const isSpec = Array.isArray(reason) && SPEC_ERRORS.has(String(reason[0]));
      return [
        "error",
        isStatic && !isAdmin && !isSpec ? [this.term(reason), "<child>"] : this.term(reason),
      ];
    }
    if (result.pid === undefined) return ["ok", "undefined"];
    const name = this.pids.get(result.pid) ?? "?";
    return result.extra === undefined ? ["ok", name] : ["ok", name, result.extra];
  }

  private plain(result: { ok: boolean; reason?: unknown }): unknown {
    if (result.ok) return "ok";
    return result.reason === "noproc"
      ? ["raised", "exit", "noproc"]
      : ["error", this.term(result.reason)];
  }

  private async which(path: string): Promise<unknown[]> {
    const owner = this.supervisors.get(path) as { ref: SupervisorRef<unknown>; isDynamic: boolean };
    const rows = await this.node.drive(owner.ref.whichChildren());
    const views = rows.map((row) => this.row(row));
    if (!owner.isDynamic) return views;
    return views.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }

  private row(row: ChildRow): unknown {
    const name = row.pid === undefined ? undefined : (this.pids.get(row.pid) ?? row.pid);
    const id =
      row.id ??
      (name === undefined || name === "restarting" ? null : name.split("#")[0]?.split("/").at(-1));
    return { id, state: name ?? "undefined", type: row.type };
  }

  // --- trees ------------------------------------------------------------------------------------

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

  private childSpec(parent: string, spec: NodeSpec): ChildSpec {
    const path = `${parent}/${spec.id}`;
    if (spec.strategy !== undefined || spec.children !== undefined)
      return this.supervisorSpec(path, spec);
    return this.workerSpec(path, spec);
  }

  private workerSpec(path: string, spec: NodeSpec): ChildSpec {
    const attempt: { n: number; act: Json } = { n: 0, act: "ok" };
    const def = spec.trap_exit === false ? dying : trapping;
    const base = child(
      def,
      { player: this, path, spec, attempt },
      { id: spec.id, ...policy(spec) },
    );
    const before = () => {
      Object.assign(attempt, this.next(path, spec));
      const act = attempt.act as Readonly<Record<string, Json>>;
      if (typeof act !== "object" || act === null || !("error" in act)) return undefined;
      this.add({ e: "init", p: `${path}#${attempt.n}`, r: ["error", act["error"]] });
      return { ok: false, ignored: false, reason: reasonOf(act["error"]) } as const;
    };
    const extra = () => (attempt.act as Readonly<Record<string, Json>>)["extra"];
    return {
      ...base,
      ...(spec.type === undefined ? {} : { type: spec.type as "worker" }),
      start: { ...base.start, before, extra },
    };
  }

  private supervisorSpec(path: string, spec: NodeSpec): ChildSpec {
    const flags = {
      ...(spec.intensity === undefined ? {} : { intensity: spec.intensity }),
      ...(spec.period === undefined ? {} : { period: spec.period }),
      ...(spec.auto_shutdown === undefined ? {} : { autoShutdown: spec.auto_shutdown as "never" }),
      ...policy(spec),
    };
    const isDynamic = spec.strategy === "simple_one_for_one";
    const attempt = { n: 0, path, isDynamic };
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
    const before = () => {
      const { n, act } = this.next(path, spec);
      attempt.n = n;
      this.attempts.set(path, attempt);
      if (act === "ok") return undefined;
      const pn = `${path}#${n}`;
      if (act === "ignore") {
        this.add({ e: "init", p: pn, r: "ignore" });
        return { ok: false, ignored: true } as const;
      }
      const reason = (act as Readonly<Record<string, Json>>)["error"];
      this.add({ e: "init", p: pn, r: ["error", reason] });
      return { ok: false, ignored: false, reason: reasonOf(reason) } as const;
    };
    return {
      ...base,
      id: path === this.scenario.tree.id ? path : spec.id,
      start: { ...base.start, before },
    };
  }

  private readonly attempts = new Map<string, { n: number; isDynamic: boolean }>();

  /** Supervisors tell their life by telemetry; workers tell their init themselves. */
  private watch(name: string, fields: Readonly<Record<string, unknown>>, process: string): void {
    const pid = String(fields["pid"]);
    if (name === "otp.init") {
      const attempt = this.attempts.get(process);
      if (attempt === undefined) return;
      const pn = `${process}#${attempt.n}`;
      this.pids.set(pid, pn);
      const isOk = fields["result"] === "ok";
      if (isOk) {
        this.isUp.add(pid);
        const ref = this.node.supervisor<unknown>(process);
        if (ref !== undefined) this.supervisors.set(process, { ref, isDynamic: attempt.isDynamic });
      }
      this.add({ e: "init", p: pn, r: isOk ? "ok" : this.term(fields["result"]) });
      return;
    }
    if (name === "otp.exit") {
      if (!this.isUp.has(pid)) return;
      this.add({ e: "exit", p: this.pids.get(pid), reason: this.term(fields["reason"]) });
      return;
    }
    const offender = fields["childPid"];
    const count = fields["nb_children"];
    this.add({
      e: "report",
      sup: process,
      context: fields["context"],
      reason: this.term(fields["reason"]),
      child: typeof offender === "string" ? this.offender(offender) : fields["child"],
      ...(count === undefined ? {} : { nb_children: count }),
    });
  }

  private offender(pid: string): string {
    const isRestarting = pid.startsWith("restarting:");
    const name = this.pids.get(isRestarting ? pid.slice("restarting:".length) : pid) ?? pid;
    return isRestarting ? `restarting:${name}` : name;
  }
}

const ADMIN_ERRORS = new Set([
  "already_present",
  "running",
  "restarting",
  "not_found",
  "simple_one_for_one",
  "max_children",
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
