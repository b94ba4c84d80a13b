/** A socket to a provider as its owner needs it; `src/io/ws-client.ts` satisfies it by shape. */

/** A connection that is opening or open. */
export interface Socket {
  /** Sends one text message; dropped when the socket is not open. */
  send(message: string | Buffer): void;
  ping(): void;
  /** Reads nothing until `resume`: the peer has to wait. */
  pause(): void;
  resume(): void;
  /** Bytes read so far: they show that the peer lives. */
  readonly bytesRead: number;
  close(code: number, reason: string): void;
  /** Ends at once and is silent from now on. */
  abandon(): void;
}

/** How a socket ended. */
export interface SocketClosure {
  /** Close code; 1006 when the transport broke or never came up. */
  readonly code: number;
  readonly reason: string;
  /** Status of a refused upgrade. */
  readonly status: number | undefined;
  /** `Retry-After` of a refused upgrade, as sent. */
  readonly retryAfter?: string | undefined;
  /** The limit that a message of the provider was over; undefined for any other end. */
  readonly overBytes?: number | undefined;
}

/** Messages that lie in one piece of memory: they came with one read. */
export interface Messages {
  readonly bytes: Buffer;
  /** Where each begins and ends, in pairs. */
  readonly bounds: readonly number[];
}

/** The room that they take. */
export const extentOf = ({ bounds }: Messages): number => (bounds.at(-1) ?? 0) - (bounds[0] ?? 0);

/** What a socket tells; nothing follows `onClose`. */
export interface SocketHandlers {
  readonly onOpen: () => void;
  /** `atNs`: read from the socket at, monotonic. */
  readonly onMessages: (messages: Messages, atNs: number) => void;
  readonly onPong: () => void;
  readonly onClose: (closure: SocketClosure) => void;
}

/** What the driver's callbacks mail to the process that owns the socket. */
export type FromSocket = { readonly socket: number } & (
  | { readonly type: "open" }
  | {
      readonly type: "messages";
      /** Number of the first one, counted from 1 on this socket. */
      readonly seq: number;
      readonly messages: Messages;
      readonly atNs: number;
    }
  | { readonly type: "pong" }
  | { readonly type: "close"; readonly closure: SocketClosure }
);
