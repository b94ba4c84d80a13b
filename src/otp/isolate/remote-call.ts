/**
 * A call whose caller waits on the other side of a bridge.
 */
import { PendingCall } from "../process/calls.ts";
import { type Envelope, Kind } from "../process/message.ts";
import type { Process } from "../process/process.ts";
import type { CallFault, Reason } from "../reason.ts";
import { encodeAnswer } from "./admin.ts";
import type { Bridge } from "./bridge.ts";
import { encodeReason } from "./codec.ts";

type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly reason: CallFault | Reason };

/** Answers with a frame; settles like any call. */
export class RemoteCall extends PendingCall {
  private readonly remoteCaller: string;

  constructor(
    bridge: Bridge,
    callee: Process,
    kind: Envelope["kind"],
    type: string,
    call: number,
    caller: string,
  ) {
    const settle = (outcome: unknown): void => {
      const result = outcome as Outcome;
      if (!result.ok) bridge.post(["fail", call, encodeReason(result.reason)]);
      else {
        const isAdmin = kind === Kind.admin;
        bridge.sendReply(call, isAdmin ? encodeAnswer(type, result.value) : result.value);
      }
    };
    super(undefined, callee, type, settle, undefined);
    this.remoteCaller = caller.startsWith("#") ? bridge.pidOf(caller) : caller;
  }

  override get caller(): string {
    return this.remoteCaller;
  }
}
