/**
 * Drivers without sockets: fake providers reached over simulated HTTP and WebSocket. Everything that
 * would happen on a wire happens in one ordered list of events under virtual time.
 */
import type { HttpUpstream } from "../../actors/rpc/provider-pool.ts";
import type { wsConnection } from "../../actors/rpc/ws-connection.ts";
import type { ArgsOf } from "../../src/otp/index.ts";
import type { FakeProvider, FakeReply } from "../../src/rpc/fake/provider.ts";
import type { FakeSession } from "../../src/rpc/fake/session.ts";
import type { UpstreamHandler } from "../../src/rpc/proxy/ports.ts";

type Connect = ArgsOf<typeof wsConnection>["connect"];
type SocketHandlers = Parameters<Connect>[0];
type Socket = ReturnType<Connect>;

interface Due {
  readonly atMs: number;
  readonly seq: number;
  readonly run: () => void;
}

/** What is on the wires. */
export class Wires {
  readonly #now: () => number;
  readonly #sockets = new Set<SimSocket>();
  #due: Due[] = [];
  #seq = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Runs `run` in `delayMs`; events of one instant run in the order in which they were made. */
  after(delayMs: number, run: () => void): void {
    this.#due.push({ atMs: this.#now() + delayMs, seq: this.#seq++, run });
  }

  /** Delivers what is due now. */
  deliver(): void {
    const nowMs = this.#now();
    const ready = this.#due
      .filter(({ atMs }) => atMs <= nowMs)
      .sort((a, b) => a.atMs - b.atMs || a.seq - b.seq);
    this.#due = this.#due.filter(({ atMs }) => atMs > nowMs);
    for (const { run } of ready) run();
    for (const socket of this.#sockets) socket.pump(nowMs);
  }

  /** A provider's HTTP endpoint. */
  http(mind: FakeProvider): HttpUpstream {
    return {
      transport: "http",
      send: (body, _id, handler) => {
        const call = { isOver: false };
        this.#answer(mind, body.toString("utf8"), handler, call);
        return {
          abort: () => {
            call.isOver = true;
          },
          resume: () => {},
        };
      },
      close: () => {},
    };
  }

  /** A provider's WebSocket. */
  connect(mind: FakeProvider, handlers: SocketHandlers): Socket {
    const socket = new SimSocket(this, mind, handlers, this.#now, () => {
      this.#sockets.delete(socket);
    });
    this.#sockets.add(socket);
    return socket;
  }

  #answer(
    mind: FakeProvider,
    text: string,
    handler: UpstreamHandler,
    call: { isOver: boolean },
  ): void {
    const later = (delayMs: number, run: () => void): void =>
      this.after(delayMs, () => {
        if (call.isOver) return;
        call.isOver = true;
        run();
      });
    const fail = (kind: "refused" | "reset" | "truncated"): void =>
      handler.onFailure({ kind, reusedSocket: false, detail: kind });
    if (mind.isRefusing(this.#now())) {
      later(1, () => fail("refused"));
      return;
    }
    const reply: FakeReply = mind.answerHttp(text, this.#now());
    if (reply.kind === "hang") return;
    if (reply.kind === "reset") {
      later(reply.delayMs, () => fail("reset"));
      return;
    }
    later(reply.delayMs + reply.dripMs, () => {
      const bytes = Buffer.from(reply.body);
      handler.onHead({
        status: reply.status,
        sizeBytes: bytes.length,
        retryAfter: reply.retryAfterSec === undefined ? undefined : String(reply.retryAfterSec),
      });
      if (reply.cutAtBytes === undefined) {
        handler.onData(bytes);
        handler.onEnd();
      } else {
        handler.onData(bytes.subarray(0, reply.cutAtBytes));
        fail("truncated");
      }
    });
  }
}

const handshakeMs = 10;
const brokenCode = 1006;

/** One simulated WebSocket to a provider. */
class SimSocket implements Socket {
  readonly #wires: Wires;
  readonly #mind: FakeProvider;
  readonly #handlers: SocketHandlers;
  readonly #now: () => number;
  readonly #forget: () => void;
  #session: FakeSession | undefined;
  #isOver = false;

  constructor(
    wires: Wires,
    mind: FakeProvider,
    handlers: SocketHandlers,
    now: () => number,
    forget: () => void,
  ) {
    this.#wires = wires;
    this.#mind = mind;
    this.#handlers = handlers;
    this.#now = now;
    this.#forget = forget;
    wires.after(handshakeMs, () => {
      if (this.#isOver) return;
      if (mind.isRefusing(now())) {
        this.#break("refused");
        return;
      }
      this.#session = mind.openSession(now());
      handlers.onOpen();
    });
  }

  send(message: string | Buffer): void {
    if (this.#session === undefined || this.#isOver) return;
    const reply = this.#session.request(message.toString(), this.#now());
    if (reply.kind === "hang") return;
    this.#wires.after(reply.delayMs, () => {
      if (this.#isOver) return;
      if (reply.kind === "reset" || reply.cutAtBytes !== undefined) this.#break("reset");
      else this.#receive(reply.body);
    });
  }

  ping(): void {
    this.#wires.after(1, () => {
      if (!this.#isOver && !this.#mind.isSilent(this.#now())) this.#handlers.onPong();
    });
  }

  close(code: number, reason: string): void {
    this.#wires.after(1, () => this.#end(code, reason));
  }

  abandon(): void {
    this.#isOver = true;
    this.#leave();
  }

  /** Hands over the events that are due and cuts what the provider cuts. */
  pump(nowMs: number): void {
    const session = this.#session;
    if (session === undefined || this.#isOver) return;
    if (this.#mind.isRefusing(nowMs) || this.#mind.isDropDue(session, nowMs)) {
      this.#break("cut");
      return;
    }
    for (const frame of session.collect(nowMs)) this.#receive(frame);
  }

  #receive(text: string): void {
    if (!this.#isOver) this.#handlers.onMessage(Buffer.from(text), this.#now() * 1e6);
  }

  #break(reason: string): void {
    this.#end(brokenCode, reason);
  }

  #end(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#leave();
    this.#handlers.onClose({ code, reason, status: undefined });
  }

  #leave(): void {
    if (this.#session !== undefined) this.#mind.closeSession(this.#session);
    this.#forget();
  }
}
