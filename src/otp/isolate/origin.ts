/**
 * Where an isolated subtree comes from, and the refusals of what cannot come from anywhere.
 *
 * ```ts
 * import { isMainThread } from "node:worker_threads";
 * import { child, createNode, defineActor, keyFor, reply, supervisor } from "paceline/otp";
 *
 * const cruncher = defineActor({
 *   name: "demo/cruncher",
 *   init: (_args: undefined) => 0,
 *   calls: {
 *     sum: (state, upTo: number) => {
 *       let sum = 0;
 *       for (let n = 1; n <= upTo; n += 1) sum += n;
 *       return reply(state, sum);
 *     },
 *   },
 * });
 * const cruncherKey = keyFor(cruncher);
 *
 * // Called inside the thread.
 * export const subtree = (intensity: number) =>
 *   supervisor("crunchers", {
 *     intensity,
 *     children: [child(cruncher, undefined, { register: cruncherKey() })],
 *   });
 *
 * if (isMainThread) {
 *   const node = createNode();
 *   const module = new URL(import.meta.url);
 *   await node.start(
 *     supervisor("top", {
 *       children: [supervisor("box", { isolate: "worker", from: { module, args: 3 } })],
 *     }),
 *   );
 *   console.log(await node.via(cruncherKey()).call.sum(100_000));
 *   await node.stop();
 * }
 * ```
 *
 * ```text
 * 5000050000
 * ```
 *
 * | option of `from` | meaning | default |
 * |---|---|---|
 * | `module` | URL or absolute path of the module; it is loaded inside the thread | none |
 * | `export` | name of its exported function `(args) => supervisor(..)` | subtree |
 * | `args` | its argument; must be what structured clone can copy | undefined |
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
  /** Its argument; must be what structured clone can copy; default undefined. */
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
