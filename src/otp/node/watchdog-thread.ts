/**
 * The watchdog's thread: notices that the main loop stands still, says at once who blocks it, and
 * may end the host process (otp.md 4.5).
 *
 * `watchdogThread` is handed to a worker as source text, so it must not refer to anything outside
 * its own body: loading a file would make the worker strip types, which costs 18 MB.
 */

import type { Debugger } from "node:inspector";
import type { Slot } from "../process/board.ts";

/** What the thread is told at its start. */
export interface WatchdogPlan {
  readonly board: Int32Array;
  readonly slots: typeof Slot;
  readonly sampleMs: number;
  readonly beatMs: number;
  readonly alarmMs: number;
  /** 0: never ends the host. */
  readonly exitAfterMs: number;
  /** Descriptor of the lines. */
  readonly fd: number;
  /** Fields of every line. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** Name of the global function that tells who runs; "" when there is none to ask. */
  readonly hook: string;
  readonly maxFrames: number;
  /** Longest wait for the main thread to show its stack. */
  readonly lookMs: number;
}

/** Who runs on the main thread, as the hook tells. */
export interface Running {
  readonly process?: string;
  readonly pid?: string;
  readonly handler?: string;
  readonly isDebugged: boolean;
}

/** One block of the main loop, told when it is over. */
export interface BlockReport {
  /** Counted in samples, too short where the thread itself had to wait for a processor. */
  readonly durationMs: number;
  /** From the board; 0 outside any visit. */
  readonly id: number;
  /** Undefined when the main thread could not be halted, as inside one long native call. */
  readonly running: Running | undefined;
  /** The innermost function that is not Node's own. */
  readonly function: string | undefined;
  /** Innermost first. */
  readonly stack: readonly string[];
}

/** Body of the thread. */
export function watchdogThread(): void {
  const inspector = process.getBuiltinModule("node:inspector") as
    | typeof import("node:inspector")
    | undefined;
  const { writeSync } = process.getBuiltinModule("node:fs");
  const { parentPort, workerData } = process.getBuiltinModule("node:worker_threads");
  const plan = workerData as WatchdogPlan;
  const { board, slots, sampleMs } = plan;

  interface Sight {
    readonly running: Running | undefined;
    readonly function: string | undefined;
    readonly stack: readonly string[];
  }
  interface Block {
    readonly beat: number;
    readonly id: number;
    durationMs: number;
    isEnding: boolean;
    sight: Sight;
  }
  const unseen: Sight = { running: undefined, function: undefined, stack: [] };
  let seenBeat = -1;
  let quietMs = 0;
  let sampledAtMs = performance.now();
  let block: Block | undefined;

  const read = (slot: number): number => Atomics.load(board, slot);

  function sample(): void {
    const nowMs = performance.now();
    // Its own ticks, not the clock: time in which the whole host was stopped counts as one sample.
    const elapsedMs = Math.min(nowMs - sampledAtMs, 2 * sampleMs);
    sampledAtMs = nowMs;
    const beat = read(slots.beat);
    if (beat !== seenBeat || read(slots.debugged) === 1) {
      seenBeat = beat;
      quietMs = 0;
      if (block !== undefined) over(block);
      block = undefined;
      return;
    }
    quietMs += elapsedMs;
    // The last beat may have come a full interval before the block.
    const blockedMs = quietMs - plan.beatMs;
    if (block !== undefined) block.durationMs = blockedMs;
    else if (blockedMs >= plan.alarmMs) raise(beat, blockedMs);
    if (block === undefined || plan.exitAfterMs === 0 || block.isEnding) return;
    if (blockedMs >= plan.exitAfterMs) end(block);
  }

  function raise(beat: number, durationMs: number): void {
    const raised: Block = { beat, id: read(slots.pid), durationMs, isEnding: false, sight: unseen };
    block = raised;
    Atomics.store(board, slots.alarm, beat);
    look((sight) => {
      // A stack that was read after the block would accuse somebody else.
      if (read(slots.beat) === beat) raised.sight = sight;
      if (raised.sight.running?.isDebugged === true) return;
      say("error", raised, "the main loop is blocked");
    });
  }

  function over({ sight, durationMs, id }: Block): void {
    if (sight.running?.isDebugged === true) return;
    const report: BlockReport = { durationMs, id, ...sight };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port has none
    parentPort?.postMessage(report);
  }

  function end(ending: Block): void {
    ending.isEnding = true;
    look((sight) => {
      if (sight.running?.isDebugged === true || read(slots.beat) !== ending.beat) return;
      if (sight !== unseen) ending.sight = sight;
      say("fatal", ending, "the main loop does not come back: ending the host process by SIGKILL");
      process.kill(process.pid, "SIGKILL");
    });
  }

  /** Halts the main thread for some milliseconds and reads its stack. */
  function look(done: (sight: Sight) => void): void {
    if (inspector === undefined || plan.hook === "") {
      done(unseen);
      return;
    }
    const session = new inspector.Session();
    const urls = new Map<string, string>();
    let isOver = false;
    const finish = (sight: Sight): void => {
      if (isOver) return;
      isOver = true;
      clearTimeout(timer);
      session.disconnect();
      done(sight);
    };
    // In native code nothing can be halted; there the board's pid must do.
    const timer = setTimeout(() => finish(unseen), plan.lookMs);
    session.on("Debugger.scriptParsed", ({ params: { scriptId, url } }) => {
      urls.set(scriptId, url);
    });
    session.on("Debugger.paused", ({ params: { callFrames } }) => {
      const [top] = callFrames;
      if (isOver || top === undefined) return;
      // The key is no symbol: in Node's own frames not even `Symbol` is defined.
      const question = {
        callFrameId: top.callFrameId,
        expression: `globalThis[${JSON.stringify(plan.hook)}]?.()`,
        returnByValue: true,
        silent: true,
      };
      const sightOf = (running: Running | undefined): Sight => {
        const fileOf = ({ location }: Frame): string => urls.get(location.scriptId) ?? "";
        const isOwn = (frame: Frame): boolean => /^(?!node:)./.test(fileOf(frame));
        return {
          running,
          function: nameOf(callFrames.find(isOwn) ?? top),
          stack: callFrames
            .slice(0, plan.maxFrames)
            .map((frame) => lineOf(frame, fileOf(frame).replace(/^file:\/\//, ""))),
        };
      };
      type Answer = Debugger.EvaluateOnCallFrameReturnType;
      session.post("Debugger.evaluateOnCallFrame", question, (_error, answer?: Answer) => {
        const running = answer?.result.value as Running | undefined;
        const sight = sightOf(running);
        // Somebody else's breakpoint stays where it is.
        if (running?.isDebugged === true) finish(sight);
        else session.post("Debugger.resume", () => finish(sight));
      });
    });
    try {
      session.connectToMainThread();
      session.post("Debugger.enable");
      session.post("Debugger.pause");
    } catch {
      finish(unseen);
    }
  }

  interface Frame {
    readonly functionName: string;
    readonly location: {
      readonly scriptId: string;
      readonly lineNumber: number;
      readonly columnNumber?: number | undefined;
    };
  }

  function nameOf({ functionName }: Frame): string {
    return functionName === "" ? "(anonymous)" : functionName;
  }

  function lineOf(frame: Frame, file: string): string {
    const { lineNumber, columnNumber = 0 } = frame.location;
    return `${nameOf(frame)} (${file}:${lineNumber + 1}:${columnNumber + 1})`;
  }

  function say(level: string, { sight, durationMs, id }: Block, msg: string): void {
    const { running } = sight;
    const line = {
      level,
      time: new Date().toISOString(),
      ...plan.fields,
      event: "otp.turn.long",
      process: running?.process ?? (id === 0 ? "(none)" : `#${id}`),
      pid: running?.pid ?? (id === 0 ? undefined : `#${id}`),
      alarm: true,
      duration_ms: Math.round(durationMs),
      handler: running?.handler,
      function: sight.function ?? "(unknown)",
      stack: sight.stack.join("\n"),
      msg,
    };
    try {
      writeSync(plan.fd, `${JSON.stringify(line)}\n`);
    } catch {
      // A closed or full pipe must not keep the watchdog from its work.
    }
  }

  setInterval(sample, sampleMs);
}
