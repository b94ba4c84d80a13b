/**
 * Cheap WebSocket clients: a socket, a handshake, and a scan of the bytes for what is measured. They
 * share the generator's core, so they must cost far less than the lane they listen to.
 */
import { connect, type Socket } from "node:net";

/** What a client hears. */
export interface ClientHandlers {
  /** The payload of each text message. */
  readonly onMessage: (payload: Buffer) => void;
  readonly onClose?: (code: number, reason: string) => void;
}

const HEAD_END = Buffer.from("\r\n\r\n");

/** One client of a lane. */
export class WsClient {
  readonly socket: Socket;
  #pending: Buffer | undefined;
  #isOpen = false;
  readonly #handlers: ClientHandlers;

  private constructor(socket: Socket, handlers: ClientHandlers) {
    this.socket = socket;
    this.#handlers = handlers;
  }

  /** Connects and finishes the handshake. */
  static open(port: number, path: string, handlers: ClientHandlers): Promise<WsClient> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: "127.0.0.1", noDelay: true }, () => {
        socket.write(
          `GET ${path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
        );
      });
      const client = new WsClient(socket, handlers);
      socket.on("error", reject);
      socket.on("data", (chunk) => client.#read(chunk, () => resolve(client)));
    });
  }

  /** Sends a small masked text message. */
  send(text: string): void {
    const payload = Buffer.from(text);
    const head = Buffer.from([
      0x81,
      0x80 | 126,
      payload.length >> 8,
      payload.length & 255,
      0,
      0,
      0,
      0,
    ]);
    this.socket.write(Buffer.concat([head, payload]));
  }

  close(): void {
    this.socket.destroy();
  }

  #read(chunk: Buffer, onOpen: () => void): void {
    let bytes = this.#pending === undefined ? chunk : Buffer.concat([this.#pending, chunk]);
    this.#pending = undefined;
    if (!this.#isOpen) {
      const end = bytes.indexOf(HEAD_END);
      if (end < 0) {
        this.#pending = bytes;
        return;
      }
      this.#isOpen = true;
      bytes = bytes.subarray(end + 4);
      onOpen();
    }
    let at = 0;
    while (bytes.length - at >= 2) {
      const short = (bytes[at + 1] as number) & 0x7f;
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (bytes.length - at < head) break;
      const size =
        short < 126
          ? short
          : short === 126
            ? bytes.readUInt16BE(at + 2)
            : Number(bytes.readBigUInt64BE(at + 2));
      const end = at + head + size;
      if (bytes.length < end) break;
      const opcode = (bytes[at] as number) & 15;
      const payload = bytes.subarray(at + head, end);
      if (opcode === 1) this.#handlers.onMessage(payload);
      else if (opcode === 8) {
        this.#handlers.onClose?.(payload.readUInt16BE(0), payload.toString("utf8", 2));
      } else if (opcode === 9) {
        // A pong without payload, masked with zeros; our lanes do not look at the payload.
        this.socket.write(Buffer.from([0x8a, 0x80, 0, 0, 0, 0]));
      }
      at = end;
    }
    if (at < bytes.length) this.#pending = at === 0 ? bytes : Buffer.from(bytes.subarray(at));
  }
}
