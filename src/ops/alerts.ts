/**
 * Conditions that need the operator, computed from what is measured now.
 *
 * The same list is on the page, in /health and in the API; an alert says what, about whom, with
 * which numbers, and what to do next.
 */
import { isAlert, type LoopAlarm, sentenceOf } from "./loop-alarm.ts";
import { chainVerdict, endpointsOf, isProviderUsable } from "./status.ts";
import type { ChainView, HostView, ProcessesView } from "./views.ts";

/** Limits at which a condition becomes an alert. */
export const ALERT_LIMITS = {
  failureRatio: 0.5,
  failureSamples: 20,
  tipAgeBlockTimes: 3,
  tipAgeMinMs: 10_000,
  loopLagP99Ms: 50,
  heapRatio: 0.8,
  budgetRatio: 0.5,
} as const;

/** One condition that holds now. */
export interface Alert {
  /** Stable name, e.g. `chain_down`. */
  readonly id: string;
  readonly severity: "warning" | "critical";
  readonly chain?: string | undefined;
  readonly provider?: string | undefined;
  readonly message: string;
  /** What to look at or to type next. */
  readonly hint: string;
}

/** What alerts are computed from. */
export interface AlertInput {
  readonly nowMs: number;
  readonly chains: readonly ChainView[];
  readonly processes?: ProcessesView | undefined;
  readonly host?: HostView | undefined;
  /** The watchdog's last alarm. */
  readonly loopAlarm?: LoopAlarm | undefined;
}

/** Every condition that holds, critical ones first. */
export function activeAlerts(input: AlertInput): readonly Alert[] {
  const alerts = [
    ...input.chains.flatMap((chain) => chainAlerts(chain, input.nowMs)),
    ...hostAlerts(input.host),
    ...loopAlerts(input),
    ...budgetAlerts(input.processes),
  ];
  return alerts.sort((a, b) => severityRank(a) - severityRank(b));
}

const severityRank = ({ severity }: Alert): number => (severity === "critical" ? 0 : 1);

const percent = (ratio: number): string => `${Math.round(ratio * 100)} %`;

function chainAlerts(chain: ChainView, nowMs: number): readonly Alert[] {
  const alerts: Alert[] = [];
  const usable = chain.providers.filter((provider) => isProviderUsable(provider, nowMs)).length;
  if (chainVerdict(chain, nowMs).state === "down") {
    alerts.push({
      id: "chain_down",
      severity: "critical",
      chain: chain.name,
      message: `${chain.name}: none of ${chain.providers.length} providers can serve`,
      hint: `paceline breaker ls ${chain.name}`,
    });
  } else if (usable === 1 && chain.providers.length > 1) {
    alerts.push({
      id: "chain_single_provider",
      severity: "warning",
      chain: chain.name,
      message: `${chain.name}: only 1 of ${chain.providers.length} providers can serve`,
      hint: `paceline breaker ls ${chain.name}`,
    });
  }
  const limitMs = Math.max(
    ALERT_LIMITS.tipAgeMinMs,
    ALERT_LIMITS.tipAgeBlockTimes * chain.blockTimeMs,
  );
  const ageMs = chain.tipAtMs === undefined ? 0 : nowMs - chain.tipAtMs;
  if (ageMs > limitMs) {
    alerts.push({
      id: "head_stale",
      severity: "warning",
      chain: chain.name,
      message: `${chain.name}: no new head for ${Math.round(ageMs / 1_000)} s`,
      hint: `paceline inspect rpc/chain/${chain.name}/head-tracker`,
    });
  }
  return [...alerts, ...providerAlerts(chain)];
}

function providerAlerts(chain: ChainView): readonly Alert[] {
  return chain.providers.flatMap((provider): Alert[] => {
    const about = { chain: chain.name, provider: provider.id };
    const alerts: Alert[] = [];
    const open = endpointsOf(provider).filter(([, row]) => row.state === "open");
    if (open.length > 0) {
      const transports = open.map(([transport]) => transport).join(" and ");
      const forced = open.some(([, row]) => row.forced) ? ", forced by an operator" : "";
      alerts.push({
        id: "circuit_breaker_open",
        severity: "warning",
        ...about,
        message: `${chain.name}/${provider.id}: breaker open for ${transports}${forced}`,
        hint: `paceline breaker ls ${chain.name}/${provider.id}`,
      });
    }
    const { calls, lag } = provider;
    if (
      calls !== undefined &&
      calls.n >= ALERT_LIMITS.failureSamples &&
      calls.failureRatio >= ALERT_LIMITS.failureRatio
    ) {
      alerts.push({
        id: "provider_failing",
        severity: "warning",
        ...about,
        message: `${chain.name}/${provider.id}: ${percent(calls.failureRatio)} of calls fail`,
        hint: `see /api/v1/chains/${encodeURIComponent(chain.name)}/leaderboard`,
      });
    }
    if (lag !== undefined && lag > chain.maxLagBlocks) {
      alerts.push({
        id: "provider_lagging",
        severity: "warning",
        ...about,
        message: `${chain.name}/${provider.id}: ${lag} blocks behind, limit ${chain.maxLagBlocks}`,
        hint: `paceline inspect rpc/chain/${chain.name}/head-tracker`,
      });
    }
    const wrongChain = endpointsOf(provider).find(([, row]) =>
      /wrong.chain/.test(row.unusableReason ?? ""),
    );
    if (wrongChain !== undefined) {
      alerts.push({
        id: "wrong_chain",
        severity: "critical",
        ...about,
        message: `${chain.name}/${provider.id}: serves another chain than ${chain.chainId}`,
        hint: "correct url, ws_url or chain_id in the configuration, then: paceline reload",
      });
    }
    return alerts;
  });
}

function hostAlerts(host: HostView | undefined): readonly Alert[] {
  if (host === undefined) return [];
  const alerts: Alert[] = [];
  if (host.loopLagP99Ms > ALERT_LIMITS.loopLagP99Ms) {
    alerts.push({
      id: "loop_lag",
      severity: "warning",
      message: `the event loop is ${Math.round(host.loopLagP99Ms)} ms late (p99)`,
      hint: "paceline ps --sort cpu",
    });
  }
  const heapRatio = host.heapLimitBytes > 0 ? host.heapUsedBytes / host.heapLimitBytes : 0;
  if (heapRatio > ALERT_LIMITS.heapRatio) {
    alerts.push({
      id: "heap",
      severity: "critical",
      message: `the heap is ${percent(heapRatio)} full`,
      hint: "raise --max-old-space-size or lower aggregation.max_cache_size",
    });
  }
  return alerts;
}

function loopAlerts({ loopAlarm, nowMs }: AlertInput): readonly Alert[] {
  if (!isAlert(loopAlarm, nowMs)) return [];
  return [
    {
      id: "loop_blocked",
      severity: "warning",
      message: sentenceOf(loopAlarm),
      hint: "see the stack in the log: event otp.turn.long",
    },
  ];
}

function budgetAlerts(processes: ProcessesView | undefined): readonly Alert[] {
  const worst = processes?.worstBudget;
  if (worst === undefined || worst.ratio <= ALERT_LIMITS.budgetRatio) return [];
  return [
    {
      id: "restart_budget",
      severity: "warning",
      message: `${worst.supervisor} used ${percent(worst.ratio)} of its restart budget`,
      hint: "paceline tree",
    },
  ];
}
