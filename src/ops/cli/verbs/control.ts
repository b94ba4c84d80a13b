/** Verbs that change or await the running instance: config diff, reload, drain, ready. */
import type { RegionsReport } from "../../regions/report.ts";
import { askAndShow, withClient } from "../ask.ts";
import type { AdminClient } from "../client.ts";
import { CliError, EXIT } from "../exit-codes.ts";
import type { InstanceOptions } from "../options.ts";
import { clean, paintFor } from "../terminal.ts";
import type { Paint, Terminal } from "../terminal.ts";

interface Step {
  readonly action: string;
  readonly chain?: string;
  readonly provider?: string;
  readonly process?: string;
  readonly keys: readonly string[];
}

interface Report {
  readonly result: "applied" | "planned" | "unchanged" | "refused";
  readonly code?: string;
  readonly errors?: readonly string[];
  readonly steps?: readonly Step[];
  readonly needs_host?: readonly string[];
}

const RELOAD_REPLY_MS = 35_000;

/** `paceline reload`. */
export function reloadConfig(options: InstanceOptions, terminal: Terminal): Promise<number> {
  return withClient(options, terminal, "admin", async (client) => {
    const report = (await client.ask("reload", {}, RELOAD_REPLY_MS)) as Report;
    print(report, options, terminal);
    return report.result === "refused" ? refusalCode(report) : EXIT.done;
  });
}

/** `paceline config diff`. */
export function diffConfig(options: InstanceOptions, terminal: Terminal): Promise<number> {
  return withClient(options, terminal, "viewer", async (client) => {
    const report = (await client.ask("plan", {}, RELOAD_REPLY_MS)) as Report;
    print(report, options, terminal);
    if (report.result === "refused") return refusalCode(report);
    return report.result === "unchanged" ? EXIT.done : EXIT.failed;
  });
}

/** A bad file is a configuration error; a change that needs a new start is not. */
function refusalCode(report: Report): number {
  return report.code === "CONFIG_NEEDS_RESTART" ? EXIT.failed : EXIT.badConfig;
}

function print(report: Report, options: InstanceOptions, terminal: Terminal): void {
  if (options.json === true) terminal.out(`${JSON.stringify(report, null, 2)}\n`);
  else terminal.out(`${renderReport(report, paintFor(terminal))}\n`);
}

function renderReport(report: Report, paint: Paint): string {
  const lines: string[] = [];
  if (report.result === "refused") {
    lines.push(
      `${paint.bad("refused")} ${clean(report.code ?? "")}; the running configuration is kept`,
    );
    for (const error of report.errors ?? []) lines.push(`  ${clean(error)}`);
    return lines.join("\n");
  }
  if (report.result === "unchanged") return "nothing changed";
  const needsHost = report.needs_host ?? [];
  if (needsHost.length > 0) {
    lines.push(paint.warn("needs a new host:"), ...needsHost.map((key) => `  ${clean(key)}`));
  }
  for (const step of report.steps ?? []) {
    const where = [step.chain, step.provider, step.process].filter((part) => part !== undefined);
    const keys = step.keys.length > 0 ? paint.dim(`  ${step.keys.join(", ")}`) : "";
    lines.push(`${step.action.padEnd(8)}${clean(where.join("/") || "host")}${keys}`);
  }
  const done = report.result === "applied" ? paint.good("applied") : "planned";
  return [...lines, done].join("\n");
}

const DEFAULT_DRAIN_WAIT_MS = 60_000;

/** `paceline drain`. */
export function drainHost(
  options: InstanceOptions & { readonly wait?: number | true },
  terminal: Terminal,
): Promise<number> {
  const { wait } = options;
  if (wait === undefined) {
    const question = { cmd: "drain", role: "admin", render: () => "draining" } as const;
    return askAndShow(question, options, terminal);
  }
  return withClient(options, terminal, "admin", async (client) => {
    const limitMs = wait === true ? DEFAULT_DRAIN_WAIT_MS : wait;
    await client.ask("drain");
    const { region } = options;
    const end = region === undefined ? client.closed : untilGone(client, region);
    const hasEnded = await within(limitMs, end);
    const reply = { draining: true, ended: hasEnded };
    const text = hasEnded ? "ended" : `still draining after ${limitMs} ms`;
    terminal.out(`${options.json === true ? JSON.stringify(reply, null, 2) : text}\n`);
    return hasEnded ? EXIT.done : EXIT.drainDeadline;
  });
}

/** Resolves once another region has left, or is lost. */
async function untilGone(client: AdminClient, region: string): Promise<void> {
  for (;;) {
    const { regions } = (await client.askHere("regions")) as RegionsReport;
    const found = regions.find((one) => one.region === region);
    if (found === undefined || found.state === "left" || found.state === "lost") return;
    await new Promise((done) => setTimeout(done, GONE_POLL_MS));
  }
}

const GONE_POLL_MS = 250;

interface ReadyOptions extends InstanceOptions {
  readonly chain?: string;
  readonly min?: number;
  readonly wait?: number;
}

interface Readiness {
  readonly ready: boolean;
  readonly draining: boolean;
  readonly chains: readonly { readonly name: string; readonly usable: number }[];
}

const READY_POLL_MS = 100;

/** `paceline ready`. */
export async function waitReady(options: ReadyOptions, terminal: Terminal): Promise<number> {
  const untilMs = performance.now() + (options.wait ?? 0);
  for (;;) {
    const isLast = performance.now() >= untilMs;
    const state = await readiness(options, terminal, isLast);
    if (state !== undefined && (state.ready || isLast)) {
      const chains = state.chains.map(({ name, usable }) => `${name}: ${usable} usable`).join(", ");
      const word = state.ready ? "ready" : state.draining ? "draining" : "not ready";
      const text =
        options.json === true
          ? JSON.stringify(state, null, 2)
          : `${word} (${chains === "" ? "no chain runs" : clean(chains)})`;
      terminal.out(`${text}\n`);
      return state.ready ? EXIT.done : EXIT.failed;
    }
    await new Promise((done) => setTimeout(done, READY_POLL_MS));
  }
}

/** Undefined while nobody answers and there is still time. */
async function readiness(
  options: ReadyOptions,
  terminal: Terminal,
  isLast: boolean,
): Promise<Readiness | undefined> {
  const { chain, min } = options;
  const ask = (client: AdminClient): Promise<unknown> => client.ask("ready", { chain, min });
  try {
    return (await withClient(options, terminal, "viewer", ask)) as Readiness;
  } catch (error) {
    const isWaiting = error instanceof CliError && error.exitCode === EXIT.unreachable && !isLast;
    if (isWaiting) return undefined;
    throw error;
  }
}

function within(limitMs: number, done: Promise<void>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), limitMs);
    const ended = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    // Whoever can no longer look does not know that it has ended.
    void done.then(ended, () => undefined);
  });
}
