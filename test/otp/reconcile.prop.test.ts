/** Reconciling a running tree with new specs: the plan, and what carrying it out leaves. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  child,
  type ChildSpec,
  dynamicSupervisor,
  linesOfPlan,
  type Reconciled,
  supervisor,
  type SupervisorSpec,
  type TreeNode,
  type VirtualNode,
} from "../../src/otp/index.ts";
import { must, probe, type ProbeArgs, probeKey, startTop, trapper } from "./support.ts";

interface WantedWorker {
  readonly id: string;
  readonly version: number;
  readonly restart: "permanent" | "transient";
}
interface WantedSupervisor {
  readonly id: string;
  readonly intensity: number;
  readonly children: readonly (WantedWorker | WantedSupervisor)[];
}
type Wanted = WantedWorker | WantedSupervisor;

const specOf = (wanted: Wanted): ChildSpec =>
  "children" in wanted
    ? supervisorOf(wanted)
    : child(
        probe,
        { name: `${wanted.id}.${wanted.version}` },
        { id: wanted.id, restart: wanted.restart },
      );
const supervisorOf = ({ id, intensity, children }: WantedSupervisor): SupervisorSpec =>
  supervisor(id, { intensity, children: children.map(specOf) });

const workers = fc.record({
  id: fc.constantFrom("a", "b", "c", "d", "e"),
  version: fc.integer({ min: 1, max: 2 }),
  restart: fc.constantFrom("permanent" as const, "transient" as const),
});
const { root } = fc.letrec<{ root: WantedSupervisor; inner: WantedSupervisor }>((tie) => ({
  root: fc.record({
    id: fc.constant("top"),
    intensity: fc.integer({ min: 1, max: 3 }),
    children: fc.uniqueArray(fc.oneof(workers, tie("inner")), {
      selector: ({ id }) => id,
      maxLength: 6,
    }),
  }),
  inner: fc.record({
    id: fc.constantFrom("s1", "s2", "a"),
    intensity: fc.integer({ min: 1, max: 3 }),
    children: fc.uniqueArray(workers, { selector: ({ id }) => id, maxLength: 4 }),
  }),
}));

/** What runs, by path: what it was started with, and its pid. */
const running = async (
  node: VirtualNode,
): Promise<Map<string, { readonly what: string; readonly pid: string }>> => {
  const found = new Map<string, { readonly what: string; readonly pid: string }>();
  const walk = async (tree: TreeNode, path: string): Promise<void> => {
    const pid = must(tree.pid ?? undefined);
    if (tree.kind === "supervisor") {
      found.set(path, { what: `supervisor ${tree.restarts.intensity}`, pid });
    } else {
      const { name } = (await node.inspector.getState(pid)) as ProbeArgs;
      found.set(path, { what: name, pid });
    }
    for (const inner of tree.children) await walk(inner, `${path}/${inner.name}`);
  };
  await walk(must(node.inspector.tree()), "top");
  return found;
};
const expected = (wanted: Wanted, path: string): [string, string][] =>
  "children" in wanted
    ? [
        [path, `supervisor ${wanted.intensity}`],
        ...wanted.children.flatMap((inner) => expected(inner, `${path}/${inner.id}`)),
      ]
    : [[path, `${wanted.id}.${wanted.version}`]];
/** Paths whose process must be the same before and after: the same start, all the way up. */
const untouched = (from: Wanted, to: Wanted, path: string): string[] => {
  if ("children" in from !== "children" in to) return [];
  if (!("children" in from) || !("children" in to)) {
    return (from as WantedWorker).version === (to as WantedWorker).version ? [path] : [];
  }
  const inner = from.children.flatMap((left) => {
    const right = to.children.find(({ id }) => id === left.id);
    return right === undefined ? [] : untouched(left, right, `${path}/${left.id}`);
  });
  return [path, ...inner];
};

const apply = async (
  node: VirtualNode,
  spec: SupervisorSpec,
  options: { readonly dryRun?: boolean } = {},
): Promise<Reconciled> => {
  const result = await node.drive(node.inspector.reconcile("top", spec, options));
  if (!result.ok) throw new Error(`refused: ${JSON.stringify(result.reason)}`);
  return result;
};

describe("reconciling any tree with any other", () => {
  it("yields the wanted tree in its order, and what is the same keeps its process", async () => {
    await fc.assert(
      fc.asyncProperty(root, root, async (from, to) => {
        const node = await startTop(from.children.map(specOf), { intensity: from.intensity });
        const before = await running(node);
        const { failures } = await apply(node, supervisorOf(to));
        const after = await running(node);
        expect(failures).toEqual([]);
        expect([...after].map(([path, { what }]) => [path, what])).toEqual(expected(to, "top"));
        for (const path of untouched(from, to, "top")) {
          expect(after.get(path)?.pid, path).toBe(before.get(path)?.pid);
        }
        await node.stop();
      }),
      { numRuns: 150 },
    );
  });

  it("has nothing left to do afterwards, and a dry run does nothing at all", async () => {
    await fc.assert(
      fc.asyncProperty(root, root, async (from, to) => {
        const node = await startTop(from.children.map(specOf), { intensity: from.intensity });
        const before = await running(node);
        const dry = await apply(node, supervisorOf(to), { dryRun: true });
        expect(dry.isApplied).toBe(false);
        expect(await running(node)).toEqual(before);
        const { plan } = await apply(node, supervisorOf(to));
        expect(plan).toEqual(dry.plan);
        const again = await apply(node, supervisorOf(to));
        expect(linesOfPlan(again.plan)).toEqual([]);
        expect(again.plan.isEmpty).toBe(true);
        await node.stop();
      }),
      { numRuns: 80 },
    );
  });
});

describe("a plan", () => {
  it("names stops from the last to the first, then the rest in start order", async () => {
    const worker = (id: string, version: number) => specOf({ id, version, restart: "permanent" });
    const node = await startTop([worker("a", 1), worker("b", 1), worker("c", 1), worker("d", 1)]);
    const next = supervisor("top", {
      intensity: 5,
      children: [worker("d", 1), worker("e", 1), worker("a", 2)],
    });
    const { plan } = await apply(node, next, { dryRun: true });
    expect(linesOfPlan(plan)).toEqual([
      "flag intensity",
      "reorder top",
      "stop c",
      "stop b",
      "start e",
      "restart a",
    ]);
  });

  it("stops in reverse and starts in order, before and after", async () => {
    const log: string[] = [];
    const worker = (id: string, n: number) =>
      child(trapper, { name: id, log, terminateMs: n }, { id });
    const node = await startTop(["a", "b", "c"].map((id) => worker(id, 1)));
    log.length = 0;
    const next = supervisor("top", {
      intensity: 100,
      children: ["x", "a", "c"].map((id) => worker(id, 2)),
    });
    await apply(node, next);
    expect(log).toEqual([
      "terminate c shutdown",
      "terminate b shutdown",
      "terminate a shutdown",
      "init x",
      "init a",
      "init c",
    ]);
  });

  it("compares start arguments as data, class instances by their own equals", async () => {
    class Secret {
      readonly #text: string;
      constructor(text: string) {
        this.#text = text;
      }
      equals(other: Secret): boolean {
        return other.#text === this.#text;
      }
    }
    class Sealed {
      readonly #text: string;
      constructor(text: string) {
        this.#text = text;
      }
      get length(): number {
        return this.#text.length;
      }
    }
    const f = (): void => {};
    const same: [unknown, unknown, boolean][] = [
      [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, true],
      [{ a: 1 }, { a: 1, b: undefined }, false],
      [new Map([["k", { v: 1 }]]), new Map([["k", { v: 1 }]]), true],
      [new Set([1]), new Set([2]), false],
      [new Date(1), new Date(1), true],
      [f, f, true],
      [() => {}, () => {}, false],
      [new Secret("x"), new Secret("x"), true],
      [new Secret("x"), new Secret("y"), false],
      [new Sealed("x"), new Sealed("x"), false],
    ];
    for (const [from, to, isSame] of same) {
      const spec = (extra: unknown) =>
        child(probe, { name: "a", extra } as ProbeArgs, { register: probeKey("a") });
      const node = await startTop([spec(from)]);
      const next = supervisor("top", { intensity: 100, children: [spec(to)] });
      const { plan } = await apply(node, next, { dryRun: true });
      expect(plan.isEmpty, String(from)).toBe(isSame);
    }
  });

  it("starts a child anew whose registered name is another", async () => {
    const named = (n: string) => child(probe, { name: "a" }, { id: "a", register: probeKey(n) });
    const node = await startTop([named("old")]);
    const next = supervisor("top", { intensity: 100, children: [named("new")] });
    expect(linesOfPlan((await apply(node, next)).plan)).toEqual(["restart a"]);
    expect(node.inspector.names("test/").map(({ name }) => name)).toEqual([probeKey("new").name]);
  });

  it("leaves a child alone that an operator stopped, unless it is now another", async () => {
    const worker = (id: string, version: number) => specOf({ id, version, restart: "permanent" });
    const node = await startTop([worker("a", 1), worker("b", 1)]);
    const top = must(node.supervisor("top"));
    await top.terminateChild("a");
    await top.terminateChild("b");
    const next = supervisor("top", { intensity: 100, children: [worker("a", 1), worker("b", 2)] });
    const { plan } = await apply(node, next);
    expect(linesOfPlan(plan)).toEqual(["start b"]);
    expect((await top.whichChildren()).map(({ pid }) => pid)).toEqual(["#4", undefined]);
  });

  it("gives a dynamic supervisor its new template and leaves its children running", async () => {
    const many = (max: number) =>
      dynamicSupervisor("many", {
        maxChildren: max,
        template: (args: ProbeArgs) => child(probe, args, { id: args.name }),
      });
    const node = await startTop([many(5)]);
    const ref = must(node.supervisor<ProbeArgs>("many"));
    await ref.startChild({ name: "x" });
    const { plan } = await apply(node, supervisor("top", { intensity: 100, children: [many(1)] }));
    expect(linesOfPlan(plan)).toEqual(["flag many/maxChildren"]);
    expect(await ref.startChild({ name: "y" })).toEqual({ ok: false, reason: "max_children" });
    expect(await ref.countChildren()).toMatchObject({ active: 1 });
  });
});

describe("reconciling what cannot be", () => {
  it("is a refusal by value, however deep the mistake, and changes nothing", async () => {
    const node = await startTop([specOf({ id: "a", version: 1, restart: "permanent" })]);
    const before = await running(node);
    const deep = supervisor("in", { intensity: -1, children: [] });
    const next = supervisor("top", { children: [deep] });
    expect(await node.inspector.reconcile("top", next)).toEqual({
      ok: false,
      reason: ["start_spec", "in", ["invalid_intensity", -1]],
    });
    const other = supervisor("other", { children: [] });
    expect(await node.inspector.reconcile("top", other)).toEqual({
      ok: false,
      reason: ["other_supervisor", "top", "other"],
    });
    const [worker] = node.inspector.processes().slice(1);
    expect(await node.inspector.reconcile(must(worker).pid, other)).toMatchObject({ ok: false });
    expect(await running(node)).toEqual(before);
  });

  it("says which children did not start, and brings the others in line", async () => {
    const node = await startTop([]);
    const bad = child(
      probe,
      {
        name: "bad",
        onInit: () => {
          throw new Error("no");
        },
      },
      { id: "bad" },
    );
    const inner = supervisor("in", { children: [] });
    await apply(node, supervisor("top", { intensity: 100, children: [inner] }));
    const good = specOf({ id: "good", version: 1, restart: "permanent" });
    const filled = supervisor("in", { children: [bad, good] });
    const { failures } = await apply(
      node,
      supervisor("top", { intensity: 100, children: [filled] }),
    );
    expect(failures).toMatchObject([{ path: ["in", "bad"], reason: { error: { message: "no" } } }]);
    expect(must(node.inspector.tree()?.children[0]).children.map(({ status }) => status)).toEqual([
      "undefined",
      "running",
    ]);
  });

  it("does not wait for a nested supervisor that an operator suspended", async () => {
    const inner = (intensity: number) => supervisor("in", { intensity, children: [] });
    const node = await startTop([inner(1)]);
    await node.inspector.suspend("in");
    const next = supervisor("top", { intensity: 100, children: [inner(2)] });
    expect((await apply(node, next)).failures).toEqual([{ path: ["in"], reason: "suspended" }]);
  });
});
