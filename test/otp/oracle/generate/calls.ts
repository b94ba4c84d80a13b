/** Arbitrary calls and system messages, also while somebody is suspended. */
import fc from "fast-check";
import type { Json, Step } from "../scenario.ts";
import { type Move, pick, reason } from "./move.ts";
import { at } from "./world.ts";

/** Ms that callers wait in vain. */
const SHORT_MS = 15;
/** What a call asks for, and whether its answer comes too late. */
const request: fc.Arbitrary<{ do: Json; timeout?: number; isLate?: boolean }> = fc.constantFrom(
  { do: "get" },
  { do: { set: 5 } },
  { do: { reply: "hello" } },
  { do: { defer: 10, value: "d" } },
  { do: { defer: 45, value: "late" }, timeout: SHORT_MS, isLate: true },
  { do: { reply_after: 10, value: "r" } },
  { do: { reply_after: 45, value: "late" }, timeout: SHORT_MS, isLate: true },
  { do: { stop: "boom", reply: "bye" } },
  { do: { stop: "normal", reply: "bye" } },
  { do: { stop: ["shutdown", "c"] } },
  { do: { stop: "normal" } },
  { do: { throw: "bad" } },
  { do: "noreply", timeout: SHORT_MS },
);

/** A call with any outcome. */
export const calls: fc.Arbitrary<Move> = fc.tuple(pick, request).map(
  ([n, asked]): Move =>
    (world) => {
      const { isLate, ...call } = asked;
      const steps: Step[] = [{ op: "call", target: world.worker(n).path, ...call }];
      if (isLate === true) steps.push({ op: "advance", ms: 60 }, { op: "mailbox" });
      return steps;
    },
);

/** One system message. */
export const sys: fc.Arbitrary<Move> = fc
  .tuple(pick, fc.constantFrom("get_state", "replace_state", "resume"))
  .map(
    ([n, cmd]): Move =>
      (world) => [
        {
          op: "sys",
          target: world.worker(n).path,
          cmd,
          ...(cmd === "replace_state" ? { value: 8 } : {}),
        },
      ],
  );

/** A worker is suspended, things happen to it and around it, then it goes on. */
export const suspends: fc.Arbitrary<Move> = fc
  .tuple(pick, fc.array(fc.tuple(fc.nat(6), pick, pick), { maxLength: 3 }))
  .map(
    ([n, meanwhile]): Move =>
      (world) => {
        const target = world.worker(n).path;
        const inner = meanwhile.map(([kind, m, k]): Step => {
          const other = world.worker(m).path;
          const sup = world.supervisor(k);
          switch (kind) {
            case 0:
              return { op: "sys", target, cmd: "get_state" };
            case 1:
              return { op: "sys", target, cmd: "replace_state", value: 3 };
            case 2:
              return { op: "call", target, do: { set: 6 }, timeout: SHORT_MS };
            case 3:
              return { op: "exit", target, reason: at(["boom", "kill", "normal"], k) as string };
            case 4:
              return { op: "terminate_child", sup: sup.path, id: world.childId(sup, m) };
            case 5:
              return { op: "which_children", sup: sup.path };
            default:
              return other === target
                ? { op: "call", target, do: "get", timeout: SHORT_MS }
                : { op: "stop", target: other, reason: "boom" };
          }
        });
        const suspend: Step = { op: "sys", target, cmd: "suspend" };
        return [suspend, ...inner, { op: "sys", target, cmd: "resume" }];
      },
  );

/** A supervisor is suspended while its children, and others, die. */
export const suspendsSupervisor: fc.Arbitrary<Move> = fc
  .tuple(pick, fc.array(fc.tuple(pick, reason), { minLength: 1, maxLength: 3 }))
  .map(
    ([n, deaths]): Move =>
      (world) => {
        const { path } = world.supervisor(n);
        const inner = deaths.map(
          ([m, why]): Step => ({ op: "stop", target: world.worker(m).path, reason: why }),
        );
        const sys = (cmd: string): Step => ({ op: "sys", target: path, cmd });
        return [sys("suspend"), ...inner, sys("resume")];
      },
  );
