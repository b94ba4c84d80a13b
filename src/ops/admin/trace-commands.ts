/**
 * Bounded traces over the admin socket: messages of one process, a name or a subtree, streamed until
 * a count, a time or a rate ends them, as recon does.
 */
import { asked, type Command, operator, target } from "./command.ts";
import type { TraceOrder } from "./ports.ts";
import { AdminError } from "./protocol.ts";

/** What a trace may ask for at most, and gets when it says nothing. */
const TRACE_BOUNDS = {
  max: { default: 100, most: 1_000 },
  forMs: { default: 10_000, most: 60_000 },
  per: { default: 100, most: 1_000 },
} as const;

/** The commands. */
export const TRACE_COMMANDS: Readonly<Record<string, Command>> = {
  trace: {
    summary: "Streams messages of a process, a name or a subtree, until its bound is met.",
    role: operator,
    args: {
      target,
      subtree: { kind: "flag", meaning: "also everything below it" },
      match: { kind: "text", meaning: "name of the message; * stands for any text" },
      direction: { kind: "choice", meaning: "only these", choices: ["in", "out"] },
      max: { kind: "whole", meaning: "messages, 100 when not given, at most 1000" },
      per: { kind: "whole", meaning: "messages a second that end it, 100 when not given" },
      forMs: { kind: "duration", meaning: "time, 10 s when not given, at most 60 s", alias: "ms" },
    },
    run: (args, deps, connection) => {
      const wanted = String(args["target"]);
      const order: TraceOrder = {
        target: args["subtree"] === true ? { subtree: wanted } : wanted,
        pattern: {
          ...(args["match"] === undefined ? {} : { type: String(args["match"]) }),
          ...(args["direction"] === undefined
            ? {}
            : { direction: args["direction"] as "in" | "out" }),
        },
        maxCount: bounded("max", args["max"]),
        maxRatePerSec: bounded("per", args["per"]),
        forMs: bounded("forMs", args["forMs"]),
        onRate: "stop",
      };
      const start = (): string =>
        connection.open((stream) => {
          const trace = deps.inspector.trace(order, (row) => stream.push({ ...row }));
          void trace.ended.then((reason) => stream.end(reason, { traced: trace.traced }));
          return () => trace.stop();
        });
      return asked(started(start), wanted, deps).then((sub) => ({
        sub,
        max: order.maxCount,
        for_ms: order.forMs,
        per: order.maxRatePerSec,
      }));
    },
  },
  untrace: {
    summary: "Ends a trace.",
    role: operator,
    args: { sub: { kind: "text", meaning: "id of its stream", isRequired: true } },
    run: ({ sub }, _deps, connection) => {
      if (!connection.close(String(sub))) {
        throw new AdminError("OPS_BAD_ARGS", `no stream "${String(sub)}"`);
      }
      return { ended: sub };
    },
  },
};

async function started(start: () => string): Promise<string> {
  return start();
}

function bounded(name: keyof typeof TRACE_BOUNDS, given: unknown): number {
  const { default: usual, most } = TRACE_BOUNDS[name];
  const value = given === undefined ? usual : Number(given);
  if (value >= 1 && value <= most) return value;
  throw new AdminError("OPS_LIMIT", `a trace needs an end: ${name} from 1 to ${most}`);
}
