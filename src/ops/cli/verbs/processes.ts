/** Verbs about processes: tree, ps, inspect, exit. */
import { askAndShow } from "../ask.ts";
import type { InstanceOptions } from "../options.ts";
import { renderProcesses, renderRecord, renderTree } from "../render.ts";
import { clean } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";

/** `paceline tree`. */
export function showTree(
  options: InstanceOptions & { readonly root?: string; readonly depth?: number },
  terminal: Terminal,
): Promise<number> {
  const { root, depth } = options;
  return askAndShow({ cmd: "tree", args: { root, depth }, render: renderTree }, options, terminal);
}

/** `paceline ps`. */
export function showProcesses(
  options: InstanceOptions & { readonly sort?: string; readonly limit?: number },
  terminal: Terminal,
): Promise<number> {
  const { sort, limit } = options;
  const question = { cmd: "ps", args: { sort, limit }, render: renderProcesses };
  return askAndShow(question, options, terminal);
}

/** `paceline inspect`. */
export function inspectProcess(
  target: string,
  options: InstanceOptions,
  terminal: Terminal,
): Promise<number> {
  return askAndShow({ cmd: "inspect", args: { target }, render: renderRecord }, options, terminal);
}

/** `paceline exit`. */
export function exitProcess(
  target: string,
  reason: string,
  options: InstanceOptions,
  terminal: Terminal,
): Promise<number> {
  const render = (reply: { readonly name?: string; readonly pid?: string }): string =>
    `sent ${clean(reason)} to ${clean(reply.name ?? target)} ${clean(reply.pid ?? "")}`.trimEnd();
  const question = { cmd: "exit", args: { target, reason }, role: "admin", render } as const;
  return askAndShow(question, options, terminal);
}
