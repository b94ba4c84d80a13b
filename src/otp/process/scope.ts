/**
 * Which process is running: the sync turn first, then the async scope its code was created in.
 *
 * Every process owns one AsyncResource made inside `als.run`, so that stray errors, calls and
 * late writes are charged to the process whose code caused them (10 ns a visit).
 */
import { AsyncLocalStorage, AsyncResource } from "node:async_hooks";
import type { Process } from "./process.ts";

const storage = new AsyncLocalStorage<Process | undefined>();
const OPTIONS = { requireManualDestroy: true };
let current: Process | undefined;

/** The process whose code is running now, alive or dead; undefined outside any process. */
export function currentProcess(): Process | undefined {
  return current ?? storage.getStore();
}

/** Runs `body(process)` inside the scope of `process`; makes its resource at the first visit. */
export function runIn<R>(process: Process, body: (process: Process) => R): R {
  let resource = process.resource;
  if (resource === undefined) {
    resource = storage.run(process, makeResource);
    process.resource = resource;
  }
  const before = current;
  current = process;
  try {
    return resource.runInAsyncScope<undefined, R>(body, undefined, process);
  } finally {
    current = before;
  }
}

/** Like `runIn` for init: no resource yet, most short-lived processes never need one. */
export function runFirst<R>(process: Process, body: (process: Process) => R): R {
  const before = current;
  current = process;
  try {
    return storage.run(process, body, process);
  } finally {
    current = before;
  }
}

/** Runs the continuation of an async handler: the async scope is already right. */
export function resumeIn(process: Process, body: () => void): void {
  const before = current;
  current = process;
  try {
    body();
  } finally {
    current = before;
  }
}

/** Runs `body` owned by nobody, whoever calls it. */
export function runOutside<R>(body: () => R): R {
  const before = current;
  current = undefined;
  try {
    return storage.run(undefined, body);
  } finally {
    current = before;
  }
}

/** A scope owned by nobody, for the run queue itself. */
export function outsideResource(): AsyncResource {
  return runOutside(makeResource);
}

function makeResource(): AsyncResource {
  return new AsyncResource("PacelineProcess", OPTIONS);
}
