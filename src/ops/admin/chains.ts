/** The chains that a command is about. */
import { suggest } from "../../../config/reading/suggest.ts";
import type { ChainView } from "../views.ts";
import type { Arguments } from "./arguments.ts";
import type { AdminDeps } from "./ports.ts";
import { AdminError } from "./protocol.ts";

/** The chain of this name or alias; all when none is wanted; throws when there is none. */
export function chainsNamed(deps: AdminDeps, wanted: Arguments[string]): readonly ChainView[] {
  const all = deps.chains();
  if (wanted === undefined) return all;
  const found = all.filter(({ name, aliases }) => name === wanted || aliases.includes(`${wanted}`));
  if (found.length > 0) return found;
  const near = suggest(
    String(wanted),
    all.map(({ name }) => name),
  );
  const hint =
    near === undefined ? all.map(({ name }) => name).join(", ") : `did you mean ${near}?`;
  throw new AdminError("OPS_BAD_ARGS", `no chain "${wanted}"`, hint);
}
