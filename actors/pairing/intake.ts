/**
 * The door of the queue: it starts the workers, and when the service ends it closes the queue and lets
 * them finish. Last of its siblings, so it ends first, while all of them still run.
 *
 * Permanent; a restart loses nothing.
 */
import { defineActor, isCleanReason, keyFor, reply, stop, type Ctx } from "../../src/otp/index.ts";
import { directoryKey } from "./directory.ts";
import { pairingWorkerKey } from "./pairing-worker.ts";
import { policyQueueKey } from "./policy-queue.ts";
import { resultBufferKey } from "./result-buffer.ts";

/** What the door is started with. */
export interface IntakeArgs {
  /** Name of the dynamic supervisor of the workers. */
  readonly supervisor: string;
  readonly workers: number;
  /** How long waiting policies may take when the service ends, ms. */
  readonly drainMs: number;
}

/** The door. */
export const intake = defineActor({
  name: "pairing/intake",
  trapExit: true,
  init: async (args: IntakeArgs, ctx): Promise<IntakeArgs> => {
    ctx.via(policyQueueKey()).cast.open();
    await startUpTo(args.workers, args, ctx);
    return args;
  },
  calls: {
    /** Starts or stops workers, one by one, until there are so many. */
    resize: async (state, workers: number, ctx) => {
      await startUpTo(workers, state, ctx);
      for (let id = state.workers - 1; id >= workers; id--) await stopWorker(id, state, ctx);
      return reply({ ...state, workers }, workers);
    },
    workers: (state, _arg: undefined) => reply(state, state.workers),
  },
  // Only the tree's own end closes the queue; any other exit restarts the process beside it.
  on: (state, info) =>
    info.type === "exit" && !isCleanReason(info.reason) ? stop(state, info.reason) : state,
  terminate: async ({ drainMs, supervisor }, reason, ctx) => {
    // Without one of them nothing would come of it.
    const hasAll =
      ctx.whereis(directoryKey()) !== undefined &&
      ctx.whereis(policyQueueKey()) !== undefined &&
      ctx.whereis(resultBufferKey()) !== undefined &&
      ctx.supervisor(supervisor) !== undefined;
    if (!hasAll || !isCleanReason(reason)) return;
    const call = { timeoutMs: drainMs + GRACE_MS };
    await ctx.via(policyQueueKey()).try.drain({ timeoutMs: drainMs }, call);
  },
});

/** Finds the door. */
export const intakeKey = keyFor(intake);

/** What a call may take beyond what it waits for, ms. */
const GRACE_MS = 1_000;

const startUpTo = async (workers: number, { supervisor: name }: IntakeArgs, ctx: Ctx) => {
  const supervisor = ctx.supervisor<number>(name);
  for (let id = 0; id < workers; id++) {
    if (ctx.whereis(pairingWorkerKey(String(id))) !== undefined) continue;
    await supervisor?.startChild(id);
  }
};

const stopWorker = async (id: number, { supervisor: name }: IntakeArgs, ctx: Ctx) => {
  const supervisor = ctx.supervisor(name);
  const worker = ctx.whereis(pairingWorkerKey(String(id)));
  if (worker !== undefined) await supervisor?.terminateChild(worker);
};
