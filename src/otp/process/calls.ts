/**
 * Calls: a request in the callee's mailbox, a deadline in the wheel, and one settlement.
 *
 * ```ts
 * import {
 *   child,
 *   createVirtualNode,
 *   defineActor,
 *   ExitError,
 *   keyFor,
 *   later,
 *   reply,
 *   supervisor,
 * } from "paceline/otp";
 *
 * const oracle = defineActor({
 *   name: "demo/oracle",
 *   init: (_args: undefined) => 0,
 *   calls: {
 *     ask: (state, what: string) => reply(state, what.length),
 *     ponder: (state) => later(state),
 *     fail: () => {
 *       throw new Error("no answer");
 *     },
 *   },
 * });
 * const oracleKey = keyFor(oracle);
 *
 * const node = createVirtualNode();
 * await node.start(
 *   supervisor("top", { children: [child(oracle, undefined, { register: oracleKey() })] }),
 * );
 * const ref = node.via(oracleKey());
 * console.log(await ref.call.ask("why"));
 * const slow = ref.try.ponder(undefined, { timeoutMs: 200 });
 * await node.advance(200);
 * console.log(await slow);
 * const error = await ref.call.fail().catch((thrown: unknown) => thrown);
 * console.log(error instanceof ExitError && [error.code, error.message, String(error.cause)]);
 * await node.stop();
 * console.log(await ref.try.ask("still there?"));
 * ```
 *
 * ```text
 * 3
 * { ok: false, reason: 'timeout' }
 * [
 *   'OTP_EXIT',
 *   'call fail to demo/oracle failed: Error: no answer',
 *   'Error: no answer'
 * ]
 * { ok: false, reason: 'noproc' }
 * ```
 *
 * | option | meaning | default |
 * |---|---|---|
 * | `timeoutMs` | ms until the call fails with `timeout`; Infinity: never | 5000 ms |
 *
 * `call` rejects with ExitError, `try` never rejects. Whatever comes first settles it: the answer, the
 * callee's death with its reason, the deadline. A late answer is dropped, but the request still runs:
 * make it idempotent before retrying it. After the caller's own death it settles never. A call to
 * oneself fails at once with `calling_self`; two actors that call each other wait out the deadline,
 * which dev and virtual nodes report as `otp.call.cycle`.
 *
 * The pending call is also the `from` that handlers answer: `from.reply(value)` once, from any later
 * turn; a second answer is ignored.
 */
import { ExitError, type CallFault, type Reason } from "../reason.ts";
import { TimerEntry } from "../time/wheel.ts";
import { Envelope, Kind } from "./message.ts";
import type { Process } from "./process.ts";
import { currentProcess, isZombie, runIn, runOutside } from "./scope.ts";

/** Default deadline of a call. */
export const CALL_TIMEOUT_MS = 5000;

/** Options of one call. */
export interface CallOptions {
  /** Ms until the call fails with `timeout`; default 5000 ms; Infinity: never. */
  readonly timeoutMs?: number;
}

/** A waiting caller; `reply` may be called once, from any later turn. */
export interface From<R> {
  /** Answers; only the first answer counts, and none after the deadline. */
  reply(value: R): void;
  /** Pid of the caller, or "outside". */
  readonly caller: string;
}

/** Outcome of a `try` call. */
export type CallResult<R> =
  | { readonly ok: true; readonly value: R }
  | { readonly ok: false; readonly reason: CallFault | Reason };

type Settle = (outcome: unknown) => void;

/** One call in flight. */
export class PendingCall extends TimerEntry implements From<unknown> {
  private readonly callerProcess: Process | undefined;
  private readonly callee: Process;
  private readonly request: string;
  private readonly resolve: Settle;
  /** Undefined for `try`, which never rejects. */
  private readonly reject: Settle | undefined;
  isOpen = true;
  /** Neighbours in the callee's list of waiting calls. */
  before: PendingCall | undefined = undefined;
  after: PendingCall | undefined = undefined;

  constructor(
    caller: Process | undefined,
    callee: Process,
    request: string,
    resolve: Settle,
    reject: Settle | undefined,
  ) {
    super();
    this.callerProcess = caller;
    this.callee = callee;
    this.request = request;
    this.resolve = resolve;
    this.reject = reject;
    this.after = callee.calls;
    if (callee.calls !== undefined) callee.calls.before = this;
    callee.calls = this;
  }

  get caller(): string {
    return this.callerProcess === undefined ? "outside" : this.callerProcess.pid;
  }

  reply(value: unknown): void {
    if (!this.close()) return;
    const { taps } = this.callee.kernel;
    if (taps !== undefined) taps.replied(this.callee, this.caller, this.request, value);
    this.resolve(this.reject === undefined ? { ok: true, value } : value);
  }

  fail(reason: CallFault | Reason): void {
    if (!this.close()) return;
    const { callerProcess, reject } = this;
    if (reject === undefined) {
      this.resolve({ ok: false, reason });
      return;
    }
    const error = new ExitError(reason, this.callee.label, this.request);
    // A rejection belongs to the scope that rejects: it must be the caller's, should nobody await it.
    if (callerProcess === undefined) runOutside(() => reject(error));
    else runIn(callerProcess, () => reject(error));
  }

  expire(): void {
    this.fail("timeout");
  }

  /** Takes the call out of every list; false when it is settled or nobody waits any more. */
  private close(): boolean {
    if (!this.isOpen) return false;
    this.isOpen = false;
    const { callee } = this;
    if (this.before === undefined) callee.calls = this.after;
    else this.before.after = this.after;
    if (this.after !== undefined) this.after.before = this.before;
    this.before = undefined;
    this.after = undefined;
    callee.kernel.wheel.cancel(this);
    if (this.callerProcess !== undefined) callee.kernel.callGraph?.drop(this.callerProcess, callee);
    return this.callerProcess === undefined || this.callerProcess.alive;
  }
}

/** Sends a request and returns the promise of its answer; `isTry` resolves faults instead of rejecting. */
export function placeCall(
  target: Process | undefined,
  label: string,
  kind: typeof Kind.call | typeof Kind.admin | typeof Kind.sys,
  type: string,
  arg: unknown,
  timeoutMs: number,
  isTry: boolean,
): Promise<unknown> {
  let caller = currentProcess();
  if (caller !== undefined && !caller.alive) {
    if (isZombie("call")) return new Promise(() => {});
    // An observer of its death asks, not the process.
    caller = undefined;
  }
  if (target === undefined || !target.alive) return refused("noproc", label, type, isTry);
  if (target === caller) return refused("calling_self", label, type, isTry);
  if (kind === Kind.call && !target.behaviour.hasCall(type)) {
    return refused("bad_call", label, type, isTry);
  }
  return new Promise((resolve, reject) => {
    const pending = new PendingCall(caller, target, type, resolve, isTry ? undefined : reject);
    const { kernel } = target;
    if (caller !== undefined) kernel.noteCall(caller, target, type);
    if (timeoutMs !== Number.POSITIVE_INFINITY) kernel.startTimer(pending, timeoutMs);
    kernel.send(target, new Envelope(kind, type, arg, pending));
  });
}

function refused(
  reason: CallFault,
  label: string,
  request: string,
  isTry: boolean,
): Promise<unknown> {
  if (isTry) return Promise.resolve({ ok: false, reason });
  return Promise.reject(new ExitError(reason, label, request));
}
