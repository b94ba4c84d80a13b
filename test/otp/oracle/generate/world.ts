/** What the steps of a scenario can point at. */
import type { NodeSpec } from "../scenario.ts";

/** A supervisor of the tree, with its path. */
export interface Place {
  readonly path: string;
  readonly spec: NodeSpec;
}

/** Labels that dynamic children get. */
export const LABELS = ["x1", "x2", "x3"];

/** Paths of one tree. */
export class World {
  readonly supervisors: Place[] = [];
  readonly workers: Place[] = [];

  constructor(tree: NodeSpec) {
    this.add(tree, tree.id);
  }

  worker(n: number): Place {
    return at(this.workers, n) ?? { path: "root/nobody", spec: { id: "nobody" } };
  }

  /**
   * A worker that traps and is not killed: it hears of a partner's death before it ends itself. Who
   * can be ended without a turn of its own may hear of it or not, whoever is faster.
   */
  hearer(n: number): Place | undefined {
    return at(
      this.workers.filter(({ spec }) => isHearing(spec)),
      n,
    );
  }

  /** A partner for a link: it may die of it, but must not be killed besides. */
  partner(n: number): Place | undefined {
    return at(
      this.workers.filter(({ spec }) => spec.shutdown !== "brutal_kill"),
      n,
    );
  }

  supervisor(n: number): Place {
    return at(this.supervisors, n) as Place;
  }

  /** Workers right below a supervisor. */
  workersOf(parent: string): Place[] {
    return this.workers.filter(({ path }) => path.slice(0, path.lastIndexOf("/")) === parent);
  }

  /** Id of a static child, or of nobody. */
  childId(sup: Place, n: number): string {
    return at(sup.spec.children ?? [], n)?.id ?? "w0";
  }

  private add(spec: NodeSpec, path: string): void {
    const { children, template } = spec;
    if (children === undefined && template === undefined) {
      this.workers.push({ path, spec });
      return;
    }
    this.supervisors.push({ path, spec });
    if (template !== undefined) {
      for (const label of LABELS) this.workers.push({ path: `${path}/${label}`, spec: template });
    }
    for (const inner of children ?? []) this.add(inner, `${path}/${inner.id}`);
  }
}

function isHearing(spec: NodeSpec): boolean {
  return spec.trap_exit !== false && spec.shutdown !== "brutal_kill";
}

/** Picks by a number of any size, so that shrinking a tree keeps steps meaningful. */
export function at<T>(list: readonly T[], n: number): T | undefined {
  return list.length === 0 ? undefined : list[n % list.length];
}
