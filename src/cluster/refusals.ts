/** How refused messages are told of: the flood of one sender must not become a flood of lines. */
import { Seldom } from "../lib/seldom.ts";
import type { Message } from "./protocol.ts";

/** The process that tells of them. */
interface Teller {
  now(): number;
  emit(
    name: "cluster.message_refused",
    fields: { readonly kind: string; readonly reason: string },
  ): void;
}

/** The same refusal is told of once in so long, ms; it is counted each time. */
const TELL_AGAIN_MS = 60_000;
/** Refusals that are told of in that time. */
const MAX_TOLD = 100;

/** What one process has told of lately. */
export const refusalsTold = (): Seldom => new Seldom(TELL_AGAIN_MS, MAX_TOLD);

/** Tells that a message was refused, unless that was told of lately. */
export const tellRefusal = (told: Seldom, kind: string, reason: string, teller: Teller): void => {
  if (told.admits(`${kind} ${reason}`, teller.now())) {
    teller.emit("cluster.message_refused", { kind, reason });
  }
};

/** Tells that what a message says makes no sense. */
export const tellMalformed = (told: Seldom, { kind, region }: Message, teller: Teller): void =>
  tellRefusal(told, "malformed", `${kind} of ${region}`, teller);
