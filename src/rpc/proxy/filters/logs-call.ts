/** `eth_getFilterLogs` as the `eth_getLogs` that it stands for. */
import { idToken } from "../../json-rpc/request-bytes.ts";
import { methodInfo, type MethodInfo } from "../../json-rpc/methods.ts";
import type { Call } from "../call.ts";
import { makeCall } from "../make-call.ts";

/** The client's call with other words: its answer goes to the client as it comes. */
export function logsCall(
  call: Call,
  criteria: Readonly<Record<string, unknown>>,
): { readonly call: Call; readonly info: MethodInfo } {
  const { body, envelope } = makeCall(
    call.chain,
    LOGS.name,
    JSON.stringify([criteria]),
    idToken(call.body, call.envelope),
  );
  return { call: { ...call, body, envelope }, info: LOGS };
}

const LOGS = methodInfo("eth_getLogs");
