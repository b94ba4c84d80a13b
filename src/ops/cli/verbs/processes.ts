/** Verbs about processes: tree, ps, inspect, restart, suspend, resume, dump, exit. */
import { askAndShow } from "../ask.ts";
import type { InstanceOptions } from "../options.ts";
import { renderProcesses, renderRecord, renderTree } from "../render.ts";
import { clean } from "../terminal.ts";
import type { Terminal } from "../terminal.ts";

/** A stop may take as long as the shutdown time of what stops. */
const STOP_REPLY_MS = 40_000;

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

/** `paceline restart`. */
export function restartProcess(
  target: string,
  options: InstanceOptions & { readonly forgive?: boolean },
  terminal: Terminal,
): Promise<number> {
  const render = (reply: { readonly name: string; from: string; pid: string | null }): string =>
    `restarted ${clean(reply.name)}: ${clean(reply.from)} is now ${clean(reply.pid ?? "waiting for its delay")}`;
  const args = { target, forgive: options.forgive };
  const question = {
    cmd: "restart",
    args,
    role: "operator",
    replyMs: STOP_REPLY_MS,
    render,
  } as const;
  return askAndShow(question, options, terminal);
}

/** `paceline suspend`. */
export function suspendProcess(
  target: string,
  options: InstanceOptions & { readonly for?: number },
  terminal: Terminal,
): Promise<number> {
  const render = (reply: { readonly suspended: string; pid: string; for_ms: number }): string =>
    `suspended ${clean(reply.suspended)} ${clean(reply.pid)} for ${reply.for_ms / 1_000} s`;
  const args = { target, forMs: options.for };
  return askAndShow({ cmd: "suspend", args, role: "operator", render }, options, terminal);
}

/** `paceline resume`. */
export function resumeProcess(
  target: string,
  options: InstanceOptions,
  terminal: Terminal,
): Promise<number> {
  const render = (reply: { readonly resumed: string; pid: string }): string =>
    `resumed ${clean(reply.resumed)} ${clean(reply.pid)}`;
  const question = { cmd: "resume", args: { target }, role: "operator", render } as const;
  return askAndShow(question, options, terminal);
}

/** `paceline dump`. */
export function dumpProcesses(options: InstanceOptions, terminal: Terminal): Promise<number> {
  const render = (reply: { readonly path: string; processes: number; bytes: number }): string =>
    `${reply.processes} processes in ${clean(reply.path)} (${reply.bytes} bytes)`;
  return askAndShow({ cmd: "dump", role: "operator", render }, options, terminal);
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
