/**
 * How one command of the table is run, for whoever asks: arguments checked, rights compared, time
 * bounded, and, when it changes something, audited, whether it was allowed or not.
 */
import { didYouMean } from "../../../config/reading/suggest.ts";
import type { Arguments, ArgumentSpecs } from "./arguments.ts";
import type { AuditEntry } from "./audit.ts";
import type { Command } from "./command.ts";
import { COMMANDS } from "./commands.ts";
import { ADMIN_LIMITS, AdminError, type Role } from "./protocol.ts";

/** Who asks. */
export interface Caller {
  readonly role: Role;
  readonly mayAct: (needed: Role) => boolean;
  /** How the audit log speaks of its rights: the id of a token, or a region. */
  readonly token: string;
  /** What it is told when its rights are too few. */
  readonly forbidden: (cmd: string, needed: Role) => AdminError;
}

/** Writes down an attempted change. */
export type Audit = (entry: Omit<AuditEntry, "at">) => void;

/** Calls back after `delayMs` unless the result is called first. */
export type After = (delayMs: number, run: () => void) => () => void;

/** The command of this name; throws when there is none. */
export function findCommand(cmd: string, others: readonly string[] = []): Command {
  const command = Object.hasOwn(COMMANDS, cmd) ? COMMANDS[cmd] : undefined;
  if (command !== undefined) return command;
  const guess = didYouMean(cmd, [...Object.keys(COMMANDS), ...others]);
  throw new AdminError("OPS_UNKNOWN_COMMAND", `unknown command "${cmd}"${guess}`);
}

/** Checks and audits a command; `run` does it, here or elsewhere. */
export async function runChecked(
  request: { readonly cmd: string; readonly args: Arguments },
  command: Command,
  caller: Caller,
  audit: Audit,
  run: () => unknown,
): Promise<unknown> {
  const { cmd, args } = request;
  const { role, token } = caller;
  const needed = command.role(args);
  const record = (result: string): void => {
    if (needed === "viewer") return;
    audit({ role, token, cmd, args: auditable(command.args, args), result });
  };
  try {
    if (!caller.mayAct(needed)) throw caller.forbidden(cmd, needed);
    const reply = await run();
    record("ok");
    return reply;
  } catch (error) {
    record(asAdminError(error).code);
    throw error;
  }
}

/** How long a command may run, ms. */
export const limitOf = ({ timeoutMs = ADMIN_LIMITS.commandMs }: Command): number => timeoutMs;

/** What `running` comes to, or the refusal when that takes too long. */
export function within(limitMs: number, after: After, running: unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const cancel = after(limitMs, () => {
      reject(new AdminError("OPS_TIMEOUT", `no result within ${limitMs} ms`));
    });
    Promise.resolve(running).then(resolve, reject).finally(cancel);
  });
}

/** What went wrong inside the program is named by its message, never by its stack. */
export function asAdminError(error: unknown): AdminError {
  if (error instanceof AdminError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return new AdminError("OPS_FAILED", text.slice(0, 1_000));
}

/** A JSON argument is a state: its size goes into the log, not what it holds. */
function auditable(specs: ArgumentSpecs, args: Arguments): Arguments {
  const told = Object.entries(args).map(([name, value]) =>
    specs[name]?.kind === "json" ? [name, `[${String(value).length} characters]`] : [name, value],
  );
  return Object.fromEntries(told) as Arguments;
}
