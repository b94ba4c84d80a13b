/** Pairing: markets, the queue, its workers, their results. */
import { directory, directoryKey } from "../actors/pairing/directory.ts";
import { intake, intakeKey } from "../actors/pairing/intake.ts";
import { pairingWorker, pairingWorkerKey } from "../actors/pairing/pairing-worker.ts";
import { policyQueue, policyQueueKey } from "../actors/pairing/policy-queue.ts";
import { resultBuffer, resultBufferKey } from "../actors/pairing/result-buffer.ts";
import { child, dynamicSupervisor, supervisor } from "../src/otp/index.ts";
import type { ArgsOf, SupervisorSpec } from "../src/otp/index.ts";

/** What the processes of this subtree are started with. */
export interface PairingParts {
  readonly directory: ArgsOf<typeof directory>;
  readonly policyQueue: Omit<ArgsOf<typeof policyQueue>, "counts">;
  readonly resultBuffer: ArgsOf<typeof resultBuffer>;
  readonly worker: Pick<ArgsOf<typeof pairingWorker>, "errors">;
  readonly intake: Omit<ArgsOf<typeof intake>, "supervisor">;
}

const workers = "pairing/workers";

/**
 * rest_for_one: workers write results, pull from the queue and read the markets, so they begin anew
 * with any of them; a worker that dies concerns nobody else.
 */
export const pairing = (parts: PairingParts): SupervisorSpec => {
  const { book } = parts.directory;
  return supervisor("pairing", {
    register: "pairing",
    strategy: "rest_for_one",
    intensity: 10,
    period: 10,
    children: [
      child(directory, parts.directory, { register: directoryKey() }),
      child(
        policyQueue,
        { ...parts.policyQueue, counts: book.counts },
        { register: policyQueueKey() },
      ),
      child(resultBuffer, parts.resultBuffer, { register: resultBufferKey() }),
      dynamicSupervisor(workers, {
        intensity: 100,
        period: 10,
        register: workers,
        template: (id: number) =>
          child(
            pairingWorker,
            { ...parts.worker, id, book },
            { register: pairingWorkerKey(String(id)) },
          ),
      }),
      child(
        intake,
        { ...parts.intake, supervisor: workers },
        { register: intakeKey(), shutdown: parts.intake.drainMs + 2_000 },
      ),
    ],
  });
};
