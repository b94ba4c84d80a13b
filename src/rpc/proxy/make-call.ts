/** Makes calls that no client has sent: our own questions, and the parts of a client's call. */
import type { Envelope } from "../json-rpc/scan.ts";
import { PLAIN_OPTIONS, type Call } from "./call.ts";
import type { ChainView } from "./ports.ts";

/** A call of `method`, a plain name, with `params` as JSON text, and a client's id where it has one. */
export function makeCall(chain: ChainView, method: string, params: string, id = "1"): Call {
  const head = `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":`;
  // An id is latin1, one char a byte of UTF-8, as it stood in its request.
  const body = Buffer.concat([Buffer.from(head, "latin1"), Buffer.from(`${params}}`)]);
  const paramsStart = head.length;
  const envelope: Envelope = {
    start: 0,
    end: body.length,
    idStart: ID_AT,
    idEnd: ID_AT + id.length,
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

/** The same call with other params, as latin1 JSON text; everything around them stays as it was. */
export function withParams(call: Call, params: string): Call {
  const { body, envelope } = call;
  const { start, end, idStart, paramsStart, paramsEnd } = envelope;
  const before = paramsStart - start;
  const made = Buffer.allocUnsafe(before + params.length + end - paramsEnd);
  body.copy(made, 0, start, paramsStart);
  made.write(params, before, "latin1");
  body.copy(made, before + params.length, paramsEnd, end);
  const grown = params.length - (paramsEnd - paramsStart);
  // Members in front of the params move with the start, those behind them with the end too.
  const shift = idStart > paramsStart ? grown - start : -start;
  return {
    ...call,
    body: made,
    envelope: {
      ...envelope,
      start: 0,
      end: made.length,
      idStart: idStart < 0 ? -1 : idStart + shift,
      idEnd: idStart < 0 ? -1 : envelope.idEnd + shift,
      paramsStart: before,
      paramsEnd: before + params.length,
    },
  };
}
