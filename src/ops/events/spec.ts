/** What the table says of one event. */
import type { EventField } from "./fields.ts";

/** How loud an event is; `debug` ones are logged only where a subsystem asks for them. */
export type EventLevel = "debug" | "info" | "warn" | "error";

/** One row of the table. */
export interface EventSpec {
  readonly level: EventLevel;
  /** The event is louder, or quieter, when a field says so. */
  readonly unless?: {
    readonly field: EventField;
    readonly equals: string | boolean;
    readonly level: EventLevel;
  };
  /** Fields that are always there. */
  readonly fields: readonly EventField[];
  /** Fields that are there when they are known. */
  readonly optional?: readonly EventField[];
  readonly meaning: string;
}
