/**
 * A stage for claims about supervisors: workers that start, end and stop as told, and what was seen.
 */
import { describe, expect, it } from "vitest";
import {
  type AdminResult,
  child,
  type ChildSpec,
  createVirtualNode,
  defineActor,
  dynamicSupervisor,
  type DynamicOptions,
  exit,
  ExitError,
  ignore,
  keyFor,
  type Key,
  type Reason,
  type Ref,
  reasonText,
  refuse,
  stop,
  supervisor,
  type SupervisorOptions,
  type SupervisorRef,
  type SupervisorSpec,
  type VirtualNode,
} from "../../../src/otp/index.ts";
import { must } from "../support.ts";
import { CASES, type CaseOf, type Room } from "./cases.ts";

/** How one start attempt goes. */
export type Attempt = "ok" | "ignore" | { readonly refuse: Reason } | { readonly sleepMs: number };

/** How a worker of the stage is supervised and what it does. */
export interface WorkerOptions {
  readonly restart?: "permanent" | "transient" | "temporary";
  readonly shutdown?: number | "infinity" | "kill";
  readonly significant?: boolean;
  /** One entry a start attempt; "ok" ever after. */
  readonly attempts?: readonly Attempt[];
  /** Every attempt after the first goes like this. */
  readonly again?: Attempt;
  /** Time its terminate takes. */
  readonly terminateMs?: number;
  /** Its terminate ends it with this reason instead. */
  readonly lastReason?: Reason;
  readonly trapExit?: boolean;
  /** Handed to who starts it. */
  readonly extra?: unknown;
}

interface Role extends WorkerOptions {
  readonly name: string;
  readonly stage: Stage;
}

const define = (trapExit: boolean) =>
  defineActor({
    name: "suite/worker",
    trapExit,
    init: (role: Role, ctx) => {
      const attempt = role.stage.nextAttempt(role);
      if (attempt === "ignore") return ignore;
      if (typeof attempt === "object" && "refuse" in attempt) {
        return refuse(attempt.refuse);
      }
      role.stage.log.push(`init ${role.name}`);
      return attempt === "ok" ? role : ctx.sleep(attempt.sleepMs).then(() => role);
    },
    casts: {
      end: (role, reason: Reason) => stop(role, reason),
      unlink: (role, _arg: undefined, ctx) => {
        ctx.unlink(must(ctx.supervisor("top")));
        return role;
      },
    },
    on: (role) => role,
    terminate: (role, reason, ctx) => {
      role.stage.log.push(`terminate ${role.name} ${reasonText(reason)}`);
      if (role.lastReason !== undefined) exit(role.lastReason);
      return role.terminateMs === undefined ? undefined : ctx.sleep(role.terminateMs);
    },
  });
const trapping = define(true);
const dying = define(false);
const keyOf = keyFor(trapping, "w");

/** Key of the worker `name`. */
export function workerKey(name: string): Key<typeof trapping> {
  return keyOf(name);
}

/** One node, its tree and what happened on it. */
export class Stage {
  readonly node: VirtualNode;
  /** "init a", "terminate a shutdown", in order. */
  readonly log: string[] = [];
  /** "a child_terminated boom", in order. */
  readonly reports: string[] = [];
  /** "a killed", in order: ends of processes by name. */
  readonly exits: string[] = [];
  private readonly attempts = new Map<string, number>();

  constructor(startMs = 0) {
    this.node = createVirtualNode({ startMs, profile: "otp" });
    this.node.telemetry.attach("stage", ["otp.report", "otp.exit"], (event) => {
      const reason = reasonText(event.fields.reason);
      if (event.name === "otp.exit") {
        this.exits.push(`${shortName(event.process ?? "")} ${reason}`);
      } else {
        const { child: id, context, nb_children: count } = event.fields;
        const times = count === undefined ? "" : ` x${count}`;
        this.reports.push(`${String(id)} ${context} ${reason}${times}`);
      }
    });
  }

  /** Spec of a worker with this id, findable by name. */
  worker(name: string, options: WorkerOptions = {}): ChildSpec {
    const { restart, shutdown, significant, trapExit = true, extra } = options;
    const spec = child(
      trapExit ? trapping : dying,
      { ...options, name, stage: this },
      {
        id: name,
        register: workerKey(name),
        ...(restart === undefined ? {} : { restart }),
        ...(shutdown === undefined ? {} : { shutdown }),
        ...(significant === undefined ? {} : { significant }),
      },
    );
    return extra === undefined ? spec : { ...spec, start: { ...spec.start, extra: () => extra } };
  }

  /** Workers with these names and the same options. */
  workers(names: string, options: WorkerOptions = {}): ChildSpec[] {
    return Array.from(names, (name) => this.worker(name, options));
  }

  /** Spec of a dynamic supervisor whose startChild takes a worker's name. */
  pool(
    options: WorkerOptions = {},
    flags: Omit<DynamicOptions<string>, "template"> = {},
    id = "top",
  ) {
    return dynamicSupervisor<string>(id, {
      ...flags,
      template: (name) => this.worker(name, options),
    });
  }

  /** Starts these children under "top". */
  async start(
    children: readonly ChildSpec[],
    flags: Omit<SupervisorOptions, "children"> = {},
  ): Promise<SupervisorRef> {
    const top = await this.node.start(supervisor("top", { ...flags, children }));
    this.forget();
    return top;
  }

  /** Starts a dynamic "top" with a worker for each name. */
  async startPool(
    names: string,
    options: WorkerOptions = {},
    flags: Omit<DynamicOptions<string>, "template"> = {},
  ): Promise<SupervisorRef<string>> {
    const top = await this.node.start(this.pool(options, flags));
    for (const name of names) await this.node.drive(top.startChild(name));
    this.forget();
    return top;
  }

  /** The reason why this tree does not start. */
  async refusal<A>(spec: SupervisorSpec<A>): Promise<unknown> {
    const error: unknown = await this.node.start(spec).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ExitError);
    return (error as ExitError).reason;
  }

  ref(name: string): Ref<typeof trapping> {
    return must(this.node.whereis(workerKey(name)));
  }

  /** Pid of a worker, undefined while it does not run. */
  pid(name: string): string | undefined {
    return this.node.whereis(workerKey(name))?.id;
  }

  isUp(name: string): boolean {
    return this.pid(name) !== undefined;
  }

  /** Ends workers by themselves, one after the other, before their supervisor runs. */
  async end(names: string, reason: Reason = "boom"): Promise<void> {
    for (const name of names) this.ref(name).cast.end(reason);
    await this.node.settle();
  }

  /**
   * Ends workers and asks before "top" has read of their deaths, all at once: the answers come
   * behind its first restart attempt and before its next.
   */
  async endAndAsk<T>(names: string, ask: () => Promise<T>): Promise<T> {
    const { inspector } = this.node;
    await inspector.suspend("top");
    await this.end(names);
    const answer = ask();
    await inspector.resume("top");
    return this.node.drive(answer);
  }

  /** Ends workers from outside. */
  async kill(names: string): Promise<void> {
    for (const name of names) this.node.inspector.exit(must(this.pid(name)), "kill");
    await this.node.settle();
  }

  /** Children in start order as "a up", "b restarting", "c undefined". */
  async rows(name = "top"): Promise<string[]> {
    const rows = await must(this.node.supervisor<unknown>(name)).whichChildren();
    const state = (pid: string | undefined): string => {
      if (pid === undefined || pid === "restarting") return pid ?? "undefined";
      return "up";
    };
    return rows.map((row) => `${String(row.id)} ${state(row.pid)}`).reverse();
  }

  /** Drops what was seen so far. */
  forget(): void {
    this.log.length = 0;
    this.reports.length = 0;
    this.exits.length = 0;
  }

  /** How this start of a worker goes. */
  nextAttempt({ name, attempts = [], again = "ok" }: Role): Attempt {
    const n = this.attempts.get(name) ?? 0;
    this.attempts.set(name, n + 1);
    return attempts[n] ?? (n === 0 ? "ok" : again);
  }

  /** Start attempts of a worker so far. */
  attemptsOf(name: string): number {
    return this.attempts.get(name) ?? 0;
  }
}

/** Outcome of an admin call: its reason, or "ok" with "undefined" behind it when nothing runs. */
export function outcome(result: AdminResult): unknown {
  if (!result.ok) return result.reason;
  return "pid" in result && result.pid === undefined ? "ok undefined" : "ok";
}

/** Registers one claim for an OTP case of this room. */
export type Claim<R extends Room> = (
  name: CaseOf<R>,
  title: string,
  body: () => void | Promise<void>,
) => void;

/**
 * The claims of one room. Its last test compares what was claimed with the room's list of cases, so
 * that neither can be longer than the other; a claim without an assertion fails.
 */
export function suite<R extends Room>(room: R, fill: (claim: Claim<R>) => void): void {
  describe(`supervisor suite: ${room}`, () => {
    const claimed = new Set<string>();
    fill((name, title, body) => {
      claimed.add(name);
      it(`${title} [${name}]`, async () => {
        expect.hasAssertions();
        await body();
      });
    });
    it("claims every case of its list, and no other", () => {
      expect([...claimed].sort()).toEqual([...CASES[room]].sort());
    });
  });
}

function shortName(label: string): string {
  return /^suite\/w\/(.+)\/worker$/.exec(label)?.[1] ?? label;
}
