/** Pairing: markets, the queue, its workers, their results, the lists of consumers. */
import { directory, directoryKey } from "../actors/pairing/directory.ts";
import { epochClock, epochClockKey } from "../actors/pairing/epoch-clock.ts";
import { intake, intakeKey } from "../actors/pairing/intake.ts";
import { policyQueue, policyQueueKey } from "../actors/pairing/policy-queue.ts";
import { resultBuffer, resultBufferKey } from "../actors/pairing/result-buffer.ts";
import { storeWriter, storeWriterKey } from "../actors/pairing/store-writer.ts";
import { child, supervisor, type ArgsOf, type SupervisorSpec } from "../src/otp/index.ts";
import { pairingWorkers, type WorkerParts, workersName } from "./pairing-workers.ts";
import { matchingThreads } from "./pairing-thread.ts";

/** What the processes of this subtree are started with. */
export interface PairingParts {
  /** Undefined where nothing is kept, as in tests. */
  readonly storeWriter?: ArgsOf<typeof storeWriter> | undefined;
  readonly directory: ArgsOf<typeof directory>;
  readonly policyQueue: Omit<ArgsOf<typeof policyQueue>, "counts">;
  readonly resultBuffer: ArgsOf<typeof resultBuffer>;
  readonly worker: Omit<WorkerParts, "book">;
  /** Undefined where no chain has lists. */
  readonly epochClock?: ArgsOf<typeof epochClock> | undefined;
  readonly intake: Omit<ArgsOf<typeof intake>, "supervisor">;
}

/**
 * rest_for_one: workers write results, pull from the queue and read the markets, so they begin anew
 * with any of them; a worker that dies concerns nobody else.
 */
export const pairing = (parts: PairingParts): SupervisorSpec => {
  const { book } = parts.directory;
  const { counts } = book;
  return supervisor("pairing", {
    register: "pairing",
    strategy: "rest_for_one",
    intensity: 10,
    period: 10,
    children: [
      ...(parts.storeWriter === undefined
        ? []
        : [
            child(storeWriter, parts.storeWriter, { register: storeWriterKey(), shutdown: 10_000 }),
          ]),
      child(directory, parts.directory, { register: directoryKey() }),
      child(policyQueue, { ...parts.policyQueue, counts }, { register: policyQueueKey() }),
      child(resultBuffer, parts.resultBuffer, { register: resultBufferKey() }),
      pairingWorkers({ ...parts.worker, book }),
      matchingThreads(),
      child(
        intake,
        { ...parts.intake, supervisor: workersName },
        { register: intakeKey(), shutdown: parts.intake.drainMs + 2_000 },
      ),
      // Last: nobody needs it to go on, and its death must not close the queue.
      ...(parts.epochClock === undefined
        ? []
        : [child(epochClock, parts.epochClock, { register: epochClockKey() })]),
    ],
  });
};
