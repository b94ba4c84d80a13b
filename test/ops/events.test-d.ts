/** The event table of logs and docs says exactly what the runtime emits: names, fields, which of them always. */
import { describe, expectTypeOf, it } from "vitest";
import type { EVENTS } from "../../src/ops/events.ts";
import type { RuntimeEventName, RuntimeEvents } from "../../src/otp/index.ts";

type Table = typeof EVENTS;
type Told<N extends keyof Table> = Table[N] extends { readonly optional: readonly (infer F)[] }
  ? F
  : never;

/** Fields that may be missing, or undefined where they are not known. */
type SometimesOf<F> = {
  [K in keyof F]-?: object extends Pick<F, K>
    ? K
    : unknown extends F[K]
      ? never
      : undefined extends F[K]
        ? K
        : never;
}[keyof F];

type RuntimeRows = {
  [N in RuntimeEventName]: {
    always: Exclude<keyof RuntimeEvents[N], SometimesOf<RuntimeEvents[N]>>;
    sometimes: SometimesOf<RuntimeEvents[N]>;
  };
};
type TableRows = {
  [N in RuntimeEventName]: { always: Table[N]["fields"][number]; sometimes: Told<N> };
};

describe("the event table", () => {
  it("has a row for each event of the runtime, and no other row under its names", () => {
    type Names = Extract<keyof Table, `otp.${string}` | `telemetry.${string}`>;
    expectTypeOf<Names>().toEqualTypeOf<RuntimeEventName>();
  });

  it("names the fields that are always there, and those that are there when they are known", () => {
    expectTypeOf<TableRows>().toEqualTypeOf<RuntimeRows>();
  });

  it("would be caught with a field too few, or one that is not always there", () => {
    type Short = Omit<RuntimeRows, "otp.sys"> & { "otp.sys": { always: "pid"; sometimes: never } };
    expectTypeOf<TableRows>().not.toEqualTypeOf<Short>();
    type Loose = Omit<RuntimeRows, "otp.sys"> & {
      "otp.sys": { always: "pid"; sometimes: "command" };
    };
    expectTypeOf<TableRows>().not.toEqualTypeOf<Loose>();
    expectTypeOf<RuntimeRows["otp.upgrade"]>().toEqualTypeOf<{
      always: "pid" | "result";
      sometimes: "reason";
    }>();
  });
});
