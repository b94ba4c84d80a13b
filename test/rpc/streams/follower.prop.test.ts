import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Head } from "../../../src/rpc/subscription/chain/block.ts";
import { Recorder, block } from "./follower-kit.ts";

const EMPTY_BLOOM = `0x${"0".repeat(512)}`;

type Step =
  | { readonly do: "grow" }
  | { readonly do: "reorg"; readonly depth: number }
  | {
      readonly do: "speak";
      readonly provider: number;
      readonly all: boolean;
      readonly late: boolean;
    }
  | { readonly do: "down"; readonly provider: number }
  | { readonly do: "up"; readonly provider: number }
  | { readonly do: "answer"; readonly fails: boolean }
  | { readonly do: "wait"; readonly ms: number };

const provider = fc.integer({ min: 0, max: 2 });
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.constant({ do: "grow" as const }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("reorg" as const),
      depth: fc.integer({ min: 1, max: 6 }),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant("speak" as const),
      provider,
      all: fc.boolean(),
      late: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("down" as const), provider }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("up" as const), provider }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("answer" as const), fails: fc.boolean() }) },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("wait" as const),
      ms: fc.integer({ min: 50, max: 4_000 }),
    }),
  },
);

/** One true chain, three providers that see it sooner or later, and a client that checks. */
class World {
  readonly r = new Recorder({ maxBackfillBlocks: 1_000, backfillTimeoutMs: 10_000_000 });
  private chain: Head[] = [];
  private made = 0;
  private readonly views: { head: string; isUp: boolean }[] = [];

  constructor() {
    this.r.watched().withLogs();
    this.grow();
    for (let i = 0; i < 3; i++) this.views.push({ head: "", isUp: false });
    for (let i = 0; i < 3; i++) this.up(i);
    this.r.wait(5_000);
  }

  grow(): void {
    const number = this.chain.length + 1;
    const hash = `h${number}.${this.made++}`;
    const logs = this.made % 3;
    const made: Head = {
      ...block(hash, number, this.chain.at(-1)?.hash ?? "genesis"),
      ...(logs === 0 ? { bloom: EMPTY_BLOOM } : {}),
    };
    this.chain.push(made);
    this.r.knows([made]);
    this.r.hasLogs(hash, logs);
  }

  run(step: Step): void {
    switch (step.do) {
      case "grow":
        return this.grow();
      case "reorg": {
        const depth = Math.min(step.depth, this.chain.length - 1);
        this.chain = this.chain.slice(0, this.chain.length - depth);
        for (let i = 0; i <= depth; i++) this.grow();
        return;
      }
      case "speak":
        return this.speak(step.provider, step.all, step.late);
      case "down":
        this.views[step.provider]!.isUp = false;
        return this.r.follower.logs.sourceDown(`p${step.provider}`, this.r.now);
      case "up":
        return this.up(step.provider);
      case "answer":
        if (!step.fails) return this.r.answer();
        for (const need of this.r.follower.needs.due(this.r.now)) {
          if (need.kind === "logs") this.r.follower.logsAnswer(need, undefined, this.r.now);
          else this.r.follower.blockAnswer(need, undefined, this.r.now);
        }
        return;
      case "wait":
        this.r.wait(step.ms);
    }
  }

  /** The provider catches up: every head on the way, or the last one only, as nodes do. */
  speak(index: number, all: boolean, late: boolean): void {
    const view = this.views[index]!;
    if (!view.isUp) return;
    const at = this.chain.findIndex((known) => known.hash === view.head);
    const news = this.chain.slice(at + 1);
    // After a reorg the provider's old head is not on the chain: it tells the new branch.
    const told = at < 0 && view.head !== "" ? this.branchAfter(view.head) : news;
    for (const [i, head] of told.entries()) {
      const isTold = all || i === told.length - 1;
      if (!late) this.tellLogs(head);
      if (isTold) this.r.head(`p${index}`, head);
      if (late) this.tellLogs(head);
    }
    view.head = this.chain.at(-1)?.hash ?? "";
  }

  private branchAfter(hash: string): readonly Head[] {
    let at = this.r.blocks.get(hash);
    while (at !== undefined && !this.chain.includes(at)) at = this.r.blocks.get(at.parentHash);
    return this.chain.slice(at === undefined ? 0 : this.chain.indexOf(at) + 1);
  }

  private tellLogs(head: Head): void {
    const count = this.r.logCounts.get(head.hash) ?? 0;
    for (let i = 0; i < count; i++) this.r.log(head.hash, head.number, i);
  }

  /** A node that comes up tells what is new from now on, nothing of before. */
  up(index: number): void {
    const view = this.views[index]!;
    if (view.isUp) return;
    view.isUp = true;
    view.head = this.chain.at(-1)?.hash ?? "";
    this.r.follower.logs.sources.up(`p${index}`, this.r.now);
  }

  finish(): void {
    for (let i = 0; i < 3; i++) this.up(i);
    this.grow();
    this.grow();
    for (let i = 0; i < 3; i++) this.speak(i, true, false);
    for (let i = 0; i < 50; i++) {
      this.r.wait(4_000);
      this.r.answer();
    }
  }

  private isAncestor(hash: string, of: string | undefined): boolean {
    let at = of === undefined ? undefined : this.r.blocks.get(of);
    if (at === undefined) return true;
    while (at !== undefined && at.hash !== hash) at = this.r.blocks.get(at.parentHash);
    return at !== undefined || hash === "genesis";
  }

  /** What a client of both streams makes of the events. */
  check(): void {
    const stack: string[] = [];
    const logs = new Set<string>();
    for (const event of this.r.events) {
      const text = event.slice(1);
      if (event.startsWith("head ")) {
        const head = this.r.blocks.get(event.slice(5))!;
        const parent = stack.indexOf(head.parentHash);
        // A reorg may go below the first head the client saw: then it goes on from an ancestor of it.
        const isLinked = parent >= 0 || this.isAncestor(head.parentHash, stack[0]);
        expect(isLinked, `${event} has no parent`).toBe(true);
        stack.splice(parent + 1);
        stack.push(head.hash);
      } else if (event.startsWith("+")) {
        expect(logs.has(text), `${event} twice`).toBe(false);
        logs.add(text);
      } else if (event.startsWith("-")) {
        expect(logs.delete(text), `${event} was not there`).toBe(true);
      } else expect(event).toMatch(/^(reorg|contested)/);
    }
    const truth = this.chain.map((head) => head.hash);
    const start = truth.indexOf(stack[0] ?? "");
    expect(start).toBeGreaterThanOrEqual(0);
    expect(stack).toEqual(truth.slice(start));
    const wanted = truth
      .slice(start)
      .flatMap((hash) =>
        Array.from({ length: this.r.logCounts.get(hash) ?? 0 }, (_, i) => `${hash}:${i}`),
      );
    expect([...logs].toSorted()).toEqual(wanted.toSorted());
  }
}

describe("any interleaving of providers, drops and reorgs", () => {
  it("shows every canonical event exactly once, heads parent-linked, removed only after added", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 120 }), (steps) => {
        const world = new World();
        world.speak(0, true, false);
        world.grow();
        world.speak(0, true, false);
        for (const next of steps) world.run(next);
        world.finish();
        world.check();
      }),
      { numRuns: 1_000 },
    );
  });
});
