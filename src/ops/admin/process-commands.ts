/**
 * Commands about processes beyond looking at them: live state, mailboxes, holding, restarting,
 * children of supervisors, dumps. Reading needs no rights; what touches a process does.
 */
import { admin, anyone, asked, type Command, noProcess, operator, target } from "./command.ts";
import type { AdminDeps, TreeNode } from "./ports.ts";
import { AdminError } from "./protocol.ts";

/** A process that hangs is shown from the records after this time. */
const LIVE_STATE_MS = 2_000;
const DEFAULT_SUSPEND_MS = 30_000;
const MAX_SUSPEND_MS = 300_000;
/** Stopping may take as long as the child's shutdown allows. */
const STOP_TIMEOUT_MS = 35_000;
const DEFAULT_PEEK = 20;
const MAX_PEEK = 200;
const DEFAULT_NAMES = 200;
const MAX_NAMES = 5_000;

const CHILD_ACTIONS = ["terminate", "restart", "delete"] as const;
const STATISTICS = ["get", "on", "off"] as const;

/** Those that read. */
const READING: Readonly<Record<string, Command>> = {
  state: {
    summary: "The state of a process as it shows it to operators; from the records when it hangs.",
    role: anyone,
    args: { target },
    run: async ({ target: wanted }, deps) => {
      const live = await liveStatus(String(wanted), deps);
      if (live !== undefined) return { live: true, state: live.state };
      return { live: false, state: infoOf(String(wanted), deps).state };
    },
  },
  status: {
    summary: "What a process says of itself: suspended or not, version, debugging, log, state.",
    role: anyone,
    args: { target },
    run: ({ target: wanted }, deps) =>
      asked(deps.inspector.getStatus(String(wanted)), String(wanted), deps),
  },
  mailbox: {
    summary: "The oldest waiting messages; their arguments, redacted, with --bodies.",
    role: ({ bodies }) => (bodies === true ? "operator" : "viewer"),
    args: {
      target,
      limit: { kind: "whole", meaning: "messages", min: 1, max: MAX_PEEK },
      bodies: { kind: "flag", meaning: "also the arguments" },
    },
    run: ({ target: wanted, limit = DEFAULT_PEEK, bodies }, deps) => {
      const rows = deps.inspector.mailbox(String(wanted), Number(limit));
      if (rows === undefined) throw noProcess(String(wanted), deps);
      const { mailbox } = infoOf(String(wanted), deps);
      const messages = rows.map(({ arg, ...row }) => (bodies === true ? { ...row, arg } : row));
      return { total: mailbox, messages };
    },
  },
  statistics: {
    summary: "Turns and messages of a process since counting was switched on.",
    role: ({ action = "get" }) => (action === "get" ? "viewer" : "operator"),
    args: {
      target,
      action: { kind: "choice", meaning: "read, begin or end", choices: STATISTICS },
    },
    run: async ({ target: wanted, action = "get" }, deps) => {
      const flag = action as (typeof STATISTICS)[number];
      const counts = await asked(
        deps.inspector.statistics(String(wanted), flag),
        String(wanted),
        deps,
      );
      return { target: wanted, counting: counts !== undefined, ...counts };
    },
  },
  registry: {
    summary: "Registered names and who holds them.",
    role: anyone,
    args: {
      prefix: { kind: "text", meaning: "only names that begin so" },
      limit: { kind: "whole", meaning: "rows", min: 1, max: MAX_NAMES },
    },
    run: ({ prefix = "", limit = DEFAULT_NAMES }, deps) => {
      const names = deps.inspector.names(String(prefix));
      return { total: names.length, names: names.slice(0, Number(limit)) };
    },
  },
  tables: {
    summary: "Tables with their rows and owners.",
    role: anyone,
    args: {},
    run: (_args, deps) => ({ tables: deps.inspector.tables() }),
  },
  budget: {
    summary: "Supervisors by how much of their restart budget is used.",
    role: anyone,
    args: {},
    run: (_args, deps) => ({ supervisors: budgetsOf(deps.inspector.tree()) }),
  },
  loop: {
    summary: "Counters of the scheduler: turns, slices, run queue, timers, losses.",
    role: anyone,
    args: {},
    run: (_args, deps) => deps.inspector.counters(),
  },
};

/** Those that act. */
const ACTING: Readonly<Record<string, Command>> = {
  suspend: {
    summary: "Holds a process: only system messages and its parent's exit reach it.",
    role: operator,
    args: {
      target,
      forMs: {
        kind: "duration",
        meaning: "how long, 30 s when not given",
        min: 1,
        max: MAX_SUSPEND_MS,
      },
    },
    run: async ({ target: wanted, forMs = DEFAULT_SUSPEND_MS }, deps) => {
      const { kind, name, pid } = infoOf(String(wanted), deps);
      if (kind === "supervisor") {
        const message = `${name} is a supervisor: held, it would restart nobody`;
        throw new AdminError("OPS_BAD_ARGS", message);
      }
      await asked(deps.inspector.suspend(pid, { forMs: Number(forMs) }), String(wanted), deps);
      return { suspended: name, pid, for_ms: forMs };
    },
  },
  resume: {
    summary: "Lets a suspended process go on.",
    role: operator,
    args: { target },
    run: async ({ target: wanted }, deps) => {
      const { name, pid } = infoOf(String(wanted), deps);
      await asked(deps.inspector.resume(pid), String(wanted), deps);
      return { resumed: name, pid };
    },
  },
  restart: {
    summary: "Restarts a process through its supervisor, counted against its budget.",
    role: operator,
    args: {
      target,
      forgive: { kind: "flag", meaning: "stop and start it alone, and do not count it" },
    },
    timeoutMs: STOP_TIMEOUT_MS,
    run: async ({ target: wanted, forgive }, deps) => {
      const { name, pid } = infoOf(String(wanted), deps);
      const answer = deps.inspector.restart(pid, { forgive: forgive === true });
      const done = await asked(answer, String(wanted), deps);
      if (!done.ok) throw refusal(`${name} was not restarted`, done.reason);
      return { name, from: done.from, pid: done.pid ?? null };
    },
  },
  child: {
    summary: "Terminates, restarts or deletes a child of a supervisor, as OTP does.",
    role: admin,
    args: {
      action: { kind: "choice", meaning: "what to do", choices: CHILD_ACTIONS, isRequired: true },
      supervisor: { kind: "text", meaning: "its name, id or path", isRequired: true },
      id: {
        kind: "text",
        meaning: "id of the child; below a dynamic supervisor its pid",
        isRequired: true,
      },
    },
    timeoutMs: STOP_TIMEOUT_MS,
    run: async ({ action, supervisor, id }, deps) => {
      const order = {
        action: action as (typeof CHILD_ACTIONS)[number],
        supervisor: String(supervisor),
        id: String(id),
      };
      const done = await deps.child(order);
      if (done === undefined) throw noProcess(order.supervisor, deps);
      if (!done.ok) throw refusal(`${order.action} of ${order.id}`, done.reason);
      return { ...order, ...(done.pid === undefined ? {} : { pid: done.pid }) };
    },
  },
  "replace-state": {
    summary: "Puts a JSON value in the place of a process's state; only where it is allowed.",
    role: admin,
    args: {
      target,
      value: { kind: "json", meaning: "the new state", isRequired: true },
    },
    run: async ({ target: wanted, value }, deps) => {
      if (!deps.mayReplaceState()) {
        const message = "replacing states is not allowed here";
        throw new AdminError("OPS_FORBIDDEN", message, "set admin.allow_replace_state: true");
      }
      const { name, pid } = infoOf(String(wanted), deps);
      const state: unknown = JSON.parse(String(value));
      await asked(
        deps.inspector.replaceState(pid, () => state),
        String(wanted),
        deps,
      );
      return { replaced: name, pid };
    },
  },
  dump: {
    summary: "Writes tree, mailboxes, redacted states and timers into a file beside the socket.",
    role: operator,
    args: {},
    run: (_args, deps) => {
      const dump = deps.inspector.dump();
      const text = JSON.stringify(dump);
      const path = deps.saveDump(text);
      const { omitted } = dump;
      return { path, bytes: Buffer.byteLength(text), processes: dump.processes.length, omitted };
    },
  },
};

/** All of them. */
export const PROCESS_COMMANDS: Readonly<Record<string, Command>> = { ...READING, ...ACTING };

interface Recorded {
  readonly pid: string;
  readonly name: string;
  readonly kind: string;
  readonly mailbox: number;
  readonly state?: unknown;
}

function infoOf(wanted: string, deps: AdminDeps): Recorded {
  const info = deps.inspector.info(wanted);
  if (info === undefined) throw noProcess(wanted, deps);
  return info as Recorded;
}

/** Undefined when the process hangs inside a turn. */
async function liveStatus(
  wanted: string,
  deps: AdminDeps,
): Promise<{ readonly state?: unknown } | undefined> {
  try {
    return await asked(deps.inspector.getStatus(wanted, LIVE_STATE_MS), wanted, deps);
  } catch (error) {
    if (error instanceof AdminError && error.code === "OPS_TIMEOUT") return undefined;
    throw error;
  }
}

function refusal(what: string, reason: unknown): AdminError {
  const why = typeof reason === "string" ? reason : JSON.stringify(reason);
  return new AdminError("OPS_FAILED", `${what}: ${why}`.slice(0, 1_000));
}

interface Budget {
  readonly supervisor: string;
  readonly pid: string | null;
  readonly strategy: string | undefined;
  readonly count: number;
  readonly intensity: number;
  readonly period_ms: number;
  /** Used share; 1 means that the next restart is one too many. */
  readonly ratio: number;
}

function budgetsOf(tree: TreeNode | undefined): readonly Budget[] {
  const found: Budget[] = [];
  const open = tree === undefined ? [] : [tree];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    open.push(...node.children);
    if (node.kind !== "supervisor") continue;
    const { count, intensity } = node.restarts;
    const ratio = intensity === 0 ? Number(count > 0) : count / intensity;
    const { name, pid, strategy } = node;
    found.push({ supervisor: name, pid, strategy, ...node.restarts, ratio });
  }
  return found.sort((a, b) => b.ratio - a.ratio || a.supervisor.localeCompare(b.supervisor));
}
