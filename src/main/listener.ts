/** One port for HTTP and WebSocket: the host's server, which outlives its process. */
import type { IncomingMessage } from "node:http";
import type { Listener, ListenAddress } from "../../actors/ops/http-listener.ts";
import type { Config } from "../../config/schema.ts";
import { regionTag } from "../../config/region-tag.ts";
import { CallbackScope } from "../io/callback-scope.ts";
import { openHttpServer, type HttpServer, type HttpServerOptions } from "../io/http/http-server.ts";
import { WsServer, type WsDecision } from "../io/ws-server.ts";
import type { Gateway } from "../rpc/proxy/gateway.ts";

/** What the port is made of. */
export interface ListenerOptions {
  readonly config: Config;
  readonly gateway: Gateway;
  readonly onRequest: HttpServerOptions["onRequest"];
}

/** The listener with what draining and metrics need besides. */
export interface HostListener extends Listener {
  /** Takes nothing new, closes WebSockets with 1012 spread over `spreadMs`, waits for the rest. */
  finish(timeoutMs: number, spreadMs: number): Promise<void>;
  /** Connected clients by kind. */
  clients(): Readonly<Record<string, number>>;
}

/** Makes the listener; the port is opened by its process. */
export const createListener = ({ config, gateway, onRequest }: ListenerOptions): HostListener => {
  const { listen, limits } = config;
  // The sockets outlive the process that listened first: each incarnation answers for its time.
  const scope = new CallbackScope();
  const headers = regionHeader(regionTag(config));
  const sockets = new WsServer({
    scope,
    decide: (request) => decide(gateway, request),
    headers,
    maxMessageBytes: limits.wsMaxMessageBytes,
    maxConnections: limits.wsMaxClients,
    pingIntervalMs: limits.wsPingIntervalMs,
  });
  let server: HttpServer | undefined;
  let opening: Promise<ListenAddress> | undefined;
  const addressOf = ({ host, port }: HttpServer): ListenAddress => ({ host, port });
  const open = async (): Promise<ListenAddress> => {
    server = await openHttpServer({
      host: listen.host,
      port: listen.port,
      maxBodyBytes: limits.maxBodyBytes,
      scope,
      headers,
      onRequest,
      onUpgrade: (request, socket, head) => sockets.upgrade(request, socket, head),
    });
    return addressOf(server);
  };
  return {
    adopt: () => scope.adopt(),
    open: () => {
      opening ??= open().catch((error: unknown) => {
        opening = undefined;
        throw error;
      });
      return opening;
    },
    close: async () => {
      sockets.close();
      await server?.close();
      server = undefined;
      opening = undefined;
    },
    finish: async (timeoutMs, spreadMs) => {
      await Promise.all([server?.drain(timeoutMs), sockets.drain(spreadMs, Math.random)]);
    },
    clients: () => ({
      http: Math.max(0, (server?.connections ?? 0) - sockets.size),
      ws: sockets.size,
    }),
    get address() {
      return server === undefined ? undefined : addressOf(server);
    },
    get inFlight() {
      // Clients' calls only: a drain does not wait for questions of our own.
      return (server?.inFlight ?? 0) + gateway.ws.inFlight;
    },
  };
};

/** Every answer of the port says which region it is; a name may hold what a header may not. */
const regionHeader = (region: string | undefined): readonly string[] | undefined =>
  region === undefined ? undefined : ["X-Paceline-Region", encodeURI(region)];

const decide = (gateway: Gateway, request: IncomingMessage): WsDecision => {
  const { url = "/", headers, rawHeaders, socket } = request;
  const { remoteAddress } = socket;
  const admission = gateway.ws.admit(url, rawHeaders, remoteAddress);
  if (!admission.ok) return admission;
  const { route, entered } = admission;
  const path = url.split("?", 1)[0] ?? "/";
  return {
    ok: true,
    open: (connection) =>
      gateway.ws.open(route, connection, `ws://${headers.host}${path}`, entered),
  };
};
