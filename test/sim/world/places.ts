/** The supervision tree as a list of places, each with its way from the root. */
import type { TreeNode } from "../../../src/otp/index.ts";

/** One place of the tree; whoever holds it changes, the place stays. */
export interface Place {
  readonly name: string;
  /** Names from the root down, joined by " > ". */
  readonly path: string;
  readonly kind: "supervisor" | "worker";
  readonly pid: string | null;
  readonly status: string;
  /** 0 for the root. */
  readonly depth: number;
  /** Names of the supervisors above, the root first. */
  readonly ancestors: readonly string[];
}

/** Every place of a tree, parents before children. */
export const placesOf = (root: TreeNode | undefined): readonly Place[] => {
  const found: Place[] = [];
  const visit = (node: TreeNode, ancestors: readonly string[]): void => {
    const { name, kind, pid, status, children } = node;
    const way = [...ancestors, name];
    const path = way.join(" > ");
    found.push({ name, path, kind, pid, status, depth: ancestors.length, ancestors });
    for (const child of children) visit(child, way);
  };
  if (root !== undefined) visit(root, []);
  return found;
};
