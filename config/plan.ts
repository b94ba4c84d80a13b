/**
 * What a reload would do: exactly which processes start, stop, restart or take a new value.
 *
 * Pure: two configurations in, steps out. Processes that no step names are left running. Steps come
 * in the order in which they are safe: stop what goes, patch and restart what stays, start what comes.
 */
import { Secret } from "../src/lib/secret.ts";
import type { ChainConfig, Config, ProviderConfig } from "./schema.ts";

/** Processes that a change can concern on their own. */
export type PlannedProcess =
  | "head-tracker"
  | "message-aggregator"
  | "subscription-hub"
  | "circuit-breaker"
  | "ws-connection"
  | "probe";

/** One thing to do. Without `process` it concerns the whole chain or provider. */
export interface ReloadStep {
  /** `patch`: only values change, no process is touched. */
  readonly action: "stop" | "patch" | "restart" | "start";
  readonly chain?: string;
  readonly provider?: string;
  readonly process?: PlannedProcess;
  /** The keys that changed, as the file spells them; empty for start and stop. */
  readonly keys: readonly string[];
}

/** Everything a reload would do. */
export interface ReloadPlan {
  /** In the order in which to carry them out; empty when nothing changed. */
  readonly steps: readonly ReloadStep[];
  /** Changed keys that a running host cannot take; when there are any, nothing may be applied. */
  readonly needsHost: readonly string[];
}

/** Compares the running configuration with a new one. */
export function planReload(running: Config, wanted: Config): ReloadPlan {
  const needsHost: string[] = [];
  const hotKeys: string[] = [];
  for (const group of [
    "listen",
    "admin",
    "log",
    "storage",
    "drain",
    "limits",
    "redis",
    "cluster",
    "explain",
    "slowLog",
    ...HOT_GROUPS,
    "cache",
    "pairing",
  ] as const) {
    for (const key of changedKeys(running[group], wanted[group])) {
      const name = `${spelled(group)}.${spelled(key)}`;
      const keys = isHot(group, key) ? hotKeys : needsHost;
      if (!keys.includes(name)) keys.push(name);
    }
  }
  if (running.region !== wanted.region) needsHost.push("region");
  const steps: ReloadStep[] = hotKeys.length > 0 ? [{ action: "patch", keys: hotKeys }] : [];
  steps.push(...planChains(running.chains, wanted.chains));
  return { steps: inOrder(steps), needsHost };
}

/** Groups of which a running host takes every key at once. */
const HOT_GROUPS = ["clients", "cors", "profiles"] as const;

/** Steps in the order in which they are safe. */
export const inOrder = (steps: readonly ReloadStep[]): readonly ReloadStep[] =>
  [...steps].sort((a, b) => ORDER[a.action] - ORDER[b.action]);

const ORDER = { stop: 0, patch: 1, restart: 2, start: 3 } as const;

/** What a new list of chains asks for, in no particular order. */
export function planChains(
  running: readonly ChainConfig[],
  wanted: readonly ChainConfig[],
): readonly ReloadStep[] {
  const steps: ReloadStep[] = [];
  const before = new Map(running.map((chain) => [chain.name, chain]));
  const after = new Map(wanted.map((chain) => [chain.name, chain]));
  for (const name of before.keys()) {
    if (!after.has(name)) steps.push({ action: "stop", chain: name, keys: [] });
  }
  for (const chain of after.values()) {
    const old = before.get(chain.name);
    if (old === undefined) steps.push({ action: "start", chain: chain.name, keys: [] });
    else steps.push(...planChain(old, chain));
  }
  return steps;
}

function isHot(group: string, key: string): boolean {
  if (group === "explain" || group === "slowLog") return true;
  if ((HOT_GROUPS as readonly string[]).includes(group)) return true;
  if (group === "cluster") return key === "grants";
  return group === "drain" || (group === "log" && key === "level");
}

function planChain(old: ChainConfig, chain: ChainConfig): readonly ReloadStep[] {
  const { name } = chain;
  if (old.chainId !== chain.chainId) {
    return [{ action: "restart", chain: name, keys: ["chain_id"] }];
  }
  const steps = new Steps({ chain: name });
  if (old.blockTimeMs !== chain.blockTimeMs) steps.restart("head-tracker", "block_time");
  for (const key of CHAIN_VALUES) {
    if (!isSame(old[key], chain[key])) steps.patch(keysBelow(key, old[key], chain[key]));
  }
  for (const key of changedKeys(old.aggregation, chain.aggregation)) {
    steps.restart("message-aggregator", `aggregation.${spelled(key)}`);
  }
  for (const key of changedKeys(old.failover, chain.failover)) {
    if (key === "enabled") steps.patch(["failover.enabled"]);
    else steps.restart("subscription-hub", `failover.${spelled(key)}`);
  }
  return [...steps.list(), ...planProviders(old, chain)];
}

/** Keys of a chain that processes and the request path read anew each time. */
const CHAIN_VALUES = [
  "aliases",
  "strategy",
  "consistency",
  "finalityDepth",
  "help",
  "write",
  "selection",
  "leaderboard",
  "sticky",
  "hedge",
  "prediction",
  "logs",
  "methods",
  "quorum",
  "integrity",
  "allowClientDirectives",
  "cache",
] as const;

function planProviders(old: ChainConfig, chain: ChainConfig): readonly ReloadStep[] {
  const before = new Map(old.providers.map((provider) => [provider.id, provider]));
  const after = new Map(chain.providers.map((provider) => [provider.id, provider]));
  const connection = changedKeys(old.connection, chain.connection).map(
    (key) => `connection.${spelled(key)}`,
  );
  const health = changedKeys(old.healthCheck, chain.healthCheck).map(
    (key) => `health_check.${spelled(key)}`,
  );
  const steps: ReloadStep[] = [];
  for (const id of before.keys()) {
    if (!after.has(id)) steps.push({ action: "stop", chain: chain.name, provider: id, keys: [] });
  }
  for (const provider of after.values()) {
    const known = before.get(provider.id);
    const at = { chain: chain.name, provider: provider.id };
    if (known === undefined) steps.push({ action: "start", ...at, keys: [] });
    else steps.push(...planProvider(known, provider, at, connection, health));
  }
  return steps;
}

function planProvider(
  old: ProviderConfig,
  provider: ProviderConfig,
  at: { readonly chain: string; readonly provider: string },
  connection: readonly string[],
  health: readonly string[],
): readonly ReloadStep[] {
  const changed = changedKeys(old, provider);
  const whole = changed.filter((key) => PROVIDER_WHOLE.has(key));
  if (whole.length > 0) return [{ action: "restart", ...at, keys: whole.map(spelled) }];
  const steps = new Steps(at);
  for (const key of changed) {
    if (key === "breaker") {
      for (const part of changedKeys(old.breaker, provider.breaker)) {
        steps.restart("circuit-breaker", `breaker.${spelled(part)}`);
      }
    } else if (key === "probe") steps.restart("probe", "probe");
    else if (key === "shadow") steps.restart("ws-connection", "shadow.sample");
    else if (key === "subscribeNewHeads") steps.restart("ws-connection", "subscribe_new_heads");
    else steps.patch(keysBelow(key, old[key], provider[key]));
  }
  // a provider without a WebSocket has no process that these keys could concern
  if (provider.wsUrl !== undefined)
    for (const key of connection) steps.restart("ws-connection", key);
  for (const key of health) {
    steps.restart("probe", key);
    // A breaker waits for the answer to its probe for as long as the probe does.
    if (key === "health_check.timeout") steps.restart("circuit-breaker", key);
  }
  return steps.list();
}

/** Keys with which everything about a provider is new: its sockets and what was learned over them. */
const PROVIDER_WHOLE: ReadonlySet<string> = new Set(["url", "wsUrl", "headers", "http"]);

/** Collects the changes of one chain or provider, one step per process. */
class Steps {
  readonly #at: { readonly chain: string; readonly provider?: string };
  readonly #patched: string[] = [];
  readonly #restarted = new Map<PlannedProcess, string[]>();

  constructor(at: { readonly chain: string; readonly provider?: string }) {
    this.#at = at;
  }

  patch(keys: readonly string[]): void {
    this.#patched.push(...keys);
  }

  restart(process: PlannedProcess, key: string): void {
    const keys = this.#restarted.get(process);
    if (keys === undefined) this.#restarted.set(process, [key]);
    else keys.push(key);
  }

  list(): readonly ReloadStep[] {
    const patches: readonly ReloadStep[] =
      this.#patched.length > 0 ? [{ action: "patch", ...this.#at, keys: this.#patched }] : [];
    const restarts = [...this.#restarted].map(
      ([process, keys]): ReloadStep => ({ action: "restart", ...this.#at, process, keys }),
    );
    return [...patches, ...restarts];
  }
}

function changedKeys<T extends object>(a: T, b: T): readonly (keyof T & string)[] {
  const keys = new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof T & string>;
  return [...keys].filter((key) => !isSame(a[key], b[key]));
}

/** `selection.max_lag_blocks` for a group of keys, the key itself for a value or a list. */
function keysBelow(key: string, a: unknown, b: unknown): readonly string[] {
  if (!isGroup(a) || !isGroup(b)) return [spelled(key)];
  return changedKeys(a, b).map((below) => `${spelled(key)}.${spelled(below)}`);
}

function isGroup(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Secret)
  );
}

/** Structural equality; secrets by what they hold. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (a instanceof Secret) return b instanceof Secret && a.equals(b);
  if (Array.isArray(a) && Array.isArray(b)) {
    return a.length === b.length && a.every((item, at) => isSame(item, b[at]));
  }
  return isGroup(a) && isGroup(b) && changedKeys(a, b).length === 0;
}

/** The file's spelling of one of our names: `recoveryTimeoutMs` is `recovery_timeout` there. */
function spelled(name: string): string {
  const known = SPELLINGS[name];
  if (known !== undefined) return known;
  return name
    .replace(/(Ms|Bytes)$/, "")
    .replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

const SPELLINGS: Readonly<Record<string, string>> = {
  dir: "url",
  database: "url",
  defaultUnits: "units",
  unitsByMethod: "units",
};

/** One line per step, for people. */
export function formatStep(step: ReloadStep): string {
  const where = [step.chain, step.provider, step.process].filter((part) => part !== undefined);
  const what = where.length === 0 ? "host" : where.join("/");
  return `${step.action} ${what}${step.keys.length > 0 ? `: ${step.keys.join(", ")}` : ""}`;
}
