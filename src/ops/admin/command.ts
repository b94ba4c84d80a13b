/**
 * What a command of the admin socket is, and what commands share: rights, targets, refusals.
 */
import { suggest } from "../../../config/reading/suggest.ts";
import type { Arguments, ArgumentSpecs } from "./arguments.ts";
import type { AdminDeps, TreeNode } from "./ports.ts";
import { AdminError } from "./protocol.ts";
import type { Role } from "./protocol.ts";

/** One command. */
export interface Command {
  readonly summary: string;
  /** Rights it needs; some need more for what changes something. */
  readonly role: (args: Arguments) => Role;
  readonly args: ArgumentSpecs;
  /** Longer than the usual 5 s. */
  readonly timeoutMs?: number;
  readonly run: (args: Arguments, deps: AdminDeps, connection: Connection) => unknown;
}

/** What a command may do to the connection that it came by. */
export interface Connection {
  /**
   * Opens a stream and returns its id; `begin` starts what feeds it and returns how to stop that.
   * Throws `OPS_LIMIT` when the connection has as many as it may.
   */
  open(begin: (stream: Stream) => () => void): string;
  /** Ends a stream; false when there is none of this id. */
  close(sub: string): boolean;
}

/** Where the events of a stream go. */
export interface Stream {
  /** Sends one event, or counts it as dropped when the client does not keep up. */
  push(event: Readonly<Record<string, unknown>>): void;
  /** So many events were dropped before they came here. */
  drop(count: number): void;
  /** Ends the stream; the client is told why, with whatever else the line says. */
  end(reason: string, facts?: Readonly<Record<string, unknown>>): void;
}

export const anyone = (): Role => "viewer";
export const operator = (): Role => "operator";
export const admin = (): Role => "admin";

/** The process that a command is about. */
export const target = {
  kind: "text",
  meaning: "a pid, or a registered name",
  isRequired: true,
  alias: "p",
} as const;

/** The refusal when nobody answers to a target, with a guess who was meant. */
export function noProcess(wanted: string, deps: AdminDeps): AdminError {
  const names = deps.inspector.processes().map(({ name }) => name);
  const near = suggest(wanted, names) ?? names.find((name) => name.endsWith(`/${wanted}`));
  const hint = near === undefined ? "`paceline ps` lists processes" : `did you mean ${near}?`;
  return new AdminError("OTP_NO_PROCESS", `no process answers to "${wanted}"`, hint);
}

/** The subtree of the process with this pid or name. */
export function findNode(tree: TreeNode, wanted: string): TreeNode | undefined {
  const open: TreeNode[] = [tree];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (node.pid === wanted || node.name === wanted) return node;
    open.push(...node.children);
  }
  return undefined;
}

/** The same promise; the runtime's refusals become the socket's own. */
export async function asked<T>(
  answer: Promise<T> | T,
  wanted: string,
  deps: AdminDeps,
): Promise<T> {
  try {
    return await answer;
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "OTP_NO_PROCESS") throw noProcess(wanted, deps);
    if (code === "OTP_TIMEOUT") {
      const message = `${wanted} does not answer: it is busy; \`inspect\` shows with what`;
      throw new AdminError("OPS_TIMEOUT", message);
    }
    if (code === "OTP_UNBOUNDED_TRACE" || code === "OTP_TOO_MANY_TRACES") {
      throw new AdminError("OPS_LIMIT", (error as Error).message);
    }
    throw error;
  }
}
