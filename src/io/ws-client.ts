/**
 * One WebSocket to a provider.
 *
 * Whole text messages are found here, all of one read at once (`ws-texts.ts`); the library has the
 * handshake, control frames and all the rest. Compression is off (it costs five times the CPU and 240 KB a socket), messages are bounded, and
 * every message carries the time its bytes were read from the socket. All callbacks run in the scope
 * of whoever connected, so that an error in one is charged to that process.
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { WebSocket, type ClientOptions } from "ws";
import type { Secret } from "../lib/secret.ts";
import { CallbackScope } from "./callback-scope.ts";
import { countPassed } from "./vm-tuning.ts";
import { TextReader, type Texts } from "./ws-texts.ts";

/** Where and how to connect. */
export interface WsClientOptions {
  readonly url: Secret;
  readonly headers: Readonly<Record<string, Secret>>;
  readonly handshakeTimeoutMs: number;
  /** Largest message; a larger one closes the socket with 1009. Default 64 MiB. */
  readonly maxPayloadBytes?: number;
}

/** How a connection attempt or a connection ended. */
export interface WsClosure {
  /** Close code; 1006 when the transport broke or never came up. */
  readonly code: number;
  readonly reason: string;
  /** Status of a refused upgrade. */
  readonly status: number | undefined;
  /** `Retry-After` of a refused upgrade, as sent. */
  readonly retryAfter: string | undefined;
  /** The limit that a message of the peer was over; undefined for any other end. */
  readonly overBytes: number | undefined;
}

/** What the owner hears. Nothing follows `onClose`. */
export interface WsClientHandlers {
  readonly onOpen: () => void;
  /** Messages that came together; `atNs` is monotonic, on the clock of `performance.now()`. */
  readonly onMessages: (texts: Texts, atNs: number) => void;
  readonly onPong: () => void;
  readonly onClose: (closure: WsClosure) => void;
}

/** A connection that is opening or open. */
export interface WsClient {
  /** Sends one text message; dropped when not open. */
  send(message: string | Buffer): void;
  ping(): void;
  /** Reads nothing until `resume`: the peer has to wait. */
  pause(): void;
  resume(): void;
  /** Bytes read since the upgrade: they show that the peer lives. */
  readonly bytesRead: number;
  readonly bufferedBytes: number;
  readonly isOpen: boolean;
  /** Ends with a close handshake, and without one after a second. */
  close(code: number, reason: string): void;
  /** Ends at once; `onClose` follows. */
  terminate(): void;
  /** Ends at once and is silent from now on. */
  abandon(): void;
}

const NS_PER_MS = 1e6;
const MAX_PAYLOAD_BYTES = 64 * 1024 * 1024;
const CLOSE_TIMEOUT_MS = 1_000;

/** Connects; failures arrive as `onClose`, never as a throw. */
export const connectWs = (options: WsClientOptions, handlers: WsClientHandlers): WsClient => {
  const scope = new CallbackScope();
  let isSilent = false;
  let status: number | undefined;
  let retryAfter: string | undefined;
  let failure = "";
  let overBytes: number | undefined;
  let readAtMs = 0;

  const maxPayloadBytes = options.maxPayloadBytes ?? MAX_PAYLOAD_BYTES;
  const socketOptions: ClientOptions & { readonly closeTimeout: number } = {
    headers: Object.fromEntries(
      Object.entries(options.headers).map(([name, value]) => [name, value.reveal()]),
    ),
    handshakeTimeout: options.handshakeTimeoutMs,
    maxPayload: maxPayloadBytes,
    perMessageDeflate: false,
    followRedirects: false,
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
  const socket = new WebSocket(options.url.reveal(), socketOptions);

  const ended = (code: number, reason: string): void => {
    if (isSilent) return;
    isSilent = true;
    const why = reason === "" ? failure : reason;
    scope.run(() => handlers.onClose({ code, reason: why, status, retryAfter, overBytes }));
  };

  let raw: Socket | undefined;
  let sentInTurn = 0;
  /**
   * The first message of a turn leaves at once, those behind it in one write at its end: many
   * clients share this socket, and system calls are most of what a call costs.
   */
  const gather = (): void => {
    if (raw === undefined) return;
    sentInTurn++;
    if (sentInTurn === 2) raw.cork();
    if (sentInTurn > 1) return;
    setImmediate(() => {
      if (sentInTurn > 1) raw?.uncork();
      sentInTurn = 0;
    });
  };

  const heard = (texts: Texts): void => {
    if (!isSilent) scope.call(handlers.onMessages, texts, readAtMs * NS_PER_MS);
  };
  let reader: TextReader | undefined;
  /** Steps between the connection and the library, which is handed what is not for us. */
  const readFirst = (connection: Socket): void => {
    const [feed] = connection.listeners("data") as ((bytes: Buffer) => void)[];
    if (feed === undefined) return;
    const rest = (bytes: Buffer): void => feed.call(connection, bytes);
    const invalid = (): void => {
      ended(REFUSAL_CODES.get(INVALID_UTF8) ?? PROTOCOL_ERROR, INVALID_UTF8);
      socket.close(REFUSAL_CODES.get(INVALID_UTF8));
    };
    const texts = new TextReader({ texts: heard, rest, invalid }, maxPayloadBytes);
    reader = texts;
    connection.on("data", (chunk: Buffer) => {
      readAtMs = performance.now();
      countPassed(chunk.length);
      texts.read(chunk);
    });
    connection.off("data", feed);
    // Before the library's own listener, which takes what lies unread.
    connection.prependListener("close", () => texts.stop());
  };

  socket.on("upgrade", (response: IncomingMessage) => {
    raw = response.socket;
  });
  socket.on("open", () => {
    if (raw !== undefined) readFirst(raw);
    if (!isSilent) scope.run(() => handlers.onOpen());
  });
  socket.on("message", (data: Buffer) => heard({ bytes: data, bounds: [0, data.length] }));
  socket.on("pong", () => {
    if (!isSilent) scope.run(() => handlers.onPong());
  });
  socket.on("unexpected-response", (request, response: IncomingMessage) => {
    status = response.statusCode;
    retryAfter = response.headers["retry-after"];
    failure = "upgrade refused";
    request.destroy();
    socket.terminate();
  });
  socket.on("error", (error: WireError) => {
    reader?.stop();
    if (failure === "") failure = nameOf(error, maxPayloadBytes);
    if (error.code === TOO_BIG) overBytes = maxPayloadBytes;
    const code = refusalCode(error);
    // What ws cannot read it closes itself: its owner need not wait for the peer's farewell. Any
    // other error is followed by the close event and only explains it.
    if (code !== undefined) ended(code, failure);
  });
  socket.on("close", (code: number, reason: Buffer) => ended(code, reason.toString("utf8")));

  return {
    send: (message) => {
      if (socket.readyState !== WebSocket.OPEN) return;
      gather();
      socket.send(message, { binary: false });
    },
    ping: () => {
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    get bytesRead() {
      return raw?.bytesRead ?? 0;
    },
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    get isOpen() {
      return socket.readyState === WebSocket.OPEN;
    },
    close: (code, reason) => socket.close(code, reason),
    terminate: () => socket.terminate(),
    abandon: () => {
      isSilent = true;
      socket.terminate();
    },
  };
};

/** An error of the socket, of TLS, or of the WebSocket protocol. */
interface WireError extends NodeJS.ErrnoException {
  /** OpenSSL's own words. */
  readonly reason?: string;
}

const TOO_BIG = "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH";
const INVALID_UTF8 = "WS_ERR_INVALID_UTF8";
const PROTOCOL_ERROR = 1002;
/** Close codes that ws sends for what it refuses to read, where it is not a protocol error. */
const REFUSAL_CODES: ReadonlyMap<string, number> = new Map([
  [TOO_BIG, 1009],
  ["WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH", 1009],
  ["WS_ERR_TOO_MANY_BUFFERED_PARTS", 1008],
  [INVALID_UTF8, 1007],
]);

/** The close code behind an error of ws's own; undefined for one of the wire. */
const refusalCode = ({ code }: WireError): number | undefined =>
  code?.startsWith("WS_ERR_") === true ? (REFUSAL_CODES.get(code) ?? PROTOCOL_ERROR) : undefined;

/** OpenSSL's and Node's names for a certificate or a handshake that does not hold. */
const TLS_CODE =
  /^(CERT_|CRL_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO|HOSTNAME_MISMATCH|ERR_TLS|ERR_SSL|EPROTO)/u;
/** OpenSSL's reason within its one-line report. */
const SSL_REASON = /SSL routines:[^:]*:([^:]+)/u;

/** An error in words that an operator can act on. */
const nameOf = ({ code, message, reason }: WireError, maxPayloadBytes: number): string => {
  if (code === undefined) return message;
  if (code === TOO_BIG) return `message over ${maxPayloadBytes} bytes`;
  if (!TLS_CODE.test(code)) return code;
  // Behind a semicolon Node gives advice about its own flags.
  const words = reason ?? SSL_REASON.exec(message)?.[1] ?? message.split(";", 1)[0];
  return `TLS ${code}: ${words}`;
};
