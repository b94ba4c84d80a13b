/** What the compiler refuses of isolated subtrees: each line marked below must not type-check. */
import { describe, expectTypeOf, it } from "vitest";
import { supervisor, type SupervisorSpec, transfer } from "../../../src/otp/index.ts";

const module = new URL("./subtree.ts", import.meta.url);

describe("isolated supervisors", () => {
  it("are supervisors like any other", () => {
    const box = supervisor("box", { isolate: "worker", from: { module }, restart: "transient" });
    expectTypeOf(box).toEqualTypeOf<SupervisorSpec>();
    supervisor("top", { children: [box] });
  });

  it("come from a module, not from children of this thread", () => {
    // @ts-expect-error no module
    supervisor("box", { isolate: "worker" });
    // @ts-expect-error no module, children instead
    supervisor("box", { isolate: "worker", children: [] });
    // @ts-expect-error both
    supervisor("box", { isolate: "worker", from: { module }, children: [] });
    // @ts-expect-error another kind of isolation
    supervisor("box", { isolate: "process", from: { module } });
    // @ts-expect-error a module for a supervisor of this thread
    supervisor("box", { children: [], from: { module } });
  });

  it("have the flags that their own spec has not", () => {
    // @ts-expect-error the budget is the inner supervisor's
    supervisor("box", { isolate: "worker", from: { module }, intensity: 3 });
  });
});

describe("transfer", () => {
  it("gives back what it marks", () => {
    expectTypeOf(transfer(new Uint8Array(1))).toEqualTypeOf<Uint8Array<ArrayBuffer>>();
    // @ts-expect-error a number has no buffer
    transfer(5);
  });
});
