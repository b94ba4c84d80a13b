/** The watchdog of the main loop, as the gateway wants it, and its last alarm. */
import type { Node, WatchdogOptions } from "../otp/index.ts";
import { type LoopAlarm, loopAlarmOf } from "../ops/loop-alarm.ts";

/** A block longer than this is named while it lasts, ms. */
const ALARM_MS = 150;
/** A block longer than this ends the program (SIGKILL, exit status 137): a fresh one serves sooner, ms. */
const EXIT_AFTER_MS = 10_000;

/** Alarms are lines of the log, written by the watchdog itself: nobody else runs meanwhile. */
export const watchdogOptions = (region: string): WatchdogOptions => ({
  alarmMs: ALARM_MS,
  exitAfterMs: EXIT_AFTER_MS,
  fields: { region, subsystem: "otp" },
});

/** Remembers the last alarm of `node`. */
export const watchAlarms = (node: Node): (() => LoopAlarm | undefined) => {
  let last: LoopAlarm | undefined;
  node.telemetry.attach("loop-alarm", "otp.turn.long", (event) => {
    last = loopAlarmOf(event) ?? last;
  });
  return () => last;
};
