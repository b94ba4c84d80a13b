/** Options that several verbs share, and how their texts become values. */
import { InvalidArgumentError } from "commander";
import type { Command } from "commander";
import { parseDuration } from "../../lib/duration.ts";
import type { WantedRole } from "./client.ts";

/** Options of a verb that talks to a running instance. */
export interface InstanceOptions {
  readonly socket?: string;
  /** Another region of the cluster, which the instance asks. */
  readonly region?: string;
  readonly json?: boolean;
  readonly watch?: number;
  readonly role?: WantedRole;
}

/** Takes the exit code of a verb. */
export type Finish = (exitCode: number) => void;

const DEFAULT_WATCH_MS = 1_000;
const MIN_WATCH_MS = 100;

/** Adds `--socket`, `--json` and `--region`. */
export function withInstance(command: Command): Command {
  return withSocket(command).option(
    "--region <name>",
    "ask this region of the cluster, with the rights that it grants to others",
  );
}

/** Adds `--socket` and `--json`, to verbs whose `--region` is their own. */
export function withSocket(command: Command): Command {
  return command
    .option("--socket <path>", "admin socket of the instance (default: ./run/admin.sock)")
    .option("--json", "print JSON");
}

/** Adds `--watch [interval]`. */
export function withWatch(command: Command): Command {
  return command.option(
    "--watch [interval]",
    "repeat, every second or every <interval>; one JSON line each with --json",
    watchInterval,
  );
}

/** Adds `--role`, for those who want fewer rights than the verb would take. */
export function withRole(command: Command, role: WantedRole): Command {
  return command.option(
    "--role <role>",
    `act as viewer, operator or admin (default: ${role})`,
    roleOf,
  );
}

/** Adds three examples, as every verb has them. */
export function withExamples(
  command: Command,
  examples: readonly [string, string, string],
): Command {
  return command.addHelpText(
    "after",
    `\nExamples:\n${examples.map((one) => `  $ ${one}`).join("\n")}`,
  );
}

/** The socket to talk to: `--socket`, else the environment's key, else the default path. */
export function socketPath(
  options: InstanceOptions,
  env: Readonly<Record<string, string | undefined>>,
): string {
  return options.socket ?? env["PACELINE__ADMIN__SOCKET"] ?? "./run/admin.sock";
}

/** The interval of `--watch`, which may stand without one. */
export function watchMs(options: { readonly watch?: number | true }): number | undefined {
  return options.watch === true ? DEFAULT_WATCH_MS : options.watch;
}

/** The interval of a `--watch`. */
export function watchInterval(text: string): number {
  const intervalMs = duration(text);
  if (intervalMs < MIN_WATCH_MS) throw new InvalidArgumentError(`at least ${MIN_WATCH_MS}ms.`);
  return intervalMs;
}

/** A duration as an option. */
export function duration(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === undefined) throw new InvalidArgumentError("a duration such as 2s or 500ms.");
  return durationMs;
}

/** A rate as an option, per second: `5/s`, `300/m`. */
export function rate(text: string): number {
  const [, count, unit] = /^(\d+(?:\.\d+)?)\/(s|m|h)$/.exec(text) ?? [];
  if (unit === undefined) throw new InvalidArgumentError("a rate such as 5/s or 300/m.");
  return Number(count) / { s: 1, m: 60, h: 3_600 }[unit as "s" | "m" | "h"];
}

/** Since when: after a number, or in the last so many ms. */
export type Since = { readonly since: number } | { readonly sinceMs: number };

/** A bare number is a seq, a number with a unit a time. */
export function sinceWhen(text: string): Since {
  if (/^\d{1,15}$/.test(text)) return { since: Number(text) };
  const sinceMs = parseDuration(text);
  if (sinceMs === undefined) throw new InvalidArgumentError("a seq, or a duration such as 30s.");
  return { sinceMs };
}

/** A whole number as an option. */
export function whole(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < min || value > max) {
      throw new InvalidArgumentError(`a whole number from ${min} to ${max}.`);
    }
    return value;
  };
}

function roleOf(text: string): WantedRole {
  if (text === "viewer" || text === "operator" || text === "admin") return text;
  throw new InvalidArgumentError("viewer, operator or admin.");
}
