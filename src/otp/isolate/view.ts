/**
 * What operators see of an isolated subtree: a copy that its worker sends when it has changed.
 */
import type { ProcessRow } from "../node/process-view.ts";
import type { TreeNode } from "../node/tree-view.ts";
import type { Bridge } from "./bridge.ts";

/** Tree and processes of one worker. */
export interface View {
  readonly tree: TreeNode;
  readonly rows: readonly ProcessRow[];
}

/** The same with pids as they read on this side. */
export function viewFrom(bridge: Bridge, { tree, rows }: View): View {
  const pidOf = (pid: string): string => bridge.pidOf(pid);
  const nodeFrom = (node: TreeNode): TreeNode => ({
    ...node,
    pid: node.pid === null ? null : pidOf(node.pid),
    children: node.children.map(nodeFrom),
  });
  return {
    tree: nodeFrom(tree),
    rows: rows.map((row) => ({ ...row, pid: pidOf(row.pid), links: row.links.map(pidOf) })),
  };
}
