/**
 * One worker thread: its port, its end, and the module it has loaded ahead of its work.
 */
import { Worker } from "node:worker_threads";
import type { ProfileName } from "../node/profile.ts";
import type { Frame, Port } from "./frames.ts";

/** How a thread ended. */
export interface ThreadEnd {
  readonly code: number;
  /** What was thrown and caught by nobody, such as ERR_WORKER_OUT_OF_MEMORY. */
  readonly error: Error | undefined;
}

/** Options of one thread. */
export interface ThreadOptions {
  /** Shown by operating tools. */
  readonly name: string;
  /** Old generation, MiB. */
  readonly heapMb: number;
  /** Profile of the node, which the one inside shares. */
  readonly profile: ProfileName;
}

/** What a thread knows from the start. */
export interface ThreadData {
  readonly profile: ProfileName;
}

/** From source the room is TypeScript, in a package it is JavaScript. */
const INSIDE = new URL(
  import.meta.url.endsWith(".ts") ? "./inside.ts" : "./inside.js",
  import.meta.url,
).href;

/**
 * The compile cache has to be on before the first module is read: loading the runtime takes 50 ms
 * with it and 200 ms without (2 shared cores, from source). Where it is off, so it stays.
 */
const BOOT = `
require("node:module").enableCompileCache?.();
import(${JSON.stringify(INSIDE)}).then((inside) => inside.runInside());
`;

/** A thread as its host sees it. */
export class Thread implements Port {
  /** Resolves when the thread is gone; never rejects. */
  readonly ended: Promise<ThreadEnd>;
  private readonly worker: Worker;

  constructor({ name, heapMb, profile }: ThreadOptions) {
    const worker = new Worker(BOOT, {
      eval: true,
      name,
      workerData: { profile } satisfies ThreadData,
      resourceLimits: { maxOldGenerationSizeMb: heapMb },
    });
    // The node's tree keeps the program up, not its threads.
    worker.unref();
    this.worker = worker;
    this.ended = new Promise((resolve) => {
      let error: Error | undefined;
      worker.once("error", (thrown: unknown) => {
        error = thrown instanceof Error ? thrown : new Error(String(thrown));
      });
      worker.once("exit", (code) => resolve({ code, error }));
    });
  }

  post(frames: readonly Frame[], transfers: readonly ArrayBuffer[]): void {
    this.worker.postMessage(frames, transfers);
  }

  onFrames(take: (frames: readonly Frame[]) => void): void {
    this.worker.on("message", take);
  }

  /** Ends the thread whatever it runs, an endless loop included; takes 1 to 5 ms. */
  terminate(): void {
    this.worker.removeAllListeners("message");
    void this.worker.terminate();
  }
}
