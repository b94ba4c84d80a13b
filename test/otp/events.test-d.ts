/** What the compiler knows of telemetry: the runtime's events by name, all others open (otp.md 6.1). */
import { describe, expectTypeOf, it } from "vitest";
import {
  type Ctx,
  createVirtualNode,
  type Reason,
  type RuntimeEvent,
  type RuntimeEvents,
  type TelemetryEvent,
  type TelemetryHandler,
} from "../../src/otp/index.ts";
import type { Kernel } from "../../src/otp/process/kernel.ts";
import type { Process } from "../../src/otp/process/process.ts";

const { telemetry } = createVirtualNode();
const kernel = {} as Kernel;
const process = {} as Process;
const ctx = {} as Ctx;

describe("attach", () => {
  it("types the fields of a runtime event by its name", () => {
    telemetry.attach("one", "otp.exit", (event) => {
      expectTypeOf(event.name).toEqualTypeOf<"otp.exit">();
      expectTypeOf(event.fields.reason).toEqualTypeOf<Reason>();
      expectTypeOf(event.fields.uptimeMs).toEqualTypeOf<number>();
      expectTypeOf(event.fields.worker).toEqualTypeOf<string | undefined>();
      expectTypeOf(event.process).toEqualTypeOf<string | undefined>();
      expectTypeOf(event.seq).toEqualTypeOf<number>();
    });
    telemetry.attach("list", ["otp.exit"], ({ fields }) => {
      expectTypeOf(fields.reason).toEqualTypeOf<Reason>();
      // @ts-expect-error no such field
      return fields.raeson;
    });
  });

  it("tells several events apart by their names, an application's among them", () => {
    telemetry.attach("many", ["otp.exit", "otp.turn.long", "demo.sold"], (event) => {
      if (event.name === "otp.exit") expectTypeOf(event.fields.turns).toEqualTypeOf<number>();
      else if (event.name === "demo.sold") {
        expectTypeOf(event.fields).toEqualTypeOf<Readonly<Record<string, unknown>>>();
      } else expectTypeOf(event.fields.alarm).toEqualTypeOf<true | undefined>();
    });
  });

  it("is open for other names, names known only at run time, and all", () => {
    const names: readonly string[] = ["otp.exit"];
    const open: TelemetryHandler = () => {};
    telemetry.attach("names", names, (event) => {
      expectTypeOf(event.fields["x"]).toBeUnknown();
    });
    telemetry.attach("all", "*", (event) => expectTypeOf(event).toEqualTypeOf<TelemetryEvent>());
    telemetry.attach("handler", ["otp.exit", "demo.sold"], open);
    telemetry.attach("handler", "otp.report", open);
  });
});

describe("the union of runtime events", () => {
  it("is told apart by name, and fits where any event does", () => {
    const turnsOf = (event: RuntimeEvent): number =>
      event.name === "otp.exit" ? event.fields.turns : 0;
    expectTypeOf(turnsOf).returns.toBeNumber();
    expectTypeOf<RuntimeEvent>().toExtend<TelemetryEvent>();
    expectTypeOf<RuntimeEvents["otp.init"]["result"]>().toEqualTypeOf<
      "ok" | "ignore" | readonly ["error", Reason]
    >();
  });
});

describe("emit", () => {
  it("takes a runtime event with its own fields only", () => {
    telemetry.emit("otp.dead_letter", { target: "#1", type: "x" });
    // @ts-expect-error a field is missing
    telemetry.emit("otp.dead_letter", { target: "#1" });
    // @ts-expect-error a field is of another type
    telemetry.emit("otp.dead_letter", { target: 1, type: "x" });
    // @ts-expect-error a field too many
    telemetry.emit("otp.dead_letter", { target: "#1", type: "x", extra: 1 });
    // @ts-expect-error all fields are missing
    telemetry.emit("otp.dead_letter");
    // @ts-expect-error no event of the runtime
    telemetry.emit("otp.dead_leter", { target: "#1", type: "x" });
    // @ts-expect-error no event of the runtime
    telemetry.emit("otp.dead_leter");
  });

  it("is open for an application's events", () => {
    telemetry.emit("demo.sold");
    telemetry.emit("demo.sold", { price: 3 }, "shop");
    for (const name of ["demo.sold"]) telemetry.emit(name, { price: 3 });
    ctx.emit("demo.sold");
    ctx.emit("demo.sold", { price: 3 });
  });
});

describe("the kernel's event", () => {
  it("takes the fields of its name besides the pid, which it adds", () => {
    kernel.event("otp.children.full", process, { limit: 3 });
    // @ts-expect-error a field is of another type
    kernel.event("otp.children.full", process, { limit: "3" });
    // @ts-expect-error a field is missing
    kernel.event("otp.children.full", process, {});
    // @ts-expect-error a field too many
    kernel.event("otp.children.full", process, { limit: 3, max: 3 });
    // @ts-expect-error no event of the runtime
    kernel.event("otp.children.ful", process, { limit: 3 });
    // @ts-expect-error not about a process by its pid
    kernel.event("otp.dead_letter", process, { target: "#1", type: "x" });
    // @ts-expect-error an application's events go through Ctx.emit
    kernel.event("demo.sold", process, {});
  });
});
