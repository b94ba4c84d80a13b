/** One simulated WebSocket from the product to a provider. */
import type { wsConnection } from "../../../actors/rpc/ws-connection.ts";
import type { ArgsOf } from "../../../src/otp/index.ts";
import type { FakeSession } from "../../../src/rpc/fake/session.ts";
import type { Endpoint, Wires } from "./wires.ts";

type Connect = ArgsOf<typeof wsConnection>["connect"];
/** What the product gives a socket to call. */
export type SocketHandlers = Parameters<Connect>[0];
type Socket = ReturnType<Connect>;

const HANDSHAKE_MS = 10;
/** RFC 6455: the connection is gone without a close frame. */
const BROKEN = 1006;

/** A socket that ends in a fake provider's session. */
export class SimSocket implements Socket {
  readonly #wires: Wires;
  readonly #end: Endpoint;
  readonly #handlers: SocketHandlers;
  readonly #forget: () => void;
  /** A cut that has ended meanwhile has left this socket dead. */
  readonly #cutsAtBirth: number;
  #session: FakeSession | undefined;
  #isOver = false;
  bytesRead = 0;

  constructor(wires: Wires, end: Endpoint, handlers: SocketHandlers, forget: () => void) {
    this.#wires = wires;
    this.#end = end;
    this.#handlers = handlers;
    this.#forget = forget;
    this.#cutsAtBirth = end.link.pastCuts;
    wires.agenda.after(HANDSHAKE_MS, () => this.#shakeHands());
  }

  send(message: string | Buffer): void {
    if (this.#session === undefined || this.#isOver || this.#end.link.isCut) return;
    const text = message.toString();
    const nowMs = this.#wires.now();
    const { link, chain } = this.#end;
    const reply = this.#session.request(text, nowMs);
    this.#wires.deliveries.note(link.provider, chain, text, nowMs);
    if (reply.kind === "hang") return;
    this.#wires.agenda.after(reply.delayMs, () => {
      if (this.#isOver || this.#end.link.isCut) return;
      if (reply.kind === "reset" || reply.cutAtBytes !== undefined) this.#break("reset");
      else this.#receive(reply.body);
      this.#wires.stir(this.#end);
    });
  }

  ping(): void {
    this.#wires.agenda.after(1, () => {
      if (this.#isOver || this.#end.link.isCut) return;
      if (!this.#end.mind.isSilent(this.#wires.now())) this.#handlers.onPong();
    });
  }

  close(code: number, reason: string): void {
    this.#wires.agenda.after(1, () => this.#finish(code, reason));
  }

  pause(): void {}

  resume(): void {}

  abandon(): void {
    this.#isOver = true;
    this.#leave();
  }

  /** The network breaks the connection. */
  cut(): void {
    if (this.#session === undefined) return;
    this.#wires.tally.count("heard.ws-cut");
    this.#break("cut");
  }

  /** Hands over the events that are due and cuts what the provider cuts. */
  pump(nowMs: number): void {
    const session = this.#session;
    const { link, mind } = this.#end;
    if (session === undefined || this.#isOver || link.isCut) return;
    if (
      link.pastCuts !== this.#cutsAtBirth ||
      mind.isRefusing(nowMs) ||
      mind.isDropDue(session, nowMs)
    ) {
      this.#break("cut");
      return;
    }
    const { tally } = this.#wires;
    for (const frame of session.collect(nowMs)) {
      if (link.mutes > 0) {
        tally.count("withheld.events");
        continue;
      }
      const told = link.inventor?.tell(frame) ?? [frame];
      if (told[0] !== undefined && told[0] !== frame) tally.count("heard.invention");
      for (const text of told) this.#say(text);
    }
  }

  #say(text: string): void {
    this.#receive(text);
    if (this.#end.link.stutters === 0) return;
    this.#wires.tally.count("heard.duplicate");
    this.#receive(text);
  }

  #shakeHands(): void {
    const { link, mind } = this.#end;
    if (this.#isOver || link.isCut) return;
    const nowMs = this.#wires.now();
    if (mind.isRefusing(nowMs)) {
      this.#break("refused");
      return;
    }
    this.#session = mind.openSession(nowMs);
    this.#handlers.onOpen();
    this.#wires.stir(this.#end);
  }

  #receive(text: string): void {
    if (this.#isOver) return;
    this.bytesRead += text.length;
    const bytes = Buffer.from(text);
    this.#handlers.onMessages({ bytes, bounds: [0, bytes.length] }, this.#wires.now() * 1e6);
  }

  #break(reason: string): void {
    this.#finish(BROKEN, reason);
  }

  #finish(code: number, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#leave();
    this.#handlers.onClose({ code, reason, status: undefined });
  }

  #leave(): void {
    if (this.#session !== undefined) this.#end.mind.closeSession(this.#session);
    this.#forget();
  }
}
