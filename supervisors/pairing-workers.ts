/** The workers of pairing, as many as the intake starts. */
import { pairingWorker, pairingWorkerKey } from "../actors/pairing/pairing-worker.ts";
import { child, dynamicSupervisor, type ArgsOf, type SupervisorSpec } from "../src/otp/index.ts";

/** What every worker is started with. */
export type WorkerParts = Omit<ArgsOf<typeof pairingWorker>, "id">;

/** Name of their supervisor. */
export const workersName = "pairing/workers";

/** One by one: a worker that dies concerns nobody else. */
export const pairingWorkers = (parts: WorkerParts): SupervisorSpec<number> =>
  dynamicSupervisor(workersName, {
    intensity: 100,
    period: 10,
    register: workersName,
    template: (id: number) =>
      child(pairingWorker, { ...parts, id }, { register: pairingWorkerKey(String(id)) }),
  });
