/** Makes calls that no client has sent: our own questions, and the parts of a client's call. */
import type { Envelope } from "../json-rpc/scan.ts";
import { PLAIN_OPTIONS, type Call } from "./call.ts";
import type { ChainView } from "./ports.ts";

/** A call of `method`, a plain name, with `params` as JSON text. */
export function makeCall(chain: ChainView, method: string, params: string): Call {
  const head = `{"jsonrpc":"2.0","id":1,"method":"${method}","params":`;
  const body = Buffer.from(`${head}${params}}`);
  const paramsStart = head.length;
  const envelope: Envelope = {
    start: 0,
    end: body.length,
    idStart: ID_AT,
    idEnd: ID_AT + 1,
    hasId: true,
    method,
    paramsStart,
    paramsEnd: body.length - 1,
    fault: undefined,
  };
  return {
    chain,
    options: PLAIN_OPTIONS,
    protocol: "http",
    body,
    envelope,
    websocketUrl: () => "",
    pins: undefined,
    pin: undefined,
    isPart: false,
  };
}

/** Where the id stands. */
const ID_AT = '{"jsonrpc":"2.0","id":'.length;
