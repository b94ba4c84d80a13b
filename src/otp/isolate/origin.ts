/**
 * Where an isolated subtree comes from, and the refusals of what cannot come from anywhere.
 *
 * Closures do not cross threads: the subtree is named by a module and one of its exports.
 */
import { isAbsolute } from "node:path";
import { pathToFileURL } from "node:url";
import { OtpError } from "../reason.ts";
import { offendingPath } from "./codec.ts";
import type { Origin } from "./frames.ts";

/** What `from` takes. */
export interface IsolatedFrom {
  /**
   * The module: a URL, such as `new URL("./pool.ts", import.meta.url)`, or an absolute path. It is
   * loaded inside the thread, and once more ahead of time by the spare thread.
   */
  readonly module: URL | string;
  /** Name of an exported function `(args) => supervisor(..)`; default "subtree". */
  readonly export?: string;
  /** Its argument; must be what structured clone can copy. */
  readonly args?: unknown;
}

/** What isolation needs to know of one child. */
export interface Isolation {
  readonly origin: Origin;
  readonly heapMb: number;
  readonly hasSpare: boolean;
  readonly maxInFlight: number | undefined;
}

const EXPORT = "subtree";

/** The origin with everything filled in; throws OTP_BAD_ISOLATION for what can never start. */
export function originOf(id: string, from: IsolatedFrom | undefined): Origin {
  if (typeof from !== "object" || from === null) {
    throw refused(id, "`from: { module, export, args }` is missing: closures do not cross threads");
  }
  const path = offendingPath(from.args, "args");
  if (path !== undefined) throw refused(id, `${path} does not cross to another thread`);
  return { module: moduleUrl(id, from.module), export: from.export ?? EXPORT, args: from.args };
}

/** An error of one isolated child's definition. */
export function refused(id: string, why: string): OtpError {
  return new OtpError("OTP_BAD_ISOLATION", `isolated supervisor ${id}: ${why}`);
}

function moduleUrl(id: string, module: unknown): string {
  if (module instanceof URL) return module.href;
  if (typeof module === "string") {
    if (isAbsolute(module)) return pathToFileURL(module).href;
    if (URL.canParse(module)) return module;
  }
  const hint = 'use new URL("./module.ts", import.meta.url)';
  throw refused(id, `from.module ${String(module)} is neither a URL nor an absolute path; ${hint}`);
}
