/**
 * From a module and the name of an export to the spec of a subtree, or to the reason of a failed start.
 */
import { reasonOfThrown, type Reason } from "../reason.ts";
import type { SupervisorSpec } from "../supervisor/spec.ts";
import type { Origin } from "./frames.ts";

/** Loads the module and asks it for the spec; a start error otherwise. */
export async function loadSpec(
  origin: Origin,
): Promise<SupervisorSpec | { readonly reason: Reason }> {
  let loaded: Readonly<Record<string, unknown>>;
  try {
    loaded = (await import(origin.module)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    return { reason: ["bad_module", origin.module, reasonOfThrown(error)] };
  }
  const make = loaded[origin.export];
  if (typeof make !== "function")
    return { reason: ["missing_export", origin.module, origin.export] };
  try {
    const spec: unknown = await (make as (args: unknown) => unknown)(origin.args);
    return isSpec(spec) ? spec : { reason: ["bad_spec", origin.module, origin.export] };
  } catch (error) {
    return { reason: reasonOfThrown(error) };
  }
}

function isSpec(value: unknown): value is SupervisorSpec {
  return typeof value === "object" && value !== null && "setup" in value && "start" in value;
}
