/**
 * Bare processes (erlang's spawn): a function that runs as the one turn of a process of its own.
 *
 * It exits `normal` when the function has returned or its promise has settled, and with the error
 * when it threw. Nobody restarts it: for work that must be done put a child below a supervisor.
 */
import { Ctx } from "../actor/context.ts";
import { reasonOfThrown } from "../reason.ts";
import { Envelope, Kind } from "./message.ts";
import { type Behaviour, Process } from "./process.ts";
import { noFacets, RefImpl } from "./ref.ts";
import { countUnknown } from "./unknown.ts";

/** What a bare process runs. */
export type Body = (ctx: Ctx) => unknown;

const RUN = new Envelope(Kind.internal, "run", undefined, undefined);

/** Starts `body`, to run in a later turn. */
export function spawnBody(parent: Process, body: Body, isLinked: boolean): Process {
  const { kernel } = parent;
  const process = kernel.admit(new Process(kernel, kernel.nextId(), bareBehaviour, parent));
  process.state = body;
  process.status = "running";
  kernel.send(process, RUN);
  if (isLinked) {
    parent.addLink(process);
    process.addLink(parent);
  }
  return process;
}

const bareBehaviour: Behaviour = {
  name: "spawned",
  kind: "task",
  trapExit: false,
  maxMailbox: 10_000,
  highWater: 8_000,
  overflow: "reject",
  hasCall: () => false,
  makeRef: (process) => new RefImpl(process.kernel, process, undefined, noFacets),
  init: (process) => ({ ok: true, process }),
  receive: (process, envelope) => {
    if (envelope === RUN) run(process);
    else countUnknown(process, envelope.type);
  },
  format: () => undefined,
};

function run(process: Process): void {
  const { kernel } = process;
  const body = process.state as Body;
  process.state = undefined;
  const ctx = new Ctx(process);
  process.ctx = ctx;
  let result: unknown;
  try {
    result = body(ctx);
  } catch (error) {
    kernel.finish(process, reasonOfThrown(error));
    return;
  }
  if (!(result instanceof Promise)) {
    kernel.finish(process, "normal");
    return;
  }
  process.busy = true;
  result.then(
    () => kernel.finish(process, "normal"),
    (error: unknown) => kernel.finish(process, reasonOfThrown(error)),
  );
}
