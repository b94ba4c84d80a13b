/** What the node remembers of requests that have ended: the ring of the last ones, and the slow log. */
import { DECISIONS } from "../errors/decisions.ts";
import type { MethodInfo } from "../json-rpc/methods.ts";
import type { Envelope } from "../json-rpc/scan.ts";
import { outlineParams } from "./params.ts";
import type { RingLimits } from "./ring.ts";
import { RequestRing } from "./ring.ts";
import type { SlowLogLimits } from "./slow-log.ts";
import { SlowLog } from "./slow-log.ts";
import type { Told } from "./told.ts";

/** Bounds of what is remembered. */
export interface BookLimits {
  readonly ring: RingLimits;
  readonly slow: SlowLogLimits;
}

/** Defaults; the operator may change them (`explain`, `slow_log`). */
export const BOOK_LIMITS: BookLimits = {
  ring: { requests: 1000, maxBytes: 16 * 1024 * 1024 },
  slow: { thresholdMs: 2000, entries: 200 },
};

/** A call's bytes, to outline its parameters while they are there. */
interface Asked {
  readonly body: Buffer;
  readonly envelope: Envelope;
}

/** The memory of one node. */
export class RequestBook {
  readonly ring: RequestRing;
  readonly slow: SlowLog;

  constructor({ ring, slow }: BookLimits) {
    this.ring = new RequestRing(ring);
    this.slow = new SlowLog(slow);
  }

  /** Other bounds, at a reload. */
  resize({ ring, slow }: BookLimits): void {
    this.ring.resize(ring);
    this.slow.resize(slow);
  }

  /** Keeps a request that providers were asked for. */
  keep(told: Told, { body, envelope }: Asked, kind: MethodInfo["class"]): void {
    this.ring.keep(told);
    const hasFailed = told.outcome === "error" && isFailure(told);
    if (!this.slow.wants(told.durationMs, hasFailed)) return;
    const params = outlineParams(body, envelope.paramsStart, envelope.paramsEnd, kind);
    this.slow.add(told, hasFailed, params);
  }
}

/** An error of ours, or a provider's that another one need not have made; a revert is an answer. */
const isFailure = ({ reason, attempts }: Told): boolean => {
  if (reason !== undefined) return true;
  const last = attempts.at(-1);
  return last === undefined || DECISIONS[last.errorClass].breaker !== "success";
};
