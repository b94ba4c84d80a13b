/** Joins the request path, the pairing interface and the operator's paths behind one port. */
import type { OpsReply, OpsRequest } from "../ops/routes.ts";
import { headerOf } from "../rpc/clients/visit.ts";
import type { HttpReply, InboundRequest } from "../rpc/proxy/ports.ts";

/** A part of the port that answers on its own. */
interface Part {
  serves(url: string): boolean;
  handle(request: InboundRequest, reply: HttpReply): void;
}

type OpsRoutes = (request: OpsRequest) => OpsReply | Promise<OpsReply> | undefined;

/** Answers every request of the listener. */
export const createHandler =
  (parts: readonly Part[], ops: OpsRoutes, onFault: (error: unknown, url: string) => void) =>
  (request: InboundRequest, reply: HttpReply): void => {
    try {
      for (const part of parts) if (part.serves(request.url)) return part.handle(request, reply);
      answerOps(ops, request, reply, onFault);
    } catch (error) {
      onFault(error, request.url);
      if (reply.isOpen) send(reply, request.method, internalError);
    }
  };

const answerOps = (
  ops: OpsRoutes,
  request: InboundRequest,
  reply: HttpReply,
  onFault: (error: unknown, url: string) => void,
): void => {
  const mark = request.url.indexOf("?");
  const path = mark < 0 ? request.url : request.url.slice(0, mark);
  const query = new URLSearchParams(mark < 0 ? "" : request.url.slice(mark + 1));
  const ifNoneMatch = headerOf(request.rawHeaders, "if-none-match");
  const answer = ops({ method: request.method, path, query, host: request.host, ifNoneMatch });
  if (answer === undefined) send(reply, request.method, notFound(path));
  else if (!(answer instanceof Promise)) send(reply, request.method, answer);
  else {
    answer.then(
      (late) => send(reply, request.method, late),
      (error: unknown) => {
        onFault(error, request.url);
        send(reply, request.method, internalError);
      },
    );
  }
};

const send = (reply: HttpReply, method: string, { status, headers, body }: OpsReply): void => {
  if (!reply.isOpen) return;
  const bytes = Buffer.from(body);
  // A 304 speaks of a body that it does not carry.
  const length = status === 304 ? {} : { "content-length": String(bytes.length) };
  const list = Object.entries({ ...headers, ...length }).flat();
  reply.send(status, list, method === "HEAD" ? "" : bytes);
};

const json = (status: number, body: unknown): OpsReply => ({
  status,
  headers: { "content-type": "application/json; charset=utf-8" },
  body: `${JSON.stringify(body)}\n`,
});

const internalError: OpsReply = json(500, {
  jsonrpc: "2.0",
  id: null,
  error: { code: -32603, message: "internal error", data: { reason: "internal" } },
});

const notFound = (path: string): OpsReply =>
  json(404, {
    error: `nothing is served at ${path.slice(0, 100)}; try / or POST /rpc/<chain>`,
    success: false,
  });
