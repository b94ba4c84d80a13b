/** A worker of the simulation: plays the seeds that it is sent, one at a time. */
import { runSeed } from "./run.ts";

process.on("message", (seed: number) => {
  void runSeed(seed).then((outcome) => process.send?.(outcome));
});
