/**
 * Which process is running: the sync turn first, then the async scope its code was created in.
 *
 * A process that lives for more than one visit owns an AsyncResource made inside its scope, so that
 * stray errors, calls and late writes are charged to the process whose code caused them (10 ns a
 * visit). Entering a scope without one costs 110 ns, making one 300 ns more.
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

/** Depth of callbacks of others (telemetry, registry listeners) inside somebody's turn or death. */
let asides = 0;

/**
 * True when the running code is that of a dead process: what it does is counted and must be dropped.
 * Asking costs 2 ns in a live turn, 14 in code outside any turn.
 */
export function isZombie(op: string): boolean {
  if (current !== undefined && current.alive) return false;
  // A driver may have bound the code to somebody else than the process that is ending now.
  const owner = storage.getStore();
  if (owner === undefined || owner.alive || asides > 0) return false;
  owner.kernel.zombie(owner, op);
  return true;
}

/** Runs a callback that is not the code of whoever caused it, such as an observer of its death. */
export function runAside<A>(callback: (argument: A) => void, argument: A): void {
  asides += 1;
  try {
    callback(argument);
  } finally {
    asides -= 1;
  }
}

/** Runs `body(process)` inside the scope of `process`; makes its resource at the first visit. */
export function runIn<R>(process: Process, body: (process: Process) => R): R {
  let resource = process.resource;
  if (resource === undefined) {
    resource = inScope(process, makeResource);
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

/** Like `runIn` for init and the first visit: most short-lived processes never need a resource. */
export function runFirst<R>(process: Process, body: (process: Process) => R): R {
  const before = current;
  current = process;
  try {
    return inScope(process, body);
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

const nobody = outsideResource();

/** Enters the scope of `process`; the resource around it brings the caller's scope back. */
function enter<R>(process: Process, body: (process: Process) => R): R {
  storage.enterWith(process);
  return body(process);
}

/**
 * True where a resource restores the scope that was entered before it (Node 24): then one switch
 * does what `run` needs two for.
 */
const isRestored = ((): boolean => {
  const probe = {} as Process;
  const seen = nobody.runInAsyncScope(() => {
    storage.enterWith(probe);
    nobody.runInAsyncScope(() => storage.enterWith(undefined));
    return storage.getStore();
  });
  return seen === probe && storage.getStore() === undefined;
})();

function inScope<R>(process: Process, body: (process: Process) => R): R {
  if (!isRestored) return storage.run(process, body, process);
  return nobody.runInAsyncScope<undefined, R>(enter as never, undefined, process, body);
}
