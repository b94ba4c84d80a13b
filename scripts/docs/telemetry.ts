/** docs/telemetry.md from the event table. */
import { EVENTS, EVENT_FIELDS, type EventSpec } from "../../src/ops/events.ts";
import { subsystemOfEvent } from "../../src/ops/log.ts";
import { markdownTable } from "../markdown.ts";

/** Where the page is kept. */
export const path = "docs/telemetry.md";

/** The page. */
export function render(): string {
  const names: Record<string, EventSpec> = EVENTS;
  const events = Object.entries(names).map(([name, spec]) => [
    `\`${name}\``,
    spec.unless === undefined
      ? spec.level
      : `${spec.level}; ${spec.unless.level} when \`${spec.unless.field}\` is ${spec.unless.equals}`,
    [
      ...spec.fields.map((field) => `\`${field}\``),
      ...(spec.optional ?? []).map((field) => `\`${field}\`?`),
    ].join(", "),
    spec.meaning,
  ]);
  const fields = Object.entries(EVENT_FIELDS).map(([name, { type, meaning }]) => [
    `\`${name}\``,
    type,
    meaning,
  ]);
  const subsystems = [...new Set(Object.keys(names).map(subsystemOfEvent))].sort();
  return `# Telemetry events

Generated from \`src/ops/events.ts\` by \`node scripts/docs.ts\`; do not edit.

Every event is a name and a record of fields, handed synchronously to all who are attached. The log
shows those of level \`info\` and above; \`--log-level=rpc.breaker=debug\` shows a subsystem's quieter
ones. In the log a field is written in snake case and \`provider\` as \`provider_id\`
(\`oldStatus\` is \`old_status\`). Handlers may be attached and detached while the program runs; one
that throws is detached and reported.

Subsystems: ${subsystems.map((name) => `\`${name}\``).join(", ")}.

## Events

A field with \`?\` is there when it is known.

${markdownTable(["event", "level", "fields", "meaning"], events)}

## Fields

${markdownTable(["field", "type", "meaning"], fields)}
`;
}
