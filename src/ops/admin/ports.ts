/**
 * What the admin commands need from the running program. The host program wires it; the shapes are
 * structural, so the runtime's inspector and the chains' records fit without adapters.
 */
import type { EffectiveDump } from "../../../config/dump.ts";
import type { ReloadPlan } from "../../../config/plan.ts";
import type { EvidencePort } from "../evidence/port.ts";
import type { PairingCall } from "../pairing/port.ts";
import type { ClusterPort } from "../regions/port.ts";
import type { RequestsPort } from "../requests/port.ts";
import type { CallerView, ChainView } from "../views.ts";
import type { ReportBook } from "./reports.ts";

/** One process of the tree, with everything below it (public contract). */
export interface TreeNode {
  readonly name: string;
  /** Null while nobody holds the place. */
  readonly pid: string | null;
  readonly kind: "supervisor" | "worker";
  readonly status: string;
  /** How a supervisor restarts its children. */
  readonly strategy?: string | undefined;
  /** Restarts in the current window against what the supervisor allows. */
  readonly restarts: {
    readonly count: number;
    readonly intensity: number;
    readonly period_ms: number;
  };
  /** Reason of the last exit of the process that held this place before. */
  readonly last_exit?: unknown;
  readonly children: readonly TreeNode[];
}

/** One process as `ps` lists it. Counters are totals since its start. */
export interface ProcessRow {
  readonly pid: string;
  /** Registered name, or what it runs. */
  readonly name: string;
  readonly kind: string;
  readonly status: string;
  /** Messages waiting. */
  readonly mailbox: number;
  /** Messages refused because the mailbox was full. */
  readonly dropped: number;
  /** Messages handled. */
  readonly turns: number;
  /** Time spent in handlers, a sampled estimate. */
  readonly handlerMs: number;
  readonly restarts: number;
  readonly lastExit: string | undefined;
  /** What it does now, or did last. */
  readonly handler: string;
}

/** Reads runtime records and sends no message, so that a hung process can be looked at. */
export interface NodeInspector {
  /** Undefined while nothing is started. */
  tree(): TreeNode | undefined;
  processes(): readonly ProcessRow[];
  /** Everything recorded of one process, redacted; undefined when there is none. */
  info(target: string): object | undefined;
  /** Sends an exit signal; false when nobody answers to the target. */
  exit(target: string, reason: string): boolean;
  /** The oldest waiting messages, redacted; undefined: no such process. */
  mailbox(target: string, limit?: number): readonly MailboxRow[] | undefined;
  /** Asks the process itself, within `timeoutMs` (5 s). */
  getStatus(target: string, timeoutMs?: number): Promise<{ readonly state?: unknown }>;
  suspend(target: string, options: { readonly forMs: number }): Promise<void>;
  resume(target: string): Promise<void>;
  replaceState(target: string, replace: (state: unknown) => unknown): Promise<unknown>;
  /** Undefined while nothing is counted. */
  statistics(target: string, flag: "on" | "off" | "get"): Promise<object | undefined>;
  restart(target: string, options: { readonly forgive: boolean }): Promise<RestartOutcome>;
  /** Throws when the order has no end that it may have. */
  trace(order: TraceOrder, sink: (row: object) => void): RunningTrace;
  names(prefix: string): readonly { readonly name: string; readonly pid: string }[];
  tables(): readonly object[];
  counters(): Readonly<Record<string, number>>;
  dump(): { readonly processes: readonly object[]; readonly omitted: number };
}

/** One waiting message. */
export interface MailboxRow {
  readonly kind: string;
  readonly type: string;
  readonly from?: string;
  readonly arg: unknown;
}

/** How a restart through the supervisor ended. */
export type RestartOutcome =
  | { readonly ok: true; readonly from: string; readonly pid: string | undefined }
  | { readonly ok: false; readonly reason: unknown };

/** What to trace, and the ends of it. */
export interface TraceOrder {
  readonly target: string | { readonly subtree: string };
  readonly pattern: { readonly type?: string; readonly direction?: "in" | "out" };
  readonly maxCount: number;
  readonly maxRatePerSec: number;
  readonly forMs: number;
  readonly onRate: "stop";
}

/** A trace under way. */
export interface RunningTrace {
  readonly traced: number;
  readonly ended: Promise<string>;
  stop(): void;
}

/** What to do to a child of a supervisor. */
export interface ChildOrder {
  readonly action: "terminate" | "restart" | "delete";
  readonly supervisor: string;
  /** Below a dynamic supervisor: a pid. */
  readonly id: string;
}

/** What came of it, in the supervisor's words. */
export type ChildOutcome =
  | { readonly ok: true; readonly pid?: string | undefined }
  | { readonly ok: false; readonly reason: unknown };

/** What an operator does to a breaker. */
export type BreakerAction = "open" | "close" | "reset";

/** One breaker to force. */
export interface BreakerOrder {
  readonly chain: string;
  readonly provider: string;
  readonly transport: "http" | "ws";
  readonly action: BreakerAction;
  /** A forced state expires after this time. */
  readonly forMs: number;
  readonly reason: string;
}

/** What a reload did or would do. */
export type ReloadOutcome =
  | { readonly ok: true; readonly plan: ReloadPlan }
  | { readonly ok: false; readonly code: string; readonly errors: readonly string[] };

/** A subscription to the telemetry of the node. */
export interface EventFeed {
  /** Calls `sink` for every event from now on; the result detaches it. */
  attach(sink: (event: string, fields: Readonly<Record<string, unknown>>) => void): () => void;
}

/** What the host says of itself. */
export interface HostFacts {
  readonly version: string;
  readonly region: string;
  readonly pid: number;
  /** Undefined for the demo. */
  readonly configFile?: string | undefined;
  /** Where clients connect. */
  readonly url?: string | undefined;
  readonly uptimeMs?: number | undefined;
  /** The orderly end has begun. */
  readonly isDraining?: boolean | undefined;
  /** Markets have what was kept of them; undefined where there is no pairing. */
  readonly isPairingWhole?: boolean | undefined;
}

/** Everything the admin commands may ask of the program. */
export interface AdminDeps {
  readonly host: () => HostFacts;
  readonly inspector: NodeInspector;
  /** Live facts of all chains, the same the pages and metrics read. */
  readonly chains: () => readonly ChainView[];
  /** Holders of API keys, and everybody without one. */
  readonly callers: () => readonly CallerView[];
  /** Monotonic milliseconds, the clock of the chains' cells. */
  readonly now: () => number;
  /** Wall clock, ms since 1970. */
  readonly wallNow: () => number;
  /** False when there is no such breaker. */
  readonly forceBreaker: (order: BreakerOrder) => boolean | Promise<boolean>;
  /** Reads the configuration again and applies it; resolves when the result is known. */
  readonly reload: () => Promise<ReloadOutcome>;
  /** What `reload` would do now. */
  readonly plan: () => Promise<ReloadOutcome>;
  /** The running configuration, masked (`dumpConfig(loaded.source)`). */
  readonly config: () => EffectiveDump;
  /** Undefined when there is no such supervisor. */
  readonly child: (order: ChildOrder) => Promise<ChildOutcome | undefined>;
  /** Whether the configuration lets operators replace states. */
  readonly mayReplaceState: () => boolean;
  /** Keeps a dump beside the socket, readable by its owner only; returns its path. */
  readonly saveDump: (text: string) => string;
  /** Begins the orderly end of the host, as SIGTERM does. */
  readonly drain: () => void;
  readonly events: EventFeed;
  /** The last reports of the runtime. */
  readonly reports: Pick<ReportBook, "select">;
  /** Explanations of requests, and the slow log. */
  readonly requests: RequestsPort;
  readonly evidence: EvidencePort;
  /** Undefined where pairing is switched off. */
  readonly pairing: PairingCall | undefined;
  readonly cluster: ClusterPort;
}
