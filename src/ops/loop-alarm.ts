/**
 * What the watchdog's last alarm means to operators and load balancers (otp.md 4.5): an alert for a
 * while, and after a long block some seconds out of rotation, since one rarely comes alone.
 */

/** Limits of what an alarm causes. */
export const LOOP_LIMITS = {
  /** A block at least this long makes the instance unready, ms. */
  unreadyBlockMs: 500,
  /** How long it stays unready after the block, ms. */
  unreadyMs: 5_000,
  /** How long the alert stands after the block, ms. */
  alertMs: 60_000,
} as const;

/** The last block of the main loop that was an alarm. */
export interface LoopAlarm {
  /** Monotonic ms at which it was over. */
  readonly atMs: number;
  readonly durationMs: number;
  /** Label of the process, "(none)" for code of nobody. */
  readonly process: string;
  readonly function: string;
}

/** The alarm in an `otp.turn.long` event; undefined when the event is none. */
export function loopAlarmOf(event: {
  readonly atMs: number;
  readonly process?: string;
  readonly fields: Readonly<Record<string, unknown>>;
}): LoopAlarm | undefined {
  const { alarm, durationMs, function: blocking } = event.fields;
  if (alarm !== true || typeof durationMs !== "number") return undefined;
  const name = typeof blocking === "string" ? blocking : "(unknown)";
  return { atMs: event.atMs, durationMs, process: event.process ?? "(none)", function: name };
}

/** True while the alert about `alarm` stands. */
export const isAlert = (alarm: LoopAlarm | undefined, nowMs: number): alarm is LoopAlarm =>
  alarm !== undefined && nowMs - alarm.atMs < LOOP_LIMITS.alertMs;

/** True while a load balancer should send traffic elsewhere. */
export const isUnready = (alarm: LoopAlarm | undefined, nowMs: number): alarm is LoopAlarm =>
  alarm !== undefined &&
  alarm.durationMs >= LOOP_LIMITS.unreadyBlockMs &&
  nowMs - alarm.atMs < LOOP_LIMITS.unreadyMs;

/** `rpc/chain/eth/head-tracker held the main loop for 812 ms in parse` */
export const sentenceOf = ({ process, durationMs, function: blocking }: LoopAlarm): string =>
  `${process} held the main loop for ${Math.round(durationMs)} ms in ${blocking}`;
