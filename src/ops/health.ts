/**
 * Health answers for load balancers and orchestrators: pure functions over what is known now.
 *
 * Nothing here asks a provider or a process anything, so an answer takes microseconds and never
 * depends on somebody else's outage: /livez restarts the host, /readyz only moves traffic.
 */
import type { Alert } from "./alerts.ts";
import { isUnready, type LoopAlarm, sentenceOf } from "./loop-alarm.ts";
import { chainVerdict, isProviderUsable } from "./status.ts";
import type { ChainView, HostView, ProcessesView } from "./views.ts";

/** What health is computed from. */
export interface HealthInput {
  readonly region: string;
  readonly version: string;
  readonly nowMs: number;
  readonly isDraining: boolean;
  /** The root supervisor lives. */
  readonly isRootAlive: boolean;
  readonly isConfigLoaded: boolean;
  readonly isListening: boolean;
  /** Endpoints (provider x transport) in all, and those that were tried at least once. */
  readonly endpoints: { readonly all: number; readonly tried: number };
  readonly chains: readonly ChainView[];
  /** Markets have what was kept of them; undefined where there is no pairing. */
  readonly isPairingWhole?: boolean | undefined;
  readonly alerts: readonly Alert[];
  readonly processes?: ProcessesView | undefined;
  readonly host?: HostView | undefined;
  /** The watchdog's last alarm. */
  readonly loopAlarm?: LoopAlarm | undefined;
}

/** One fact that a status rests on. */
export interface HealthCheck {
  readonly name: string;
  readonly ok: boolean;
  readonly reason?: string | undefined;
  /** ISO time since when it is so. */
  readonly since?: string | undefined;
}

/** Body of every health answer. */
export interface HealthBody {
  readonly status: "ok" | "degraded" | "unhealthy" | "draining";
  readonly region: string;
  readonly checks: readonly HealthCheck[];
  readonly [detail: string]: unknown;
}

/** HTTP status and body. */
export interface HealthReply {
  readonly status: 200 | 400 | 503;
  readonly body: HealthBody;
}

/** Which chain must be ready, and how many usable providers that takes. */
export interface ReadyQuery {
  readonly chain?: string | undefined;
  readonly min?: string | undefined;
}

const check = (name: string, ok: boolean, reason: string): HealthCheck =>
  ok ? { name, ok } : { name, ok, reason };

const reply = (
  input: HealthInput,
  checks: readonly HealthCheck[],
  isOk: boolean,
  status: HealthBody["status"],
): HealthReply => ({
  status: isOk ? 200 : 503,
  body: { status, region: input.region, checks },
});

/** `/livez`: the loop turns (or nobody would answer) and the root supervisor lives. */
export function livez(input: HealthInput): HealthReply {
  const checks = [
    check("event_loop", true, ""),
    check("root_supervisor", input.isRootAlive, "the root supervisor is gone"),
  ];
  return reply(input, checks, input.isRootAlive, input.isRootAlive ? "ok" : "unhealthy");
}

/** `/startupz`: configuration loaded, listening, every endpoint tried once. */
export function startupz(input: HealthInput): HealthReply {
  const { all, tried } = input.endpoints;
  const checks = [
    check("config", input.isConfigLoaded, "the configuration is not loaded yet"),
    check("listener", input.isListening, "the listener is not up yet"),
    check("endpoints_tried", tried >= all, `${tried} of ${all} endpoints were tried so far`),
  ];
  const isOk = checks.every(({ ok }) => ok);
  return reply(input, checks, isOk, isOk ? "ok" : "unhealthy");
}

const usableOf = (chain: ChainView, nowMs: number): number =>
  chain.providers.filter((provider) => isProviderUsable(provider, nowMs)).length;

/**
 * `/readyz[?chain=&min=]`: not draining, no long block of the main loop in the last seconds, and
 * enough usable providers on the chain, or on any.
 */
export function readyz(input: HealthInput, query: ReadyQuery = {}): HealthReply {
  const min = query.min === undefined ? 1 : Number(query.min);
  if (!Number.isSafeInteger(min) || min < 0) {
    const reason = `min must be a whole number, got ${JSON.stringify(query.min?.slice(0, 40))}`;
    const body = reply(input, [{ name: "query", ok: false, reason }], false, "unhealthy").body;
    return { status: 400, body };
  }
  const draining = check("not_draining", !input.isDraining, "draining: finishing what runs");
  const loop = loopCheck(input);
  const chains = readyChains(input, query.chain);
  const checks = [
    draining,
    loop,
    ...chains.map((chain) => {
      const usable = usableOf(chain, input.nowMs);
      const all = chain.providers.length;
      return check(
        `chain:${chain.name}`,
        usable >= min,
        `${usable} of ${all} providers can serve, ${min} wanted`,
      );
    }),
  ];
  if (chains.length === 0) checks.push(chainlessCheck(input, query.chain));
  const isServing = loop.ok && checks.slice(2).some(({ ok }) => ok);
  const isWell = checks.every(({ ok }) => ok);
  if (input.isDraining) return reply(input, checks, false, "draining");
  if (!isServing) return reply(input, checks, false, "unhealthy");
  return reply(input, checks, true, isWell ? "ok" : "degraded");
}

/** A host without chains may be there for pairing. */
function chainlessCheck(
  { chains, isPairingWhole }: HealthInput,
  wanted: string | undefined,
): HealthCheck {
  if (wanted !== undefined) return { name: "chain", ok: false, reason: "no such chain runs" };
  if (chains.length > 0 || isPairingWhole === undefined) {
    return { name: "chain", ok: false, reason: "no chain runs" };
  }
  return check("pairing", isPairingWhole, "markets are being read back");
}

function loopCheck({ loopAlarm, nowMs }: HealthInput): HealthCheck {
  if (!isUnready(loopAlarm, nowMs)) return { name: "main_loop", ok: true };
  return { name: "main_loop", ok: false, reason: sentenceOf(loopAlarm) };
}

function readyChains(input: HealthInput, wanted: string | undefined): readonly ChainView[] {
  if (wanted === undefined) return input.chains;
  return input.chains.filter(
    ({ name, aliases, chainId }) =>
      name === wanted ||
      aliases.includes(wanted) ||
      String(chainId) === wanted ||
      `0x${chainId.toString(16)}` === wanted.toLowerCase(),
  );
}

/** `/health`: the whole picture for people and monitors; 503 only when nothing can be served. */
export function health(input: HealthInput): HealthReply {
  const ready = readyz(input);
  const verdicts = input.chains.map((chain) => ({ chain, ...chainVerdict(chain, input.nowMs) }));
  const isDegraded =
    ready.body.status === "degraded" ||
    verdicts.some(({ state }) => state !== "ok") ||
    input.alerts.length > 0;
  const status = ready.body.status === "ok" && isDegraded ? "degraded" : ready.body.status;
  const endpoints = input.chains.flatMap(({ providers }) => providers);
  const usable = endpoints.filter((provider) => isProviderUsable(provider, input.nowMs)).length;
  return {
    status: ready.status,
    body: {
      status,
      region: input.region,
      checks: [...livez(input).body.checks, ...ready.body.checks],
      version: input.version,
      availability: {
        chains_up: verdicts.filter(({ state }) => state !== "down").length,
        chains: verdicts.length,
        providers_usable: usable,
        providers: endpoints.length,
      },
      chains: verdicts.map(({ chain, state, reason }) => ({
        name: chain.name,
        status: state,
        reason,
        tip: chain.tip < 0 ? null : chain.tip,
        tip_age_ms: chain.tipAtMs === undefined ? null : Math.round(input.nowMs - chain.tipAtMs),
        providers_usable: usableOf(chain, input.nowMs),
        providers: chain.providers.length,
      })),
      resources: resourcesOf(input),
      alerts: input.alerts,
    },
  };
}

function resourcesOf({ host, processes }: HealthInput): Readonly<Record<string, unknown>> {
  return {
    ...(host && {
      uptime_ms: Math.round(host.uptimeMs),
      rss_bytes: host.rssBytes,
      heap_used_bytes: host.heapUsedBytes,
      heap_limit_bytes: host.heapLimitBytes,
      event_loop_lag_p99_ms: Number(host.loopLagP99Ms.toFixed(2)),
      event_loop_utilization: Number(host.loopUtilization.toFixed(3)),
      open_fds: host.openFds < 0 ? null : host.openFds,
    }),
    ...(processes && {
      processes: processes.supervisors + processes.workers,
      restarts: processes.restarts,
      mailbox_messages: processes.mailboxMessages,
    }),
  };
}

/** Remembers since when each check is as it is; one per program, asked on every health answer. */
export class HealthMemory {
  readonly #seen = new Map<string, { readonly ok: boolean; readonly since: string }>();

  /** The same reply with `since` filled in; `nowIso` is the wall clock. */
  stamp(reply: HealthReply, nowIso: string): HealthReply {
    const checks = reply.body.checks.map((item) => {
      const known = this.#seen.get(item.name);
      if (known?.ok === item.ok) return { ...item, since: known.since };
      // Chain names are configured, so the map stays as small as the configuration.
      this.#seen.set(item.name, { ok: item.ok, since: nowIso });
      return { ...item, since: nowIso };
    });
    return { ...reply, body: { ...reply.body, checks } };
  }
}
