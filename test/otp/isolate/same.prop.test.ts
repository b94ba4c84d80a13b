/** Whatever processes do to each other looks the same on one node and on two that are joined. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  child,
  type ChildSpec,
  createVirtualNode,
  type Ctx,
  defineActor,
  type Info,
  keyFor,
  type Monitor,
  next,
  type Reason,
  stop,
  supervisor,
  type VirtualNode,
} from "../../../src/otp/index.ts";
import { must } from "../support.ts";
import { joined, settleAll } from "./support.ts";

/** Runs what it is handed, tells what reaches it. */
const playerOf = (trapExit: boolean) =>
  defineActor({
    name: trapExit ? "test/trapping" : "test/plain",
    trapExit,
    init: (tell: (what: unknown) => void) => {
      tell("init");
      return tell;
    },
    casts: {
      act: (tell, body: (ctx: Ctx) => void, ctx) => {
        body(ctx);
        return tell;
      },
      note: (tell, what: number) => {
        tell(what);
        return tell;
      },
      end: (tell, reason: Reason) => stop(tell, reason),
    },
    on: (tell, info) => {
      tell(info);
      return next(tell);
    },
    terminate: (tell, reason) => tell(["terminate", reason]),
  });
const players = { plain: playerOf(false), trapping: playerOf(true) };
const keys = { plain: keyFor(players.plain, "n"), trapping: keyFor(players.trapping, "n") };

const NAMES = ["a", "b", "c", "d"] as const;
type Name = (typeof NAMES)[number];
/** a and b live outside, c and d inside; b and d trap exits. */
const kindOf = (name: Name) => (name === "b" || name === "d" ? "trapping" : "plain");
const keyOf = (name: Name) => keys[kindOf(name)](name);

type Deed =
  | { readonly do: "link" | "unlink" | "monitor" | "demonitor" | "end" }
  | { readonly do: "note"; readonly value: number }
  | { readonly do: "exit"; readonly reason: Reason };

interface Step {
  readonly by: Name;
  readonly to: Name;
  /** Done in one turn, so that their order counts. */
  readonly deeds: readonly Deed[];
}

const reason = fc.constantFrom<Reason>("normal", "boom", "kill", "shutdown", ["tuple", 1]);
const deed: fc.Arbitrary<Deed> = fc.oneof(
  fc.record({ do: fc.constantFrom("link", "unlink", "monitor", "demonitor", "end") }),
  fc.record({ do: fc.constant("note"), value: fc.nat(99) }),
  fc.record({ do: fc.constant("exit"), reason }),
) as fc.Arbitrary<Deed>;
const step: fc.Arbitrary<Step> = fc.record({
  by: fc.constantFrom(...NAMES),
  to: fc.constantFrom(...NAMES),
  deeds: fc.array(deed, { minLength: 1, maxLength: 4 }),
});

class Stage {
  readonly nodes: readonly VirtualNode[];
  private readonly home: (name: Name) => VirtualNode;
  private readonly told: Map<Name, unknown[]>;
  private readonly owners = new Map<string, string>();
  private readonly monitors = new Map<string, Monitor>();

  constructor(
    nodes: readonly VirtualNode[],
    home: (name: Name) => VirtualNode,
    told: Map<Name, unknown[]>,
  ) {
    this.nodes = nodes;
    this.home = home;
    this.told = told;
    for (const [index, { registry }] of nodes.entries()) {
      for (const { name, pid } of registry.select("")) this.owners.set(`${index} ${pid}`, name);
      registry.listen((_change, name, pid) => this.owners.set(`${index} ${pid}`, name));
    }
  }

  async play({ by, to, deeds }: Step): Promise<unknown> {
    this.told.clear();
    const who = must(this.home(by).whereis(keyOf(by)));
    who.cast.act((ctx: Ctx) => {
      for (const each of deeds) this.perform(ctx, by, to, each);
    });
    await settleAll(...this.nodes);
    return NAMES.map((name) => {
      const index = this.nodes.indexOf(this.home(name));
      const lines = (this.told.get(name) ?? []).map((what) => this.lineOf(index, what));
      // Of two senders nobody knows who was first.
      return [name, name === to ? lines : lines.toSorted()];
    });
  }

  private perform(ctx: Ctx, by: Name, to: Name, each: Deed): void {
    const key = keyOf(to);
    switch (each.do) {
      case "note":
        ctx.whereis(key)?.cast.note(each.value);
        return;
      case "end":
        ctx.whereis(key)?.cast.end("ended");
        return;
      case "exit":
        ctx.exit(key, each.reason);
        return;
      case "monitor":
        this.monitors.set(`${by} ${to}`, ctx.monitor(key));
        return;
      case "demonitor": {
        const monitor = this.monitors.get(`${by} ${to}`);
        if (monitor !== undefined) ctx.demonitor(monitor);
        return;
      }
      default:
        ctx[each.do](key);
    }
  }

  /** A line with names for pids, which differ between nodes. */
  private lineOf(index: number, what: unknown): string {
    const info = what as Info;
    if (info.type === "exit") {
      const from = this.owners.get(`${index} ${info.from}`) ?? info.from;
      return `exit ${from} ${JSON.stringify(info.reason)}`;
    }
    if (info.type === "down") return `down ${JSON.stringify(info.reason)}`;
    return JSON.stringify(what);
  }
}

const childrenOf = (names: readonly Name[], told: Map<Name, unknown[]>): ChildSpec[] =>
  names.map((name) => {
    const tell = (what: unknown): void => {
      const list = told.get(name);
      if (list === undefined) told.set(name, [what]);
      else list.push(what);
    };
    const kind = kindOf(name);
    return child(players[kind], tell, { register: keys[kind](name) });
  });

async function together(): Promise<Stage> {
  const told = new Map<Name, unknown[]>();
  const node = createVirtualNode();
  await node.start(
    supervisor("top", { intensity: 10_000, children: childrenOf(["a", "b"], told) }),
  );
  const top = must(node.supervisor("top"));
  const inside = supervisor("inside", {
    intensity: 10_000,
    children: childrenOf(["c", "d"], told),
  });
  await node.drive(top.startChild(inside));
  return new Stage([node], () => node, told);
}

async function apart(): Promise<Stage> {
  const told = new Map<Name, unknown[]>();
  const { outer, inner } = await joined(childrenOf(["a", "b"], told), childrenOf(["c", "d"], told));
  const home = (name: Name): VirtualNode => (name === "a" || name === "b" ? outer : inner);
  return new Stage([outer, inner], home, told);
}

describe("links, monitors, exits and casts", () => {
  it("mean the same across a bridge as within one node", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 8 }), async (steps) => {
        const [one, two] = [await together(), await apart()];
        for (const each of steps) {
          const [expected, seen] = [await one.play(each), await two.play(each)];
          expect(seen).toEqual(expected);
        }
      }),
      { numRuns: 150 },
    );
  });
});
