/**
 * Drivers without sockets: fake providers reached over simulated HTTP. Everything that would happen
 * on a wire happens in the one agenda of the world, under virtual time.
 */
import type { HttpUpstream } from "../../../actors/rpc/provider-pool.ts";
import type { FakeChain } from "../../../src/rpc/fake/chain.ts";
import type { FakeProvider } from "../../../src/rpc/fake/provider.ts";
import type { UpstreamCall, UpstreamHandler } from "../../../src/rpc/proxy/ports.ts";
import type { Agenda } from "./agenda.ts";
import { Deliveries } from "./deliveries.ts";
import type { Link } from "./link.ts";
import { SimSocket, type SocketHandlers } from "./socket.ts";
import type { Tally } from "./tally.ts";

/** What is at the end of a wire. */
export interface Endpoint {
  readonly link: Link;
  readonly mind: FakeProvider;
  readonly chain: FakeChain;
}

/** Answers later than this are slow enough to count as such, ms. */
const SLOW_MS = 500;

/** All wires of the world. */
export class Wires {
  readonly agenda: Agenda;
  readonly tally: Tally;
  readonly now: () => number;
  readonly deliveries = new Deliveries();
  readonly #sockets = new Map<Link, Set<SimSocket>>();
  readonly #pumps = new Map<Link, number>();
  /** HTTP calls that are neither answered nor given up. */
  #calls = 0;

  constructor(agenda: Agenda, tally: Tally, now: () => number) {
    this.agenda = agenda;
    this.tally = tally;
    this.now = now;
  }

  get openCalls(): number {
    return this.#calls;
  }

  get openSockets(): number {
    let count = 0;
    for (const sockets of this.#sockets.values()) count += sockets.size;
    return count;
  }

  /** A provider's HTTP endpoint. */
  http(endpoint: Endpoint): HttpUpstream {
    return {
      transport: "http",
      send: (body, _id, handler) => new WireCall(this, endpoint, body.toString("utf8"), handler),
      close: () => {},
    };
  }

  /** A provider's WebSocket. */
  connect(endpoint: Endpoint, handlers: SocketHandlers): SimSocket {
    const { link } = endpoint;
    const sockets = this.#sockets.get(link) ?? new Set();
    this.#sockets.set(link, sockets);
    const socket: SimSocket = new SimSocket(this, endpoint, handlers, () => {
      sockets.delete(socket);
    });
    sockets.add(socket);
    return socket;
  }

  /** Looks at a provider's sockets soon: something about it has changed. */
  stir({ link, mind }: Endpoint): void {
    this.#pumpAt(link, mind, this.now() + 1);
  }

  /** Cuts every open socket of a provider. */
  cutSockets(link: Link): number {
    const sockets = [...(this.#sockets.get(link) ?? [])];
    for (const socket of sockets) socket.cut();
    return sockets.length;
  }

  /** Counts an HTTP call that begins or ends. */
  noteCall(by: 1 | -1): void {
    this.#calls += by;
  }

  #pumpAt(link: Link, mind: FakeProvider, atMs: number): void {
    const due = this.#pumps.get(link);
    if (due !== undefined && due <= atMs) return;
    this.#pumps.set(link, atMs);
    this.agenda.at(atMs, () => {
      if (this.#pumps.get(link) !== atMs) return;
      this.#pumps.delete(link);
      this.#pump(link, mind);
    });
  }

  #pump(link: Link, mind: FakeProvider): void {
    const sockets = this.#sockets.get(link);
    if (sockets === undefined || sockets.size === 0) return;
    const nowMs = this.now();
    for (const socket of sockets) socket.pump(nowMs);
    const nextMs = Math.ceil(mind.nextWakeMs(nowMs));
    if (Number.isFinite(nextMs)) this.#pumpAt(link, mind, Math.max(nowMs + 1, nextMs));
  }
}

/** One HTTP request on its way. */
class WireCall implements UpstreamCall {
  readonly #wires: Wires;
  readonly #handler: UpstreamHandler;
  #isOver = false;
  #isHanging = false;

  constructor(wires: Wires, end: Endpoint, text: string, handler: UpstreamHandler) {
    const { link, mind } = end;
    this.#wires = wires;
    this.#handler = handler;
    wires.noteCall(1);
    const nowMs = wires.now();
    if (link.isCut) {
      this.#isHanging = true;
    } else if (mind.isRefusing(nowMs)) {
      this.#later(1, () => this.#fail("refused"));
    } else this.#answered(end, text, nowMs);
  }

  abort(): void {
    if (this.#isOver) return;
    this.#end();
    if (this.#isHanging) this.#wires.tally.count("heard.silence");
  }

  resume(): void {}

  #answered({ link, mind, chain }: Endpoint, text: string, nowMs: number): void {
    const reply = mind.answerHttp(text, nowMs);
    this.#wires.deliveries.note(link.provider, chain, text, nowMs);
    if (reply.kind === "hang") {
      this.#isHanging = true;
      return;
    }
    if (reply.kind === "reset") {
      this.#later(reply.delayMs, () => this.#fail("reset"));
      return;
    }
    const delayMs = reply.delayMs + reply.dripMs;
    // Until it is there nobody can tell a slow answer from none.
    this.#isHanging = delayMs > SLOW_MS;
    this.#later(delayMs, () => {
      const { tally } = this.#wires;
      if (link.isCut) return this.#fail("reset");
      const bytes = Buffer.from(reply.body);
      if (delayMs > SLOW_MS) tally.count("heard.slow");
      if (reply.status !== 200) tally.count(`heard.${reply.status}`);
      else if (reply.body.startsWith("<")) tally.count("heard.garbage");
      else if (reply.body.includes("temporarily unavailable")) tally.count("heard.rpc-error");
      this.#handler.onHead({
        status: reply.status,
        sizeBytes: bytes.length,
        retryAfter: reply.retryAfterSec === undefined ? undefined : String(reply.retryAfterSec),
      });
      if (reply.cutAtBytes === undefined) {
        this.#handler.onData(bytes);
        this.#handler.onEnd();
      } else {
        this.#handler.onData(bytes.subarray(0, reply.cutAtBytes));
        this.#fail("truncated");
      }
    });
  }

  #later(delayMs: number, run: () => void): void {
    this.#wires.agenda.after(delayMs, () => {
      if (this.#isOver) return;
      this.#end();
      run();
    });
  }

  #fail(kind: "refused" | "reset" | "truncated"): void {
    this.#wires.tally.count(`heard.${kind}`);
    this.#handler.onFailure({ kind, reusedSocket: false, detail: kind });
  }

  #end(): void {
    this.#isOver = true;
    this.#wires.noteCall(-1);
  }
}
