/**
 * A process of another thread, as this one sees it.
 *
 * Links and waiting calls hang on it as on any process, so that their rules are the kernel's own; only
 * what it should receive goes over the bridge.
 */
import type { Kernel } from "../process/kernel.ts";
import { type Behaviour, Process } from "../process/process.ts";
import {
  castMethod,
  type Facets,
  type ProcessRef,
  RefImpl,
  requestMethod,
} from "../process/ref.ts";
import { SupervisorHandle } from "../supervisor/ref.ts";
import type { Bridge } from "./bridge.ts";
import type { Handle } from "./frames.ts";

/** Stands for one process of the other side of `bridge`. */
export class ForeignProcess extends Process {
  readonly bridge: Bridge;
  /** The other side's number for it. */
  readonly remoteId: number;
  private readonly handle: Handle;

  /** `id` is negative: it belongs to no process of this thread. */
  constructor(kernel: Kernel, id: number, bridge: Bridge, handle: Handle) {
    super(kernel, id, handle[2] === "supervisor" ? foreignSupervisor : foreignWorker, undefined);
    this.bridge = bridge;
    this.remoteId = handle[0];
    this.handle = handle;
    this.status = "running";
  }

  override get pid(): string {
    return `#${this.bridge.id}.${this.handle[3].slice(1)}`;
  }

  override get label(): string {
    return this.handle[1];
  }
}

const foreignWorker = foreignBehaviour("worker", (process) => {
  return new RefImpl(process.kernel, process, undefined, anyFacets);
});
const foreignSupervisor = foreignBehaviour("supervisor", (process) => {
  return new SupervisorHandle(process.kernel, process, undefined);
});

function foreignBehaviour(
  kind: "worker" | "supervisor",
  makeRef: (process: Process) => ProcessRef,
): Behaviour {
  return {
    name: "foreign",
    kind,
    trapExit: true,
    // Always full: no message takes the short way into a mailbox.
    maxMailbox: -1,
    highWater: -1,
    overflow: "reject",
    // The process itself knows what it answers.
    hasCall: () => true,
    makeRef,
    init: (process) => ({ ok: true, process }),
    receive: () => {},
    format: () => undefined,
  };
}

type Method = (...args: never[]) => unknown;

/** Facets without a protocol: whatever is asked for becomes a request; the callee knows better. */
export const anyFacets: Facets = {
  call: anyFacet((type) => requestMethod(type, false)),
  try: anyFacet((type) => requestMethod(type, true)),
  cast: anyFacet(castMethod),
};

function anyFacet(make: (type: string) => Method): Facets["call"] {
  const methods = new Map<string, Method>();
  const get = (target: object, type: string | symbol): unknown => {
    // A facet that is awaited by mistake is no promise.
    if (typeof type !== "string" || type === "then") return undefined;
    if (type === "$ref") return Reflect.get(target, type) as unknown;
    let method = methods.get(type);
    if (method === undefined) {
      method = make(type);
      methods.set(type, method);
    }
    return method;
  };
  // A constructor that returns an object makes that object.
  function AnyFacet(ref: RefImpl): object {
    return new Proxy({ $ref: ref }, { get });
  }
  return AnyFacet as unknown as Facets["call"];
}
