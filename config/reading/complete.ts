/**
 * Substitution over the whole tree, and its one exception: a provider's URL that cannot be completed
 * leaves that URL out instead of failing the file ("provider filtering").
 */
import { diagnostic, formatPath } from "../diagnostic.ts";
import type { Diagnostic, Path } from "../diagnostic.ts";
import { typed } from "./overrides.ts";
import { isRawMap } from "./source.ts";
import type { RawMap, RawValue, SourceTree } from "./source.ts";
import { substitute } from "./substitute.ts";
import type { Substitution, SubstitutionFault, Surroundings } from "./substitute.ts";

/** What completing the tree brought up. */
export interface Completion {
  readonly problems: readonly Diagnostic[];
  /** Why each URL was left out, by the dotted path of its key. */
  readonly leftOut: ReadonlyMap<string, string>;
  /** URLs whose host name came out of a substitution and may be a key itself, by dotted path. */
  readonly hiddenHosts: ReadonlySet<string>;
}

/** Completes every text of the tree that came from the file. */
export function completeTree(tree: SourceTree, around: Surroundings): Completion {
  const problems: Diagnostic[] = [];
  const leftOut = new Map<string, string>();
  const hiddenHosts = new Set<string>();

  const visit = (value: RawValue, path: Path): void => {
    if (typeof value === "string") visitText(value, path);
    else if (Array.isArray(value)) value.forEach((item, at) => visit(item, [...path, at]));
    else if (isRawMap(value)) {
      for (const key of Object.keys(value)) visit(value[key] ?? null, [...path, key]);
    }
  };

  const visitText = (text: string, path: Path): void => {
    const origin = tree.originOf(path);
    if (origin.kind !== "file") return; // values of variables and flags are literal
    const done = substitute(text, around);
    if (done === undefined) return;
    const provider = providerOf(tree, path);
    const reason = provider === undefined ? undefined : reasonToLeaveOut(provider, done);
    if (reason !== undefined && provider?.["required"] !== true) {
      leftOut.set(formatPath(path), reason);
      tree.remove(path);
      const id = typeof provider?.["id"] === "string" ? ` of provider "${provider["id"]}"` : "";
      const message = `${reason}: this URL${id} is left out`;
      problems.push(diagnostic("CONFIG_PROVIDER_LEFT_OUT", path, message, origin, "warning"));
      return;
    }
    if (done.faults.length > 0 || reason !== undefined) {
      const faults = done.faults.map((fault) => faulty(fault, path, tree));
      const empty = diagnostic("CONFIG_UNSET_VARIABLE", path, reason ?? "", origin);
      problems.push(...(faults.length > 0 ? faults : [empty]));
      tree.remove(path);
      leftOut.set(formatPath(path), "failed");
      return;
    }
    if (hasSubstitutedHost(done)) hiddenHosts.add(formatPath(path));
    tree.set(path, typed(path, done.text), origin, done.inserted.length > 0);
  };

  visit(tree.root, []);
  return { problems, leftOut, hiddenHosts };
}

/** The provider whose URL a path is, else undefined. */
function providerOf(tree: SourceTree, path: Path): RawMap | undefined {
  const [chains, , providers, , key] = path;
  if (path.length !== 5 || chains !== "chains" || providers !== "providers") return undefined;
  if (key !== "url" && key !== "ws_url") return undefined;
  const provider = tree.get(path.slice(0, 4));
  return isRawMap(provider) ? provider : undefined;
}

function reasonToLeaveOut(provider: RawMap, done: Substitution): string | undefined {
  const fault = done.faults.find(({ kind }) => kind !== "malformed");
  if (done.faults.some(({ kind }) => kind === "malformed")) return undefined;
  if (fault?.kind === "unset") return `variable ${fault.subject} is not set`;
  if (fault !== undefined) return `cannot read ${fault.subject}`;
  if (done.text.trim() === "") return "it came out empty";
  const needsKey = provider["api_key_required"] === true;
  return needsKey && done.inserted.some((piece) => piece.trim() === "")
    ? "its API key is empty"
    : undefined;
}

function faulty(fault: SubstitutionFault, path: Path, tree: SourceTree): Diagnostic {
  const origin = tree.originOf(path);
  if (fault.kind === "unset") {
    const text = `variable ${fault.subject} is not set; set it or write \${${fault.subject}:-default}`;
    return diagnostic("CONFIG_UNSET_VARIABLE", path, text, origin);
  }
  return fault.kind === "unreadable"
    ? diagnostic("CONFIG_UNREADABLE_FILE", path, `cannot read ${fault.subject}`, origin)
    : diagnostic("CONFIG_BAD_SUBSTITUTION", path, `holds ${fault.subject}`, origin);
}

function hasSubstitutedHost(done: Substitution): boolean {
  if (!URL.canParse(done.text)) return false;
  const { host } = new URL(done.text);
  return done.inserted.some(
    (piece) => piece !== "" && !piece.includes("://") && host.includes(piece.toLowerCase()),
  );
}
