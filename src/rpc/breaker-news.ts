/** The events of a breaker that has moved, whichever process holds it. */
import type { Breaker, BreakerEffect } from "./breaker.ts";
import type { ProviderId, Transport } from "./ids.ts";

/** Which endpoint the breaker guards. */
interface Guarded {
  readonly chain: string;
  readonly provider: ProviderId;
  readonly transport: Transport;
}

/** Tells of the move. */
export const tellBreaker = (
  teller: { emit(event: string, fields: Readonly<Record<string, unknown>>): void },
  at: Guarded,
  breaker: Breaker,
  effect: Extract<BreakerEffect, { readonly type: "announce" }>,
): void => {
  const fields = {
    ...at,
    oldStatus: effect.from,
    newStatus: effect.to,
    reason: effect.cause,
    generation: effect.generation,
  };
  if (effect.to === "open") {
    if (effect.cause === "probe_lease") teller.emit("circuit_breaker.lease_expired", { ...at });
    const { consecutiveFailures } = breaker.report();
    teller.emit("circuit_breaker.open", { ...fields, consecutiveFailures });
  } else if (effect.to === "half_open") teller.emit("circuit_breaker.half_open", fields);
  else teller.emit("circuit_breaker.close", fields);
};
