/**
 * Who serves which calls: the engine decides whether a call is served at all, a service decides how.
 *
 * A service answers through the sink, exactly once, at once or later; while it works it is a
 * `Running` that the client's departure cancels.
 */
import type { MethodInfo } from "../json-rpc/methods.ts";
import type { Call, CallSink } from "./call.ts";

/** A call that is being served. */
export interface Running {
  /** The client is gone: nobody needs the answer. */
  cancel(): void;
  /** The client took what was written: the stream may go on. */
  resume(): void;
}

/** Serves the calls of one kind; what it returns runs until the sink has its answer. */
export interface Service {
  serve(call: Call, info: MethodInfo, sink: CallSink): Running | undefined;
}

/** The services of a gateway. */
export interface Services {
  /** Everything that may be asked again. */
  readonly reads: Service;
  /** Raw transactions. */
  readonly writes: Service;
  /** The `eth_newFilter` family. */
  readonly filters: Service;
}
