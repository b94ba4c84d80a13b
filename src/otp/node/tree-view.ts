/**
 * The supervision tree as operators see it.
 *
 * ```ts
 * import { child, createVirtualNode, defineActor, keyFor, reply, supervisor } from "paceline/otp";
 *
 * const part = defineActor({
 *   name: "demo/part",
 *   init: (_args: undefined) => 0,
 *   calls: { get: (state) => reply(state, state) },
 *   casts: { add: (state, by: number) => state + by },
 * });
 * const partKey = keyFor(part);
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", {
 *     strategy: "one_for_all",
 *     children: [child(part, undefined, { register: partKey() })],
 *   }),
 * );
 * const { inspector } = node;
 * inspector.exit("demo/part", "kill");
 * await node.settle();
 * const tree = inspector.tree();
 * console.log(tree?.name, tree?.strategy, tree?.restarts);
 * for (const row of tree?.children ?? [])
 *   console.log(row.name, row.pid, row.status, row.last_exit);
 * await node.stop();
 * ```
 *
 * ```text
 * top one_for_all { count: 1, intensity: 1, period_ms: 5000 }
 * demo/part #3 running killed
 * ```
 */
import { IsolateHost } from "../isolate/host.ts";
import { idText, type Process } from "../process/process.ts";
import { reasonText } from "../reason.ts";
import type { Child } from "../supervisor/child.ts";
import { SupervisorBehaviour } from "../supervisor/supervisor.ts";
import { statusWord } from "./process-view.ts";

/** Restarts against their budget. */
export interface RestartView {
  /** A supervisor: restarts inside its window. A worker: times it was restarted. */
  readonly count: number;
  /** Restarts allowed inside the window. */
  readonly intensity: number;
  /** The window, ms. */
  readonly period_ms: number;
}

/** One node of the tree, as the admin socket prints it. */
export interface TreeNode {
  /** Registered name, else the id under which its supervisor keeps it. */
  readonly name: string;
  /** Null while it does not run. */
  readonly pid: string | null;
  readonly kind: "supervisor" | "worker";
  /** starting, running, busy, suspended, stopping, restarting or undefined. */
  readonly status: string;
  /** Of a supervisor. */
  readonly strategy?: string;
  /** Restarts against the budget they count in. */
  readonly restarts: RestartView;
  /** Reason of its last end as text; absent when it never ended. */
  readonly last_exit?: string;
  /** In start order; empty for a worker. */
  readonly children: readonly TreeNode[];
}

/** The tree below a process. */
export function treeOf(process: Process, child?: Child): TreeNode {
  const { behaviour } = process;
  const own = childView(process, child);
  if (behaviour instanceof IsolateHost) return { ...own, ...isolatedView(behaviour) };
  if (!(behaviour instanceof SupervisorBehaviour)) {
    return { ...own, kind: "worker", children: [] };
  }
  const children: TreeNode[] = [];
  for (const inner of behaviour.children) children.push(childNode(inner, behaviour));
  return {
    ...own,
    kind: "supervisor",
    strategy: behaviour.setup.strategy,
    restarts: budget(behaviour, behaviour.window.count(process.kernel.now())),
    children,
  };
}

/** As the thread told it a moment ago. */
function isolatedView(host: IsolateHost): Pick<TreeNode, "kind" | "restarts" | "children"> {
  const tree = host.subtree?.tree;
  const restarts = tree?.restarts ?? { count: 0, intensity: 0, period_ms: 0 };
  const shown = tree?.strategy === undefined ? {} : { strategy: tree.strategy };
  return { kind: "supervisor", ...shown, restarts, children: tree?.children ?? [] };
}

function childNode(child: Child, owner: SupervisorBehaviour): TreeNode {
  const { process, spec } = child;
  const restarts = budget(owner, child.restarts);
  if (process !== undefined) {
    const node = treeOf(process, child);
    return node.kind === "supervisor" ? node : { ...node, restarts };
  }
  return {
    name: spec.name ?? idText(spec.id),
    pid: null,
    kind: spec.type,
    status: child.isRestarting ? "restarting" : "undefined",
    restarts,
    ...(child.lastExit === undefined ? {} : { last_exit: reasonText(child.lastExit) }),
    children: [],
  };
}

function childView(
  process: Process,
  child: Child | undefined,
): Omit<TreeNode, "kind" | "children"> {
  const lastExit = child?.lastExit;
  return {
    name: process.label,
    pid: process.pid,
    status: statusWord(process),
    restarts: { count: child?.restarts ?? 0, intensity: 0, period_ms: 0 },
    ...(lastExit === undefined ? {} : { last_exit: reasonText(lastExit) }),
  };
}

function budget(owner: SupervisorBehaviour, count: number): RestartView {
  const { intensity, period } = owner.setup;
  return { count, intensity, period_ms: period * 1000 };
}
