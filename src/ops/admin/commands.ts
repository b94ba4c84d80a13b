/**
 * The commands of the admin socket: name, rights, arguments, what each does. The socket, the roles'
 * test and the help text all read this one table. Those that belong to a connection (auth, page, …)
 * are in session.ts.
 */
import { suggest } from "../../../config/reading/suggest.ts";
import { answersReport } from "../chains-api.ts";
import { chainVerdict, endpointsOf, isProviderUsable, providerVerdict } from "../status.ts";
import type { EndpointStatus } from "../views.ts";
import type { Arguments } from "./arguments.ts";
import { chainsNamed } from "./chains.ts";
import { admin, anyone, type Command, findNode, noProcess, target } from "./command.ts";
import type { AdminDeps, BreakerAction, ProcessRow, ReloadOutcome, TreeNode } from "./ports.ts";
import { EVENT_COMMANDS } from "./event-commands.ts";
import { LIMIT_COMMANDS } from "./limit-commands.ts";
import { AdminError } from "./protocol.ts";
import { PROCESS_COMMANDS } from "./process-commands.ts";
import { EVIDENCE_COMMANDS } from "../evidence/commands.ts";
import { PAIRING_COMMANDS } from "../pairing/commands.ts";
import { REGION_COMMANDS } from "../regions/commands.ts";
import { REQUEST_COMMANDS } from "../requests/commands.ts";
import { REPORT_COMMANDS } from "./report-commands.ts";
import { TRACE_COMMANDS } from "./trace-commands.ts";

const BREAKER_ACTIONS = ["ls", "open", "close", "reset"] as const;
const DEFAULT_FORCE_MS = 600_000;
const MAX_FORCE_MS = 86_400_000;
const PS_SORTS = ["mailbox", "cpu", "msgs", "restarts", "dropped", "name"] as const;
const PS_COLUMNS = {
  mailbox: "mailbox",
  cpu: "handlerMs",
  msgs: "turns",
  restarts: "restarts",
  dropped: "dropped",
} as const;
const MAX_DEPTH = 64;
const RELOAD_TIMEOUT_MS = 30_000;

const chainArgument = { kind: "text", meaning: "only this chain" } as const;

/** Every command that needs nothing but the program. */
export const COMMANDS: Readonly<Record<string, Command>> = {
  tree: {
    summary: "The supervision tree with restarts and last exits.",
    role: anyone,
    args: {
      root: { kind: "text", meaning: "pid or name of the process to start at" },
      depth: { kind: "whole", meaning: "levels below it", min: 0, max: MAX_DEPTH },
    },
    run: ({ root, depth }, deps) => {
      const tree = deps.inspector.tree();
      if (tree === undefined) throw new AdminError("OPS_FAILED", "nothing is started yet");
      const from = root === undefined ? tree : findNode(tree, String(root));
      if (from === undefined) throw noProcess(String(root), deps);
      return depth === undefined ? from : cutBelow(from, Number(depth));
    },
  },
  ps: {
    summary: "Processes with the fullest mailboxes or the most work first.",
    role: anyone,
    args: {
      sort: { kind: "choice", meaning: "what to sort by", choices: PS_SORTS },
      limit: { kind: "whole", meaning: "rows", min: 1, max: 200 },
    },
    run: ({ sort = "mailbox", limit = 20 }, deps) => {
      const rows = deps.inspector.processes();
      const sorted = [...rows].sort(byColumn(sort as (typeof PS_SORTS)[number]));
      return { total: rows.length, processes: sorted.slice(0, Number(limit)) };
    },
  },
  inspect: {
    summary: "Everything recorded of one process, secrets redacted.",
    role: anyone,
    args: { target },
    run: ({ target }, deps) => {
      const info = deps.inspector.info(String(target));
      if (info === undefined) throw noProcess(String(target), deps);
      return info;
    },
  },
  exit: {
    summary: "Sends an exit signal to a process; `kill` cannot be trapped.",
    role: admin,
    args: {
      target,
      reason: { kind: "text", meaning: "exit reason, `kill` when not given" },
    },
    run: ({ target, reason = "kill" }, deps) => {
      const tree = deps.inspector.tree();
      const found = tree && findNode(tree, String(target));
      if (!deps.inspector.exit(String(target), String(reason))) {
        throw noProcess(String(target), deps);
      }
      return { target, reason, ...(found && { pid: found.pid, name: found.name }) };
    },
  },
  ...PROCESS_COMMANDS,
  ...TRACE_COMMANDS,
  ...EVENT_COMMANDS,
  ...REPORT_COMMANDS,
  ...REGION_COMMANDS,
  ...REQUEST_COMMANDS,
  ...EVIDENCE_COMMANDS,
  ...PAIRING_COMMANDS,
  ...LIMIT_COMMANDS,
  breaker: {
    summary: "Lists circuit breakers, or forces one open, closed or back to its own judgement.",
    role: ({ action }) => (action === "ls" ? "viewer" : "operator"),
    args: {
      action: {
        kind: "choice",
        meaning: "what to do",
        choices: BREAKER_ACTIONS,
        isRequired: true,
      },
      endpoint: { kind: "text", meaning: "chain/provider or chain/provider/http or …/ws" },
      forMs: { kind: "duration", meaning: "how long it stays forced", min: 1, max: MAX_FORCE_MS },
      reason: { kind: "text", meaning: "why, for the audit log and the event" },
    },
    run: (args, deps) =>
      args["action"] === "ls"
        ? { breakers: listBreakers(deps, args["endpoint"]) }
        : forceBreakers(args, deps),
  },
  providers: {
    summary: "Providers with their states, evidence and places in the ranking.",
    role: anyone,
    args: { chain: chainArgument },
    run: ({ chain }, deps) => ({
      providers: chainsNamed(deps, chain).flatMap((view) => [
        ...view.providers.map((provider) => ({
          chain: view.name,
          ...providerVerdict(provider, view.maxLagBlocks, deps.now()),
          ...provider,
        })),
        ...(view.skipped ?? []).map(({ id, reason }) => ({
          chain: view.name,
          id,
          state: "left_out",
          reason,
        })),
      ]),
    }),
  },
  chains: {
    summary: "Chains with their tips and how well they are served.",
    role: anyone,
    args: { chain: chainArgument },
    run: ({ chain }, deps) => ({
      chains: chainsNamed(deps, chain).map((view) => ({
        name: view.name,
        chain_id: view.chainId,
        aliases: view.aliases,
        strategy: view.strategy,
        tip: view.tip,
        block_time_ms: view.blockTimeMs,
        providers: view.providers.length,
        restarts: view.restarts,
        ...chainVerdict(view, deps.now()),
      })),
    }),
  },
  cache: {
    summary: "Answers that are kept and shared: hits, bytes, why they left.",
    role: anyone,
    args: { chain: chainArgument },
    run: ({ chain }, deps) => ({
      chains: chainsNamed(deps, chain).map((view) => ({
        chain: view.name,
        ...answersReport(view),
        removed: view.answers?.removed ?? {},
      })),
    }),
  },
  ready: {
    summary: "Whether new requests are welcome: not draining, and enough providers can serve.",
    role: anyone,
    args: {
      chain: chainArgument,
      min: { kind: "whole", meaning: "providers that must be usable", min: 1, max: 1_000 },
    },
    run: ({ chain, min = 1 }, deps) => {
      const chains = chainsNamed(deps, chain).map((view) => ({
        name: view.name,
        usable: view.providers.filter((one) => isProviderUsable(one, deps.now())).length,
      }));
      const { isDraining = false, isPairingWhole = false } = deps.host();
      const isServed =
        deps.chains().length === 0
          ? isPairingWhole
          : chains.some(({ usable }) => usable >= Number(min));
      return { ready: !isDraining && isServed, draining: isDraining, chains };
    },
  },
  version: {
    summary: "What runs, where and with which configuration.",
    role: anyone,
    args: {},
    run: (_args, deps) => deps.host(),
  },
  config: {
    summary: "The running configuration, secrets masked.",
    role: anyone,
    args: { origin: { kind: "flag", meaning: "also where each value comes from" } },
    run: ({ origin }, deps) => {
      const dump = deps.config();
      return {
        document: dump.document,
        remarks: Object.fromEntries(dump.remarks),
        ...(origin === true && { values: dump.values }),
      };
    },
  },
  plan: {
    summary: "What a reload would do now.",
    role: anyone,
    args: {},
    run: async (_args, deps) => report(await deps.plan(), "planned"),
  },
  reload: {
    summary: "Reads the configuration file again and applies what changed.",
    role: admin,
    args: {},
    timeoutMs: RELOAD_TIMEOUT_MS,
    run: async (_args, deps) => report(await deps.reload(), "applied"),
  },
  drain: {
    summary: "Ends the host in good order, as SIGTERM does.",
    role: admin,
    args: {},
    run: (_args, deps) => {
      deps.drain();
      return { draining: true };
    },
  },
};

/** A reload's outcome as the client reads it: `result` is applied, planned, unchanged or refused. */
function report(outcome: ReloadOutcome, done: "applied" | "planned"): unknown {
  if (!outcome.ok) return { result: "refused", code: outcome.code, errors: outcome.errors };
  const { steps, needsHost } = outcome.plan;
  const isEqual = steps.length === 0 && needsHost.length === 0;
  return { result: isEqual ? "unchanged" : done, steps, needs_host: needsHost };
}

function cutBelow(node: TreeNode, depth: number): TreeNode {
  return { ...node, children: depth === 0 ? [] : node.children.map((c) => cutBelow(c, depth - 1)) };
}

function byColumn(sort: (typeof PS_SORTS)[number]): (a: ProcessRow, b: ProcessRow) => number {
  const byName = (a: ProcessRow, b: ProcessRow): number => a.name.localeCompare(b.name);
  if (sort === "name") return byName;
  const column = PS_COLUMNS[sort];
  return (a, b) => b[column] - a[column] || byName(a, b);
}

interface BreakerRow {
  readonly endpoint: string;
  readonly chain: string;
  readonly provider: string;
  readonly transport: "http" | "ws";
  readonly state: EndpointStatus["state"];
  readonly forced: boolean;
  /** Until the next probe; undefined unless open. */
  readonly retry_in_ms: number | undefined;
  readonly cooldown_ms: number | undefined;
  readonly suspect: boolean;
  readonly usable: boolean;
  readonly reason: string | undefined;
  readonly in_flight: number;
}

/** The breakers that `endpoint` names: all, a provider's, or one; throws when it names none. */
function listBreakers(deps: AdminDeps, endpoint: Arguments[string]): readonly BreakerRow[] {
  const now = deps.now();
  const rows = deps.chains().flatMap((chain) =>
    chain.providers.flatMap((provider) =>
      endpointsOf(provider).map(
        ([transport, row]): BreakerRow => ({
          endpoint: `${chain.name}/${provider.id}/${transport}`,
          chain: chain.name,
          provider: provider.id,
          transport,
          state: row.state,
          forced: row.forced,
          retry_in_ms: row.state === "open" ? remaining(row.openUntilMs, now) : undefined,
          cooldown_ms: row.cooldownUntilMs > now ? remaining(row.cooldownUntilMs, now) : undefined,
          suspect: row.suspect,
          usable: row.isUsable,
          reason: row.unusableReason,
          in_flight: row.inFlight,
        }),
      ),
    ),
  );
  if (endpoint === undefined) return rows;
  const wanted = String(endpoint);
  const found = rows.filter(
    (row) => row.endpoint === wanted || row.endpoint.startsWith(`${wanted}/`),
  );
  if (found.length > 0) return found;
  const names = rows.flatMap((row) => [row.endpoint, `${row.chain}/${row.provider}`]);
  const near = suggest(wanted, names);
  throw new AdminError(
    "OPS_BAD_ARGS",
    `no breaker "${wanted}"`,
    near === undefined ? "write it as chain/provider/http" : `did you mean ${near}?`,
  );
}

const remaining = (untilMs: number, now: number): number => Math.max(0, Math.ceil(untilMs - now));

async function forceBreakers(args: Arguments, deps: AdminDeps): Promise<unknown> {
  const { action, endpoint, forMs = DEFAULT_FORCE_MS, reason = "by an operator" } = args;
  if (endpoint === undefined) {
    throw new AdminError("OPS_BAD_ARGS", 'argument "endpoint" is required: chain/provider/http');
  }
  const named = listBreakers(deps, endpoint);
  if (!String(endpoint).includes("/")) {
    // a whole chain in one word is too easily a slip
    throw new AdminError("OPS_BAD_ARGS", `"${endpoint}" names a chain; name one of its providers`);
  }
  const forced: string[] = [];
  for (const { endpoint: name, chain, provider, transport } of named) {
    const order = { chain, provider, transport, action: action as BreakerAction };
    const isDone = await deps.forceBreaker({
      ...order,
      forMs: Number(forMs),
      reason: String(reason),
    });
    if (isDone) forced.push(name);
  }
  if (forced.length === 0) {
    throw new AdminError("OTP_NO_PROCESS", `the breaker process of "${endpoint}" is not running`);
  }
  return { action, endpoints: forced, ...(action !== "reset" && { for_ms: forMs }) };
}
