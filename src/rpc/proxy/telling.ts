/** The events of calls that went wrong or slowly. */
import type { Attempt } from "./attempt/attempt.ts";
import type { Exchange } from "./exchange.ts";
import { SLOW_MS, VERY_SLOW_MS } from "./limits.ts";
import type { GatewayDeps } from "./ports.ts";

type Emit = GatewayDeps["emit"];

/** An attempt failed and another one follows. */
export function tellFailover(emit: Emit, exchange: Exchange, attempt: Attempt): void {
  emit("rpc.failover.triggered", {
    chain: exchange.chain,
    provider: attempt.provider,
    method: exchange.method,
    errorClass: attempt.errorClass,
    attempt: exchange.attempts.length,
    requestId: exchange.requestId,
    transport: attempt.row.transport,
  });
}

/** A call took long. */
export function tellSlow(emit: Emit, exchange: Exchange): void {
  if (exchange.durationMs <= SLOW_MS) return;
  const fields = {
    chain: exchange.chain,
    method: exchange.method,
    durationMs: Math.round(exchange.durationMs),
    requestId: exchange.requestId,
    attempts: exchange.attempts.length,
    ...(exchange.provider === undefined ? {} : { provider: exchange.provider }),
  };
  if (exchange.durationMs > VERY_SLOW_MS) emit("rpc.request.very_slow", fields);
  else emit("rpc.request.slow", fields);
}

/** A call ended with an error of ours. */
export function tellFailure(emit: Emit, exchange: Exchange): void {
  const { chain, method, requestId, reason, attempts, ranking } = exchange;
  if (reason !== undefined && UNSELECTED.has(reason)) {
    emit("rpc.selection.failure", {
      chain,
      method,
      requestId,
      strategy: exchange.strategy,
      reasons: ranking?.excluded.map(({ provider, rule }) => `${provider}: ${rule}`) ?? [],
    });
  } else if (reason !== undefined) {
    emit("rpc.failover.exhausted", {
      chain,
      method,
      requestId,
      reason,
      attempts: attempts.length,
      durationMs: Math.round(exchange.durationMs),
    });
  }
}

/** Reasons for which nobody was asked. */
const UNSELECTED: ReadonlySet<string> = new Set([
  "no_provider",
  "method_unsupported",
  "out_of_reach",
]);
