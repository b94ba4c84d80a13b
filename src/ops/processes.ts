/** Figures about the processes of our tree, from what the inspector reads. */
import type { ProcessesView } from "./views.ts";

/** One living process, as far as it is counted. */
export interface CountedProcess {
  readonly kind: "supervisor" | "worker" | "task";
  readonly mailbox: number;
}

/** One place of the tree, as far as it is counted. */
export interface CountedTreeNode {
  readonly name: string;
  readonly kind: "supervisor" | "worker";
  readonly restarts: { readonly count: number; readonly intensity: number };
  readonly children: readonly CountedTreeNode[];
}

/** Restarts of the processes of a chain and of each of its providers, by registered name. */
export interface ChainRestarts {
  readonly own: number;
  readonly byProvider: ReadonlyMap<string, number>;
}

/** Counts of processes, messages and restarts, and the supervisor closest to giving up. */
export function processesView(
  processes: readonly CountedProcess[],
  tree: CountedTreeNode | undefined,
): ProcessesView {
  const mailboxes = processes.map(({ mailbox }) => mailbox);
  const nodes = flattened(tree);
  const budgets = nodes
    .filter(({ kind, restarts }) => kind === "supervisor" && restarts.intensity > 0)
    .map(({ name, restarts }) => ({ supervisor: name, ratio: restarts.count / restarts.intensity }))
    .sort((a, b) => b.ratio - a.ratio);
  return {
    supervisors: processes.filter(({ kind }) => kind === "supervisor").length,
    workers: processes.filter(({ kind }) => kind !== "supervisor").length,
    restarts: nodes
      .filter(({ kind }) => kind === "worker")
      .reduce((sum, { restarts }) => sum + restarts.count, 0),
    mailboxMessages: mailboxes.reduce((sum, length) => sum + length, 0),
    mailboxMaxMessages: mailboxes.reduce((max, length) => Math.max(max, length), 0),
    worstBudget: budgets[0],
  };
}

/** Restarts by chain, from workers named `rpc/chain/<chain>[/provider/<provider>]/…`. */
export function restartsByChain(
  tree: CountedTreeNode | undefined,
): ReadonlyMap<string, ChainRestarts> {
  const chains = new Map<string, { own: number; byProvider: Map<string, number> }>();
  for (const { name, kind, restarts } of flattened(tree)) {
    const [domain, part, chain, next, provider] = name.split("/");
    if (kind !== "worker" || domain !== "rpc" || part !== "chain" || chain === undefined) continue;
    const entry = chains.get(chain) ?? { own: 0, byProvider: new Map<string, number>() };
    chains.set(chain, entry);
    if (next === "provider" && provider !== undefined) {
      entry.byProvider.set(provider, (entry.byProvider.get(provider) ?? 0) + restarts.count);
    } else entry.own += restarts.count;
  }
  return chains;
}

function flattened(tree: CountedTreeNode | undefined): readonly CountedTreeNode[] {
  const found: CountedTreeNode[] = [];
  const waiting = tree === undefined ? [] : [tree];
  for (let node = waiting.pop(); node !== undefined; node = waiting.pop()) {
    found.push(node);
    waiting.push(...node.children);
  }
  return found;
}
