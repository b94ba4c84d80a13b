/**
 * Serves what another region has passed on: one read, on the word of its ticket. No key is asked for
 * and nobody is charged; such calls have a limit of their own.
 */
import { addNote } from "../../explain/record.ts";
import { GuestNote } from "../../help/help-note.ts";
import type { HelpDoor } from "../../help/ports.ts";
import { methodInfo, type MethodInfo } from "../../json-rpc/methods.ts";
import { isNotification, scanBody } from "../../json-rpc/scan.ts";
import { type Call, PLAIN_OPTIONS } from "../call.ts";
import { CountedCall } from "../counted-call.ts";
import type { Engine } from "../engine.ts";
import { MIN_ATTEMPT_MS } from "../limits.ts";
import type { ChainView, HttpReply } from "../ports.ts";
import { HttpCall } from "./http-call.ts";
import type { RouteFault } from "./route.ts";

/** Serves the call, or returns why not. */
export function serveGuest(
  engine: Engine,
  door: HelpDoor,
  ticket: string,
  chain: ChainView,
  body: Buffer,
  reply: HttpReply,
): RouteFault | undefined {
  const scanned = scanBody(body);
  const envelope = scanned.kind === "single" ? scanned.envelope : undefined;
  const isOne = envelope?.fault === undefined && envelope !== undefined;
  const isSafe = isOne && !isNotification(envelope) && mayBePassedOn(methodInfo(envelope.method));
  const { name, chainId } = chain;
  const admission = door.admit(ticket, { chain: name, chainId, body, isSafe });
  if (!admission.ok) return admission;
  if (envelope === undefined) return { reason: "help_refused", message: "there is no call" };
  const { region, counter } = admission;
  const timeoutMs = Math.max(MIN_ATTEMPT_MS, admission.timeoutMs);
  const call: Call = {
    chain,
    options: { ...PLAIN_OPTIONS, timeoutMs, isHelped: true },
    protocol: "http",
    body,
    envelope,
    websocketUrl: () => "",
    isPart: false,
  };
  addNote(call, new GuestNote(region));
  const sink = new HttpCall(reply, "none");
  const running = new CountedCall(counter, sink).serve((counted) => engine.submit(call, counted));
  if (running === undefined) return undefined;
  sink.running = running;
  reply.onGone = () => running.cancel();
  return undefined;
}

/** Reads that can be repeated, and questions that no provider is asked for. */
const mayBePassedOn = ({ route, isIdempotent, class: kind }: MethodInfo): boolean =>
  route === "local" || (route === "forward" && isIdempotent && kind !== "write");
