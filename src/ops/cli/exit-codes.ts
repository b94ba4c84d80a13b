/** Exit codes of the command line (public contract). */
export const EXIT = {
  done: 0,
  /** A failure at run time that another try may cure; `config diff`: there are differences. */
  failed: 1,
  /** A second signal ended an orderly end. */
  forced: 2,
  /** The drain deadline passed with work left. */
  drainDeadline: 3,
  usage: 64,
  /** No instance could be reached. */
  unreachable: 69,
  /** The role does not allow it. */
  role: 77,
  badConfig: 78,
} as const;

/** What ends a verb early: a message for stderr and an exit code. */
export class CliError extends Error {
  readonly exitCode: number;
  readonly hint: string | undefined;

  constructor(exitCode: number, message: string, hint?: string) {
    super(message);
    this.name = "CliError";
    this.exitCode = exitCode;
    this.hint = hint;
  }
}
